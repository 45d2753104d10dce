"""What stages give, written to the host in as few calls as their order allows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from torvyn._element import Element
from torvyn._errors import Internal, Unavailable


class Output(NamedTuple):
    """An output with a content type of its own. Without one it has its input's."""

    bytes: bytes | str
    content_type: str | None = None


class CapacityExceeded(Exception):
    """The host: more bytes in one call than its largest buffer."""


class AllocationFailed(Exception):
    """The host could not provide memory."""


class Outputs:
    """The outputs of one call. They wait here until there is much of them, or until the call ends or something must come after them."""

    # So much is written at once: far more than a call costs, and little beside a component's memory.
    WRITE_BYTES = 1 << 20

    def __init__(self, writer, lent=None) -> None:
        """`lent` tells the inputs' content types; None where there are no inputs (a source, an aggregator): nothing has an origin then."""
        self._writer = writer
        self._lent = lent
        self._parts: list[bytes] = []
        self._origins: list[int] = []
        self._forwarded: list[int] = []
        self._type: str | None = None  # as last said to the host; None: never
        self.size_bytes = 0
        self.count = 0

    def add(self, index: int, result: object) -> None:
        """What a stage gave for input `index`: bytes, text, an Output, the element itself, None, or several of these."""
        kind = type(result)
        if kind is bytes:
            self._put(index, result)
        elif result is None:
            pass
        elif kind is str:
            self._put(index, result.encode())
        elif isinstance(result, Output):
            self._put(index, _payload(result.bytes), result.content_type)
        elif isinstance(result, Element):
            self._forward(index)
        elif isinstance(result, str) or _is_buffer(result):
            self._put(index, _payload(result))
        elif isinstance(result, Iterable) and not isinstance(result, dict):
            for each in result:
                self.add(index, each)
        else:
            raise TypeError(f"a stage gives bytes, str, None or several of them, not {kind.__name__}")

    def add_one(self, result: object) -> None:
        """Exactly one output: a source's."""
        if isinstance(result, Output):
            self._put(0, _payload(result.bytes), result.content_type)
        else:
            self._put(0, _payload(result))

    def emit_packed(self, data: bytes, ends: Sequence[int], origins: Sequence[int]) -> None:
        """Outputs that are packed already."""
        self.flush()
        if ends:
            self.count += len(ends)
            self._emit(data, ends, origins, 0)

    def forward_all(self, indices: Sequence[int], port: str | None = None) -> None:
        """Passes inputs on: by a router's port where one is named."""
        self.flush()
        if not indices:
            return
        self.count += len(indices)
        if port is None:
            self._writer.forward(indices)
        else:
            self._writer.forward_to(port, list(indices))

    def flush(self) -> None:
        """Hands the host all that waits."""
        if self._forwarded:
            indices, self._forwarded = self._forwarded, []
            self._writer.forward(indices)
        elif self._parts:
            parts, origins = self._parts, self._origins
            self._parts, self._origins, self.size_bytes = [], [], 0
            self._emit(b"".join(parts), array("I", accumulate(map(len, parts))), origins, 0)

    def _put(self, index: int, payload: bytes, content_type: str | None = None) -> None:
        if self._forwarded or self.size_bytes >= self.WRITE_BYTES:
            self.flush()
        if content_type is None and self._type is not None:
            content_type = self._lent.meta(index).content_type if self._lent else ""
        if content_type is not None and content_type != self._type:
            self.flush()
            self._writer.set_content_type(content_type)
            self._type = content_type
        self._parts.append(payload)
        if self._lent:
            self._origins.append(index)
        self.size_bytes += len(payload)
        self.count += 1

    def _forward(self, index: int) -> None:
        if self._lent is None:
            raise TypeError("there is no input to forward here: give its bytes")
        if self._parts:
            self.flush()
        self._forwarded.append(index)
        self.count += 1

    def _emit(self, data: bytes, ends: Sequence[int], origins: Sequence[int], first: int) -> None:
        """Writes outputs; in halves where the host's largest buffer is too small for all. `first`: the input of output 0, where `origins`
        don't say."""
        try:
            self._writer.emit(data, ends, origins)
        except CapacityExceeded:
            if len(ends) == 1:
                raise Internal(f"an output of {len(data):,} bytes is more than the host's largest buffer holds",
                               index=origins[0] if origins else first) from None
            if self._lent and not origins:
                origins = list(range(len(ends)))
            half = len(ends) // 2
            cut = ends[half - 1]
            self._emit(data[:cut], ends[:half], origins[:half], first)
            self._emit(data[cut:], [end - cut for end in ends[half:]], origins[half:], first)
        except AllocationFailed as error:
            raise Unavailable(f"no buffer for {len(data):,} bytes of output: {error}", index=origins[0] if origins else first) from None


def _payload(given: object) -> bytes:
    if isinstance(given, str):
        return given.encode()
    if _is_buffer(given):
        return bytes(given)
    raise TypeError(f"a payload is bytes or str, not {type(given).__name__}")


def _is_buffer(given: object) -> bool:
    try:
        memoryview(given)
    except TypeError:
        return False
    return True
