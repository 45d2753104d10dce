"""Between a component's exports and the runners of `torvyn`. Part of components only: `wit_world` is there while one is made.

An export is a class that the component instantiates once, named after its interface. `exports_of` makes those of a stage: in
`torvyn_guest.batch` for the batch contract, in `torvyn_guest.element` for the contract of one element a call.
"""

import sys
from collections.abc import Callable

from componentize_py_types import Err
from torvyn import ProcessError
from torvyn._runners import Runner
from wit_world.imports import torvyn_streaming_types_0_1_0 as streaming

_CASES = {
    "invalid-input": streaming.ProcessError_InvalidInput,
    "unavailable": streaming.ProcessError_Unavailable,
    "internal": streaming.ProcessError_Internal,
    "fatal": streaming.ProcessError_Fatal,
}


def process_error(error: ProcessError):
    """The contract's form of an error."""
    if error.case == "deadline-exceeded":
        return streaming.ProcessError_DeadlineExceeded()
    return _CASES[error.case](str(error))


def attempt(call: Callable, *arguments):
    """Calls a function whose error is a plain process-error."""
    try:
        return call(*arguments)
    except ProcessError as error:
        raise Err(process_error(error)) from None


def signal(paused: bool):
    return streaming.BackpressureSignal.PAUSE if paused else streaming.BackpressureSignal.READY


def lifecycle(runner: Runner) -> type:
    # A component is a picture of an interpreter that has imported everything: what is not imported now never can be.
    handler = None
    if "logging" in sys.modules:
        from torvyn_guest.log import Handler
        handler = Handler()

    class Lifecycle:
        def init(self, config: str) -> None:
            sys.stdout.reconfigure(line_buffering=True)
            if "random" in sys.modules:
                sys.modules["random"].seed()  # else every instance would draw the numbers of the picture
            if handler is not None:
                sys.modules["logging"].getLogger().addHandler(handler)
            attempt(runner.init, config)

        def teardown(self) -> None:
            runner.teardown()
            sys.stdout.flush()

    return Lifecycle


def acks(runner: Runner) -> type:
    class Acks:
        def acknowledge(self, up_to: int) -> None:
            runner.acknowledge(up_to)

    return Acks

