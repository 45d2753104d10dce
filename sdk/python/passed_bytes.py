"""Mends components of componentize-py 0.19 to 0.25.1: bytes that are passed to the host are never given back there.

The interpreter's runtime hands each `bytes` argument over as a copy (`wit_dylib_pop_list` of wit-dylib's C interface) and forgets it; a
stage that writes a gigabyte would need a gigabyte. The interface has a function to free such a copy once the call is over,
`wit_dylib_dealloc_bytes` with `defer`. Here the runtime's export `wit_dylib_pop_list` becomes a function of four lines, added at the
module's end, that calls the old one and then asks for that.
"""

from __future__ import annotations

from collections.abc import Iterator

POP = "wit_dylib_pop_list"  # (context, type, place of the pointer) -> elements
FREE = "wit_dylib_dealloc_bytes"  # (context, pointer, bytes, alignment, deferred)
PREAMBLE_BYTES = 8
LAYER_MODULE, LAYER_COMPONENT = b"\0\0", b"\1\0"
SECTION_OF_MODULE, SECTION_OF_COMPONENT = 1, 4  # in a component
TYPES, IMPORTS, FUNCTIONS, EXPORTS, CODE = 1, 2, 3, 7, 10  # in a module
FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)
I32 = 0x7F
SIGNATURES = {POP: ([I32] * 3, [I32]), FREE: ([I32] * 5, [])}


class UnknownRuntime(Exception):
    """There is a runtime in this component, but not one that this module knows."""


class Reader:
    """Reads the binary format's numbers, names and vectors, one behind the other."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def name(self) -> str:
        return self.take(self.number()).decode()


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    reader = Reader(binary, PREAMBLE_BYTES)
    while reader.at < len(binary):
        kind = reader.byte()
        yield kind, reader.take(reader.number())


def joined(binary: bytes, parts: list[tuple[int, bytes]]) -> bytes:
    return binary[:PREAMBLE_BYTES] + b"".join(bytes([kind]) + number(len(body)) + body for kind, body in parts)


def release_passed_bytes(binary: bytes) -> bytes:
    """The component with every runtime in it mended. Raises UnknownRuntime where one looks otherwise than it should."""
    if binary[6:8] == LAYER_MODULE:
        return _module(binary)
    return joined(binary, [(kind, release_passed_bytes(body) if kind in (SECTION_OF_MODULE, SECTION_OF_COMPONENT) else body)
                           for kind, body in sections(binary)])


def _module(binary: bytes) -> bytes:
    parts = list(sections(binary))
    bodies = dict(parts)  # no section but the custom ones, of kind 0, is there twice
    exports = _exports(bodies.get(EXPORTS, b"\0"))
    indices = {name: index for name, kind, index in exports if kind == FUNCTION and name in SIGNATURES}
    if not indices:
        return binary

    imported = _imported_functions(bodies.get(IMPORTS, b"\0"))
    functions = Reader(bodies[FUNCTIONS])
    types_of = [functions.number() for _ in range(functions.number())]
    code = Reader(bodies[CODE])
    count = code.number()
    if set(indices) != set(SIGNATURES) or min(indices.values()) < imported or count != len(types_of):
        raise UnknownRuntime("it does not define what componentize-py 0.25 defines")
    types = _types(bodies[TYPES], 1 + max(types_of))
    for name, index in indices.items():
        if types[types_of[index - imported]] != SIGNATURES[name]:
            raise UnknownRuntime(f"{name} has another signature than that of componentize-py 0.25")

    added = imported + count
    exports = [(name, kind, added if (name, kind) == (POP, FUNCTION) else index) for name, kind, index in exports]
    types_of.append(types_of[indices[POP] - imported])
    changed = {
        FUNCTIONS: number(len(types_of)) + b"".join(map(number, types_of)),
        EXPORTS: number(len(exports)) + b"".join(number(len(name.encode())) + name.encode() + bytes([kind]) + number(index) for name, kind, index in exports),
        CODE: number(count + 1) + bodies[CODE][code.at :] + _pop_and_free(indices[POP], indices[FREE]),
    }
    return joined(binary, [(kind, changed.get(kind, body)) for kind, body in parts])


def _pop_and_free(pop: int, free: int) -> bytes:
    """elements = pop(context, type, place); if (*place) free(context, *place, elements, 1, true); return elements

    Only lists of one byte an element are given as a pointer.
    """
    context, type_, place, elements = (b"\x20" + bytes([index]) for index in range(4))  # local.get
    load = b"\x28\x02\x00"
    one = b"\x41\x01"
    body = b"".join([
        b"\x01\x01\x7f",  # one local: i32
        context, type_, place, b"\x10", number(pop), b"\x21\x03",  # call; local.set elements
        place, load, b"\x04\x40",  # if
        context, place, load, elements, one, one, b"\x10", number(free),
        b"\x0b", elements, b"\x0b",
    ])  # fmt: skip
    return number(len(body)) + body


def _exports(body: bytes) -> list[tuple[str, int, int]]:
    reader = Reader(body)
    return [(reader.name(), reader.byte(), reader.number()) for _ in range(reader.number())]


def _imported_functions(body: bytes) -> int:
    reader = Reader(body)
    functions = 0
    for _ in range(reader.number()):
        reader.name(), reader.name()
        kind = reader.byte()
        if kind == FUNCTION:
            functions += 1
            reader.number()
        elif kind in (TABLE, MEMORY):
            if kind == TABLE:
                reader.byte()
            has_maximum = reader.byte() & 1
            reader.number()
            if has_maximum:
                reader.number()
        elif kind in (GLOBAL, TAG):
            reader.byte(), reader.number()
        else:
            raise UnknownRuntime(f"an import of kind {kind}")
    return functions


def _types(body: bytes, wanted: int) -> list[tuple[list[int], list[int]]]:
    reader = Reader(body)
    found = []
    for _ in range(min(wanted, reader.number())):
        if reader.byte() != 0x60:
            raise UnknownRuntime("a type that is no function's")
        parameters = [reader.byte() for _ in range(reader.number())]
        found.append((parameters, [reader.byte() for _ in range(reader.number())]))
    return found
