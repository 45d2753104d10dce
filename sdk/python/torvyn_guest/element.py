"""The exports of a stage of the contract of one element a call: what a runner sees is a run of one."""

from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from componentize_py_types import Err
from torvyn import Internal, ProcessError
from torvyn._outputs import AllocationFailed, CapacityExceeded
from torvyn._runners import Aggregator, BatchProcessor, Filter, Processor, Router, Runner, Sink, Source, runner_of
from torvyn_guest import acks, attempt, lifecycle, process_error, signal
from wit_world.imports import torvyn_streaming_types_0_1_0 as streaming

try:
    from wit_world.imports import torvyn_streaming_buffer_allocator_0_1_0 as allocator
except ImportError:  # a world that makes no buffers: a filter's, a router's, a sink's
    allocator = None


class _Packed(NamedTuple):
    bytes: bytes
    ends: Sequence[int]


class _Meta(NamedTuple):
    sequence: int
    timestamp_ns: int
    deadline_ns: int
    content_type: int


class _Batch:
    """A stream-element as a run of one."""

    def __init__(self, element) -> None:
        self._element = element

    def read(self) -> _Packed:
        payload = self._element.payload.read_all()
        return _Packed(payload, array("I", [len(payload)]))

    def metas(self) -> list[_Meta]:
        meta = self._element.meta
        return [_Meta(meta.sequence, meta.timestamp_ns, self._element.context.deadline_ns(), 0)]

    def content_types(self) -> list[str]:
        return [self._element.meta.content_type]

    def flow_id(self) -> str:
        return self._element.context.flow_id()

    def trace_id(self, index: int) -> str:
        return self._element.context.trace_id()

    def span_id(self) -> str:
        return self._element.context.span_id()


class _Writer:
    """Takes what a runner writes, as output-elements."""

    def __init__(self, element=None) -> None:
        self._element = element
        self._type = element.meta.content_type if element is not None else ""
        self.outputs: list = []
        self.forwards = 0
        self.ports: list[str] = []

    def emit(self, data: bytes, ends: Sequence[int], origins: Sequence[int]) -> None:
        start = 0
        for end in ends:
            try:
                with allocator.allocate(end - start) as buffer:
                    buffer.append(data[start:end])
                    payload = buffer.freeze()
            except Err as error:
                if isinstance(error.value, streaming.BufferError_AllocationFailed):
                    raise AllocationFailed(error.value.value) from None
                raise CapacityExceeded from None
            self.outputs.append(streaming.OutputElement(streaming.ElementMeta(0, 0, self._type), payload))
            start = end

    def forward(self, indices: list[int]) -> None:
        self.forwards += len(indices)

    def forward_to(self, port: str, indices: list[int]) -> None:
        self.ports.append(port)

    def set_content_type(self, content_type: str) -> None:
        self._type = content_type

    def copy_forwarded(self) -> None:
        """This contract has no way to hand an input on: the host makes the copy."""
        for _ in range(self.forwards):
            try:
                with allocator.clone_into_mutable(self._element.payload) as buffer:
                    payload = buffer.freeze()
            except Err:
                raise Internal("the host has no buffer for the copy of an element") from None
            self.outputs.append(streaming.OutputElement(self._element.meta, payload))

    def at_most_one(self):
        if len(self.outputs) > 1:
            count = len(self.outputs)
            self.drop()
            raise Internal(f"{count} outputs: the contract of one element a call takes one at most, the batch contract takes all")
        return self.outputs.pop() if self.outputs else None

    def drop(self) -> None:
        for output in self.outputs:
            output.payload.__exit__(None, None, None)
        self.outputs.clear()


def _call(call: Callable, element, finish: Callable):
    """One call with an element. What was lent for it is given back by componentize-py when it returns."""
    writer = _Writer(element)
    try:
        return finish(call(_Batch(element), writer), writer)
    except ProcessError as error:
        writer.drop()
        raise Err(process_error(error)) from None


def _processor(runner: Runner) -> dict[str, type]:
    def finish(_, writer: _Writer):
        writer.copy_forwarded()
        output = writer.at_most_one()
        return streaming.ProcessResult_Drop() if output is None else streaming.ProcessResult_Emit(output)

    class ProcessorExport:
        def process(self, input):
            return _call(runner.process, input, finish)

    return {"TorvynStreamingProcessor010": ProcessorExport}


def _filter(runner: Filter) -> dict[str, type]:
    class FilterExport:
        def evaluate(self, element) -> bool:
            return _call(runner.process, element, lambda _, writer: writer.forwards > 0)

    return {"TorvynFilteringFilter010": FilterExport}


def _router(runner: Router) -> dict[str, type]:
    class RouterExport:
        def route(self, element) -> list[str]:
            return _call(runner.route, element, lambda _, writer: writer.ports)

    return {"TorvynFilteringRouter010": RouterExport}


def _sink(runner: Sink) -> dict[str, type]:
    class SinkExport:
        def push(self, element):
            return _call(lambda batch, _: runner.push(batch), element, lambda paused, _: signal(paused))

        def complete(self) -> None:
            attempt(runner.complete)

    return {"TorvynStreamingSink010": SinkExport}


def _aggregator(runner: Aggregator) -> dict[str, type]:
    class AggregatorExport:
        def ingest(self, element):
            return _call(runner.ingest, element, lambda _, writer: writer.at_most_one())

        def flush(self) -> list:
            writer = _Writer()
            while attempt(runner.flush, writer):
                pass
            return writer.outputs

    return {"TorvynAggregationAggregator010": AggregatorExport}


def _source(runner: Source) -> dict[str, type]:
    ended = False

    class SourceExport:
        def pull(self):
            nonlocal ended
            writer = _Writer()
            ended = ended or not attempt(runner.pull, 1, writer)
            if not writer.outputs and not ended:
                raise Err(streaming.ProcessError_Unavailable("nothing yet"))
            return writer.at_most_one()

        def notify_backpressure(self, pressure) -> None:
            runner.notify_backpressure(pressure == signal(True))

    return {"TorvynStreamingSource010": SourceExport, "TorvynAcksAcks010": acks(runner)}


_EXPORTS = {
    Processor: _processor,
    BatchProcessor: _processor,
    Filter: _filter,
    Router: _router,
    Sink: _sink,
    Aggregator: _aggregator,
    Source: _source,
}


def exports_of(definition: Callable) -> dict[str, type]:
    """The classes that a component of this stage has to have, by name."""
    runner = runner_of(definition)
    return {"TorvynStreamingLifecycle010": lifecycle(runner), **_EXPORTS[type(runner)](runner)}
