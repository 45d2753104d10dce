"""Running a stage without a host, in a unit test.

    outputs = torvyn.testing.run(grep, ["one", "two"], pattern="two")
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from torvyn._element import Element
from torvyn._outputs import CapacityExceeded
from torvyn._runners import Aggregator, Runner, Sink, Source, runner_of


class Packed(NamedTuple):
    bytes: bytes
    ends: Sequence[int]


class _BatchMeta(NamedTuple):
    sequence: int
    timestamp_ns: int
    deadline_ns: int
    content_type: int


class MemoryBatch:
    """A run of elements, as torvyn:batching's `batch`."""

    def __init__(self, elements: Iterable[Element | bytes | str]) -> None:
        self._elements = [each if isinstance(each, Element) else Element(each, sequence=index) for index, each in enumerate(elements)]

    def __getitem__(self, index: int) -> Element:
        return self._elements[index]

    def __len__(self) -> int:
        return len(self._elements)

    def read(self) -> Packed:
        ends, end = [], 0
        for element in self._elements:
            end += len(element.bytes)
            ends.append(end)
        return Packed(b"".join(element.bytes for element in self._elements), array("I", ends))

    def metas(self) -> list[_BatchMeta]:
        return [_BatchMeta(each.sequence, each.timestamp_ns, each.deadline_ns, index) for index, each in enumerate(self._elements)]

    def content_types(self) -> list[str]:
        return [each.content_type for each in self._elements]

    def flow_id(self) -> str:
        return self._elements[0].flow_id

    def trace_id(self, index: int) -> str:
        return self._elements[index].trace_id

    def span_id(self) -> str:
        return self._elements[0].span_id


class Written(NamedTuple):
    """One output: its payload, the input it came from (-1: none), its content type (None: the input's) and the port it left by."""

    bytes: bytes
    origin: int
    content_type: str | None
    port: str


class MemoryWriter:
    """Takes outputs, as torvyn:batching's `batch-writer`. Where the host would trap, an assertion fails."""

    def __init__(self, batch: MemoryBatch | None = None, largest_buffer_bytes: int = 16 << 20) -> None:
        self._batch = batch
        self._largest_buffer_bytes = largest_buffer_bytes
        self._content_type: str | None = None
        self.written: list[Written] = []
        self.calls: list[str] = []  # what was called, to count copies by

    def emit(self, data: bytes, ends: Sequence[int], origins: Sequence[int]) -> None:
        ends, origins = list(ends), list(origins)
        assert sorted(ends) == ends and (ends[-1] if ends else 0) == len(data), "ends don't fit"
        if self._batch is None:
            assert not origins, "outputs of nothing have no origins"
            origins = [-1] * len(ends)
        elif not origins:
            assert len(ends) == len(self._batch), "no origins, and not one output for each input"
            origins = list(range(len(ends)))
        assert sorted(origins) == origins and len(origins) == len(ends), "origins don't fit"
        if len(data) > self._largest_buffer_bytes:
            raise CapacityExceeded
        self.calls.append("emit")
        start = 0
        for end, origin in zip(ends, origins):
            self.written.append(Written(data[start:end], origin, self._content_type, "output"))
            start = end

    def forward(self, indices: Sequence[int]) -> None:
        self.forward_to("output", list(indices))

    def forward_to(self, port: str, indices: list[int]) -> None:
        assert sorted(indices) == indices and indices[-1] < len(self._batch), "indices don't fit"
        self.calls.append("forward")
        self.written += [Written(self._batch[index].bytes, index, None, port) for index in indices]

    def set_content_type(self, content_type: str) -> None:
        self._content_type = content_type


def start(stage: Callable, **settings: object) -> Runner:
    """A stage after `init`, to be called by hand."""
    runner = runner_of(stage)
    runner.init(json.dumps(settings) if settings else "")
    return runner


def run(stage: Callable, elements: Iterable[Element | bytes | str] = (), *, run_length: int = 64, limit: int = 1000, **settings: object) -> list:
    """Runs a stage from `init` to `teardown` and returns what it gave, as bytes; a router's as pairs of port and bytes.

    An error of the stage is raised; `error.index` says which element of its run it is about. `limit` bounds a source.
    """
    runner = start(stage, **settings)
    elements = list(elements)
    outputs = []

    def take(writer: MemoryWriter) -> None:
        outputs.extend((each.port, each.bytes) if hasattr(runner, "route") else each.bytes for each in writer.written)

    if isinstance(runner, Source):
        more = True
        while more and len(outputs) < limit:
            writer = MemoryWriter()
            more = runner.pull(min(run_length, limit - len(outputs)), writer)
            take(writer)
    for first in range(0, len(elements), run_length):
        batch = MemoryBatch(elements[first:first + run_length])
        if isinstance(runner, Sink):
            runner.push(batch)
            continue
        writer = MemoryWriter(None if isinstance(runner, Aggregator) else batch)
        call = getattr(runner, "ingest", None) or getattr(runner, "route", None) or runner.process
        call(batch, writer)
        take(writer)
    if isinstance(runner, Aggregator):
        more = True
        while more:
            writer = MemoryWriter()
            more = runner.flush(writer)
            take(writer)
    if isinstance(runner, Sink):
        runner.complete()
    runner.teardown()
    return outputs
