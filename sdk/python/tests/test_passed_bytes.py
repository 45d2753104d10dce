"""The mend of componentize-py's components, on the smallest modules that show it."""

import unittest

from passed_bytes import CODE, EXPORTS, FREE, FUNCTIONS, IMPORTS, POP, TYPES, UnknownRuntime, joined, number, release_passed_bytes, sections

MODULE = b"\0asm\1\0\0\0"
COMPONENT = b"\0asm\x0d\0\1\0"
POP_TYPE, FREE_TYPE = b"\x60\x03\x7f\x7f\x7f\x01\x7f", b"\x60\x05\x7f\x7f\x7f\x7f\x7f\x00"
RETURN_0, NOTHING = b"\x04\x00\x41\x00\x0b", b"\x02\x00\x0b"


def name(text: str) -> bytes:
    return number(len(text)) + text.encode()


def runtime(types: bytes = POP_TYPE + FREE_TYPE, exported=((POP, 1), (FREE, 2))) -> bytes:
    """Imports one function, so that what it defines are 1 and 2."""
    exports = b"".join(name(each) + b"\0" + number(index) for each, index in exported)
    return joined(MODULE, [
        (TYPES, b"\x02" + types),
        (IMPORTS, b"\x02" + name("env") + name("free") + b"\0\x01" + name("env") + name("memory") + b"\x02\x01\x01\x10"),
        (FUNCTIONS, b"\x02\x00\x01"),
        (EXPORTS, number(len(exported)) + exports),
        (CODE, b"\x02" + RETURN_0 + NOTHING),
    ])  # fmt: skip


class PassedBytes(unittest.TestCase):
    def test_the_export_is_a_new_function_that_calls_both(self):
        before, after = dict(sections(runtime())), dict(sections(release_passed_bytes(runtime())))
        self.assertEqual(after[FUNCTIONS], b"\x03\x00\x01\x00")
        self.assertEqual(after[EXPORTS], before[EXPORTS].replace(name(POP) + b"\0\x01", name(POP) + b"\0\x03"))
        self.assertTrue(after[CODE].startswith(b"\x03" + before[CODE][1:]))
        added = after[CODE][len(before[CODE]) :]
        self.assertIn(b"\x10\x01", added)
        self.assertIn(b"\x10\x02", added)

    def test_a_runtime_inside_components_is_found(self):
        inner = joined(COMPONENT, [(1, MODULE), (1, runtime())])
        outer = joined(COMPONENT, [(0, b"\x04kept"), (4, inner), (7, b"\x00")])
        mended = joined(COMPONENT, [(0, b"\x04kept"), (4, joined(COMPONENT, [(1, MODULE), (1, release_passed_bytes(runtime()))])), (7, b"\x00")])
        self.assertEqual(release_passed_bytes(outer), mended)

    def test_other_modules_stay_as_they_are(self):
        other = runtime(exported=(("run", 1),))
        self.assertEqual(release_passed_bytes(other), other)

    def test_an_unknown_runtime_is_refused(self):
        for other in (runtime(types=FREE_TYPE + POP_TYPE), runtime(exported=((POP, 1),)), runtime(exported=((POP, 0), (FREE, 2)))):
            with self.assertRaises(UnknownRuntime):
                release_passed_bytes(other)


if __name__ == "__main__":
    unittest.main()
