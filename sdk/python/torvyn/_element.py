"""What a stage is given: an element, or a whole run of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import getrefcount
from typing import NamedTuple

from torvyn._errors import InvalidInput


class Meta(NamedTuple):
    """What travels beside a payload. All of it is the host's."""

    sequence: int = 0
    timestamp_ns: int = 0
    deadline_ns: int = 0
    content_type: str = ""


class Context(NamedTuple):
    """The flow an element travels in."""

    flow_id: str = ""
    trace_id: str = ""
    span_id: str = ""


class Element:
    """One element: `bytes` is its payload. Everything beside it is asked of the host when it is first looked at."""

    __slots__ = ("bytes", "_index", "_lent")

    def __init__(self, bytes: bytes | str = b"", *, sequence: int = 0, timestamp_ns: int = 0, deadline_ns: int = 0,
                 content_type: str = "", flow_id: str = "", trace_id: str = "", span_id: str = "") -> None:
        """An element of one's own, to try a stage with. Text becomes UTF-8."""
        self.bytes = bytes.encode() if isinstance(bytes, str) else bytes
        self._index = 0
        self._lent = _Known([Meta(sequence, timestamp_ns, deadline_ns, content_type)], [Context(flow_id, trace_id, span_id)])

    @property
    def text(self) -> str:
        """The payload as text. Raises InvalidInput where it isn't UTF-8."""
        try:
            return self.bytes.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"not UTF-8 at byte {error.start}") from None

    @property
    def sequence(self) -> int:
        """Number of the element in its flow, from 0."""
        return self._lent.meta(self._index).sequence

    @property
    def timestamp_ns(self) -> int:
        """When it entered the flow: wall clock, nanoseconds since the Unix epoch."""
        return self._lent.meta(self._index).timestamp_ns

    @property
    def deadline_ns(self) -> int:
        """Nanoseconds that remain for it; 0 = no deadline, 1 = it is over."""
        return self._lent.meta(self._index).deadline_ns

    @property
    def content_type(self) -> str:
        """Its content type, "" where none was set."""
        return self._lent.meta(self._index).content_type

    @property
    def flow_id(self) -> str:
        """The flow's name."""
        return self._lent.context(self._index).flow_id

    @property
    def trace_id(self) -> str:
        """W3C trace id, 32 hex digits."""
        return self._lent.context(self._index).trace_id

    @property
    def span_id(self) -> str:
        """W3C span id of this call, 16 hex digits."""
        return self._lent.context(self._index).span_id

    def __repr__(self) -> str:
        return f"Element({self.bytes!r})"


class Run:
    """A run of elements, as a whole-run function sees it: all payloads back to back in `bytes`; element `i` ends at `ends[i]`."""

    __slots__ = ("bytes", "ends", "_lent", "_outputs")

    def __init__(self, bytes: bytes, ends: Sequence[int], lent: _Lent | _Known, outputs) -> None:
        self.bytes = bytes
        self.ends = ends
        self._lent = lent
        self._outputs = outputs

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[Element]:
        start = 0
        for index, end in enumerate(self.ends):
            yield make_element(index, self._lent, self.bytes[start:end])
            start = end

    @property
    def metas(self) -> list[Meta]:
        """What travels beside the payloads, one an element."""
        return [self._lent.meta(index) for index in range(len(self.ends))]

    def emit(self, bytes: bytes, ends: Sequence[int] | None = None, origins: Sequence[int] = ()) -> None:
        """Writes outputs back to back, in one copy. Each is charged to the input it came from: `origins` holds one input index an
        output, never falling; without it, output `i` came from input `i`. `ends` are the run's own unless others are given."""
        self._outputs.emit_packed(bytes, self.ends if ends is None else ends, origins)

    def forward(self, indices: Sequence[int]) -> None:
        """Passes elements on as they are, without a copy. `indices` never fall."""
        self._outputs.forward_all(indices)


class _Known:
    """Metas and contexts that are here, and stay."""

    __slots__ = ("_metas", "_contexts")

    def __init__(self, metas: list[Meta], contexts: list[Context]) -> None:
        self._metas = metas
        self._contexts = contexts

    def meta(self, index: int) -> Meta:
        return self._metas[index]

    def context(self, index: int) -> Context:
        return self._contexts[index]


class _Lent:
    """Metas and contexts of the run in hand, asked of the host when first wanted."""

    __slots__ = ("_batch", "_metas", "_contexts")

    def __init__(self, batch) -> None:
        self.lend(batch)

    def lend(self, batch) -> None:
        self._batch = batch
        self._metas = None
        self._contexts = {}

    def end(self) -> None:
        """The call is over: what was not asked for is out of reach."""
        self._batch = None

    def _host(self):
        if self._batch is None:
            raise RuntimeError("an element that was kept: what travels beside its bytes is to be read in the call that it came with")
        return self._batch

    def meta(self, index: int) -> Meta:
        if self._metas is None:
            types = self._host().content_types()
            self._metas = [Meta(each.sequence, each.timestamp_ns, each.deadline_ns, types[each.content_type])
                           for each in self._host().metas()]
        return self._metas[index]

    def context(self, index: int) -> Context:
        if index not in self._contexts:
            batch = self._host()
            self._contexts[index] = Context(batch.flow_id(), batch.trace_id(index), batch.span_id())
        return self._contexts[index]


def make_element(index: int, lent: _Lent | _Known, bytes: bytes = b"") -> Element:
    element = Element.__new__(Element)
    element.bytes = bytes
    element._index = index
    element._lent = lent
    return element


class ElementPool:
    """The elements of one run after the other.

    Making an object for each element would cost more than the rest of the SDK does, so they are used again; but only those that
    nobody else holds. Whoever keeps an element (in a list, for a window) really has it: then all of that run's are left to
    whom they were given, and the next run gets new ones.
    """

    # More of a run than this is not held on to once its call is over.
    _HELD_BYTES_MAX = 1 << 20

    def __init__(self) -> None:
        self.lent: _Lent  # what tells of the run in hand
        self._renew()

    def _renew(self) -> None:
        self._elements: list[Element] = []
        self._spare: list[Element] = []  # those of a longer run before
        self.lent = _Lent(None)
        self._references_alone = _count_references([make_element(0, self.lent)])

    def lend(self, batch, data: bytes, ends: Sequence[int]) -> list[Element]:
        """The elements of a run."""
        elements = self._elements
        missing = len(ends) - len(elements)
        if missing < 0:
            self._spare[:0] = elements[missing:]
            del elements[missing:]
        elif missing > 0:
            elements += self._spare[:missing]
            del self._spare[:missing]
            elements += [make_element(index, self.lent) for index in range(len(elements), len(ends))]
        self.lent.lend(batch)
        start = 0
        for end, element in zip(ends, elements):
            element.bytes = data[start:end]
            start = end
        return elements

    def take_back(self, size_bytes: int) -> None:
        """The call is over, and with it what was lent of the host."""
        self.lent.end()
        elements = self._elements
        if size_bytes > self._HELD_BYTES_MAX or _count_references(elements) != len(elements) * self._references_alone:
            self._renew()


def _count_references(elements: list[Element]) -> int:
    # All in C: a test of each element in the loop over them would cost more than using them again saves.
    return sum(map(getrefcount, elements))
