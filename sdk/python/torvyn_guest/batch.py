"""The exports of a stage that takes runs of elements."""

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


def _read(batch):
    packed = batch.read_bytes()
    packed.ends = array("I", packed.ends)
    return packed


batching.Batch.read = _read


class _Writer:
    """The host's writer, its errors as exceptions."""

    __slots__ = ("forward_to", "set_content_type", "_emit", "_forward")

    def __init__(self, writer) -> None:
        self.forward_to = writer.forward_to
        self.set_content_type = writer.set_content_type
        self._emit = writer.emit_bytes
        self._forward = writer.forward_bytes

    def forward(self, indices: Sequence[int]) -> None:
        self._forward(_numbers(indices))

    def emit(self, data: bytes, ends: Sequence[int], origins: Sequence[int]) -> None:
        try:
            self._emit(data, _numbers(ends), _numbers(origins) if origins else b"")
        except Err as error:
            if isinstance(error.value, batching.EmitError_AllocationFailed):
                raise AllocationFailed(error.value.value) from None
            raise CapacityExceeded from None


def _run(call: Callable, batch, writer=None):
    """One call with a run. What was lent for it is given back by componentize-py when it returns."""
    try:
        return call(batch, _Writer(writer)) if writer is not None else call(batch)
    except ProcessError as error:
        raise Err(batching.BatchError(error.index or 0, process_error(error))) from None


def _processor(runner: Runner) -> dict[str, type]:
    class BatchProcessorExport:
        def process(self, input, output) -> None:
            _run(runner.process, input, output)

    return {"TorvynBatchingBatchProcessor010": BatchProcessorExport}


def _router(runner: Router) -> dict[str, type]:
    class BatchRouter:
        def route(self, input, output) -> None:
            _run(runner.route, input, output)

    return {"TorvynBatchingBatchRouter010": BatchRouter}


def _sink(runner: Sink) -> dict[str, type]:
    class BatchSink:
        def push(self, input):
            return signal(_run(runner.push, input))

        def complete(self) -> None:
            attempt(runner.complete)

    return {"TorvynBatchingBatchSink010": BatchSink}


def _aggregator(runner: Aggregator) -> dict[str, type]:
    class BatchAggregator:
        def ingest(self, input, output) -> None:
            _run(runner.ingest, input, output)

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
