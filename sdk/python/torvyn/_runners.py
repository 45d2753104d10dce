"""What a component does in each call of the contract, whatever carries it: real handles in a component, memory in a test.

`batch` and `writer` have the methods of torvyn:batching's resources. What goes wrong in a call leaves it as a ProcessError, with the
index of its element.
"""

from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from operator import length_hint

from torvyn import _settings
from torvyn._element import Element, ElementPool, Run
from torvyn._errors import ProcessError, as_process_error
from torvyn._outputs import Outputs

PAUSE = "pause"


class Runner:
    """A stage, from `init` to `teardown`."""

    method: str  # of a class of this role

    def __init__(self, definition: Callable) -> None:
        self._definition = definition
        file = getattr(sys.modules.get(definition.__module__), "__file__", None)
        self._root = os.path.dirname(os.path.abspath(file)) if file else os.getcwd()
        self._instance: object = None
        self._call: Callable

    def init(self, config: str) -> None:
        try:
            settings = _settings.keywords(self._definition, _settings.parse(config))
            if isinstance(self._definition, type):
                self._instance = self._definition(**settings)
                self._call = getattr(self._instance, self.method)
            else:
                self._call = _with_keywords(self._definition, settings)
        except BaseException as error:
            raise self._error(error) from None

    def teardown(self) -> None:
        try:
            self._optional("close")
        except ProcessError as error:
            print(f"close: {error}", file=sys.stderr)  # the contract has no other place for it

    def _optional(self, method: str, *arguments: object) -> object:
        """Calls a method that a class may have."""
        call = getattr(self._instance, method, None)
        try:
            return call(*arguments) if call is not None else None
        except BaseException as error:
            raise self._error(error) from None

    def _error(self, error: BaseException, index: int | None = None) -> ProcessError:
        error = as_process_error(error, self._root)
        if error.index is None:
            error.index = index
        return error


def _with_keywords(function: Callable, settings: dict) -> Callable:
    if not settings:
        return function
    if type(function) is not types.FunctionType or hasattr(function, "__wrapped__"):
        return functools.partial(function, **settings)
    # As defaults of a function of its own they cost nothing in each call.
    bound = types.FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    bound.__kwdefaults__ = {**(function.__kwdefaults__ or {}), **settings}
    return bound


class RunRunner(Runner):
    """One that takes runs of elements, and looks at each."""

    has_origins = True

    def __init__(self, definition: Callable) -> None:
        super().__init__(definition)
        self._pool = ElementPool()

    def _take(self, batch, writer) -> object:
        packed = batch.read()
        count = len(packed.ends)
        elements = iter(self._pool.lend(batch, packed.bytes, packed.ends.tolist()))
        outputs = Outputs(writer, self._pool.lent if self.has_origins else None)
        try:
            result = self._work(elements, outputs)
            outputs.flush()
            return result
        except BaseException as error:
            index = count - length_hint(elements) - 1  # how far the loop came
            outputs.flush()
            raise self._error(error, index) from None
        finally:
            self._pool.take_back(len(packed.bytes))

    def _work(self, elements: Iterator[Element], outputs: Outputs) -> object:
        """Goes through a run. Outputs that are there when it raises stand."""
        raise NotImplementedError


class Processor(RunRunner):
    method = "process"

    # Whether the last run's outputs were few enough bytes to wait here until the run is through. False at first: a stage that makes much of
    # little is known before it has filled its memory.
    _holds_run = False

    def process(self, batch, writer) -> None:
        self._take(batch, writer)

    def _work(self, elements, outputs):
        call = self._call
        if not self._holds_run:
            return self._add_each(map(call, elements), outputs)
        # This loop is most of what the SDK costs, so it does nothing else: what the results are is looked at when all of them are there.
        results = []
        try:
            for element in elements:
                results.append(call(element))
        except BaseException:
            self._add_each(results, outputs)
            raise
        try:
            data = b"".join(results)
        except (TypeError, MemoryError):
            return self._add_each(results, outputs)
        size = 0
        ends = [size := size + len(result) for result in results]  # accumulate() takes twice as long in a component
        if size != len(data):  # there are memoryviews, of items that are more than a byte
            return self._add_each(results, outputs)
        self._holds_run = size < outputs.WRITE_BYTES
        outputs.emit_packed(data, ends, ())

    def _add_each(self, results: Iterable, outputs: Outputs) -> None:
        self._holds_run = True
        for index, result in enumerate(results):
            try:
                outputs.add(index, result)
            except BaseException as error:
                raise self._error(error, index) from None
            if outputs.size_bytes >= outputs.WRITE_BYTES:
                self._holds_run = False


class BatchProcessor(RunRunner):
    method = "process"

    def process(self, batch, writer) -> None:
        packed = batch.read()
        self._pool.lend(batch, b"", ())
        outputs = Outputs(writer, self._pool.lent)
        try:
            if self._call(Run(packed.bytes, packed.ends, self._pool.lent, outputs)) is not None:
                raise TypeError("a whole-run function writes with run.emit and run.forward, and returns nothing")
        except BaseException as error:
            raise self._error(error, 0) from None
        finally:
            self._pool.take_back(0)


class Filter(RunRunner):
    method = "keep"

    def process(self, batch, writer) -> None:
        self._take(batch, writer)

    def _work(self, elements, outputs):
        call = self._call
        kept = []
        try:
            for element in elements:
                if call(element):
                    kept.append(element._index)
        finally:
            outputs.forward_all(kept)


class Router(RunRunner):
    method = "route"

    def route(self, batch, writer) -> None:
        self._take(batch, writer)

    def _work(self, elements, outputs):
        call = self._call
        ports: dict[str, list[int]] = {}
        try:
            for element in elements:
                names = call(element)
                for name in (names,) if isinstance(names, str) else names or ():
                    if not isinstance(name, str):
                        raise TypeError(f"a router gives names of ports, not {type(name).__name__}")
                    ports.setdefault(name, []).append(element._index)
        finally:
            for name, indices in ports.items():
                outputs.forward_all(indices, name)


class Sink(RunRunner):
    method = "push"

    def push(self, batch) -> bool:
        """Whether the next run should wait."""
        return self._take(batch, None)

    def _work(self, elements, outputs):
        call = self._call
        paused = False
        for element in elements:
            if call(element) == PAUSE:
                paused = True
        return paused

    def complete(self) -> None:
        self._optional("complete")


class Aggregator(RunRunner):
    method = "ingest"
    has_origins = False

    # Results in one call of `flush`, so that a call stays short.
    _FLUSH_MAX = 1024

    def __init__(self, definition: Callable) -> None:
        super().__init__(definition)
        self._left: Iterator | None = None

    def ingest(self, batch, writer) -> None:
        self._take(batch, writer)

    def _work(self, elements, outputs):
        call = self._call
        for element in elements:
            outputs.add(0, call(element))

    def flush(self, writer) -> bool:
        """Whether there is more."""
        outputs = Outputs(writer)
        try:
            if self._left is None:
                self._left = _each(self._instance.flush())
            for result in self._left:
                outputs.add(0, result)
                if outputs.count >= self._FLUSH_MAX or outputs.size_bytes >= Outputs.WRITE_BYTES:
                    outputs.flush()
                    return True
            outputs.flush()
            return False
        except BaseException as error:
            raise self._error(error) from None


def _each(results: object) -> Iterator:
    """A result alone, or those of several."""
    if results is None or isinstance(results, (bytes, bytearray, memoryview, str, tuple)):
        return iter((results,))
    return iter(results)


class Source(Runner):
    method = "__iter__"

    def __init__(self, definition: Callable) -> None:
        super().__init__(definition)
        self._elements: Iterator
        self._failed: ProcessError | None = None

    def init(self, config: str) -> None:
        super().init(config)
        try:
            self._elements = iter(self._call())
        except BaseException as error:
            raise self._error(error) from None

    def pull(self, most: int, writer) -> bool:
        """Writes up to `most` elements. False: that was the end."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        outputs = Outputs(writer)
        more = True
        try:
            while outputs.count < most and outputs.size_bytes < Outputs.WRITE_BYTES:
                element = next(self._elements, _end)
                if element is _end:
                    more = False
                if element is None or element is _end:
                    break
                outputs.add_one(element)
        except BaseException as error:
            # What came before it goes out first.
            self._failed = self._error(error)
        outputs.flush()
        if self._failed is not None and outputs.count == 0:
            return self.pull(0, writer)
        return more

    def notify_backpressure(self, paused: bool) -> None:
        self._optional("backpressure", paused)

    def acknowledge(self, count: int) -> None:
        self._optional("acknowledge", count)


_end = object()

RUNNERS: dict[str, type[Runner]] = {
    "processor": Processor,
    "batch_processor": BatchProcessor,
    "filter": Filter,
    "router": Router,
    "source": Source,
    "sink": Sink,
    "aggregator": Aggregator,
}


def runner_of(definition: Callable) -> Runner:
    """The runner for what a decorator has marked. TypeError where nothing has."""
    role = getattr(definition, "__torvyn_role__", None)
    if role is None:
        raise TypeError(f"{definition!r} is no stage: it has no @torvyn decorator")
    return RUNNERS[role](definition)
