"""The exports of a stage that takes runs of elements."""

import weakref
from array import array
from collections.abc import Callable, Sequence

from componentize_py_types import Err
from torvyn import ProcessError
from torvyn._outputs import AllocationFailed, CapacityExceeded
from torvyn._runners import Aggregator, BatchProcessor, Filter, Processor, Router, Runner, Sink, Source, runner_of
from torvyn_guest import acks, attempt, lifecycle, process_error, signal
from wit_world.imports import torvyn_batching_types_0_1_0 as batching


# Lists of numbers cross as bytes: each number by itself would be an object on the way, which for a run of 64 costs as much as the call.


def _numbers(given: Sequence[int]) -> bytes:
    return given.tobytes() if given.__class__ is array else array("I", given).tobytes()


class _Packed:
    """What componentize-py makes of packed-bytes."""

    __slots__ = ("bytes", "ends")

    def __init__(self, bytes: bytes, ends: bytes) -> None:
        self.bytes = bytes
        self.ends = array("I", ends)


batching.PackedBytes = _Packed
batching.Batch.read = batching.Batch.read_bytes


# componentize-py gives back what was borrowed for a call when it returns, and before that has each handle's object finalized, should it go
# first: which it cannot, for the call holds it. That is half of what such a call costs.


class _Nothing:
    """A finalizer of nothing."""

    def detach(self) -> None:
        pass


class _Finalize(weakref.finalize):
    """Like any other, except for what is borrowed."""

    __slots__ = ()
    _borrowed = frozenset((batching.Batch, batching.BatchWriter))
    _nothing = _Nothing()

    def __new__(cls, obj, *_, **__):
        return cls._nothing if obj.__class__ in cls._borrowed else super().__new__(cls)


weakref.finalize = _Finalize


class _Writer:
    """The host's writer, its errors as exceptions."""

    __slots__ = ("_writer",)

    def __init__(self, writer) -> None:
        self._writer = writer

    def forward(self, indices: Sequence[int]) -> None:
        self._writer.forward_bytes(_numbers(indices))

    def forward_to(self, port: str, indices: list[int]) -> None:
        self._writer.forward_to(port, indices)

    def set_content_type(self, content_type: str) -> None:
        self._writer.set_content_type(content_type)

    def emit(self, data: bytes, ends: Sequence[int], origins: Sequence[int]) -> None:
        try:
            self._writer.emit_bytes(data, _numbers(ends), _numbers(origins) if origins else b"")
        except Err as error:
            if isinstance(error.value, batching.EmitError_AllocationFailed):
                raise AllocationFailed(error.value.value) from None
            raise CapacityExceeded from None


def _of_run(error: ProcessError) -> Err:
    return Err(batching.BatchError(error.index or 0, process_error(error)))


# What was lent for a call is given back by componentize-py when it returns.


def _processor(runner: Runner) -> dict[str, type]:
    class BatchProcessorExport:
        def process(self, input, output) -> None:
            try:
                runner.process(input, _Writer(output))
            except ProcessError as error:
                raise _of_run(error) from None

    return {"TorvynBatchingBatchProcessor010": BatchProcessorExport}


def _router(runner: Router) -> dict[str, type]:
    class BatchRouter:
        def route(self, input, output) -> None:
            try:
                runner.route(input, _Writer(output))
            except ProcessError as error:
                raise _of_run(error) from None

    return {"TorvynBatchingBatchRouter010": BatchRouter}


def _sink(runner: Sink) -> dict[str, type]:
    class BatchSink:
        def push(self, input):
            try:
                return signal(runner.push(input))
            except ProcessError as error:
                raise _of_run(error) from None

        def complete(self) -> None:
            attempt(runner.complete)

    return {"TorvynBatchingBatchSink010": BatchSink}


def _aggregator(runner: Aggregator) -> dict[str, type]:
    class BatchAggregator:
        def ingest(self, input, output) -> None:
            try:
                runner.ingest(input, _Writer(output))
            except ProcessError as error:
                raise _of_run(error) from None

        def flush(self, output) -> bool:
            return attempt(runner.flush, _Writer(output))

    return {"TorvynBatchingBatchAggregator010": BatchAggregator}


def _source(runner: Source) -> dict[str, type]:
    class BatchSource:
        def pull(self, max: int, output) -> bool:
            return attempt(runner.pull, max, _Writer(output))

        def notify_backpressure(self, pressure) -> None:
            runner.notify_backpressure(pressure == signal(True))

    return {"TorvynBatchingBatchSource010": BatchSource, "TorvynAcksAcks010": acks(runner)}


_EXPORTS = {
    Processor: _processor,
    BatchProcessor: _processor,
    Filter: _processor,
    Router: _router,
    Sink: _sink,
    Aggregator: _aggregator,
    Source: _source,
}


def exports_of(definition: Callable) -> dict[str, type]:
    """The classes that a component of this stage has to have, by name."""
    runner = runner_of(definition)
    return {"TorvynStreamingLifecycle010": lifecycle(runner), **_EXPORTS[type(runner)](runner)}
