"""What authors' functions and classes do, run as the host runs them. `python3 -m unittest discover -s sdk/python/tests -t sdk/python`"""

import contextlib
import unittest
from array import array

import torvyn
from torvyn import testing


@torvyn.processor
def shout(element):
    return element.bytes.upper()


@torvyn.processor
def words(element):
    yield from element.bytes.split()


@torvyn.processor
def pick(element, *, start: str, most: int = 3, loud: bool = False):
    if not element.text.startswith(start) or len(element.bytes) > most:
        return None
    return element.text.upper() if loud else element


@torvyn.processor
def number(element):
    return str(int(element.bytes))


def process(stage, elements, **options):
    """What a processor writes of a run, and its error: the same in its first run and in one that comes after another."""
    seen = []
    for runs_before in range(2):
        runner = testing.start(stage)
        for _ in range(runs_before):
            with contextlib.suppress(torvyn.ProcessError):
                runner.process(testing.MemoryBatch(elements[:1]), testing.MemoryWriter(testing.MemoryBatch(elements[:1])))
        batch = testing.MemoryBatch(elements)
        writer = testing.MemoryWriter(batch, **options)
        error = None
        try:
            runner.process(batch, writer)
        except torvyn.ProcessError as raised:
            error = raised
        seen.append((writer, error))
    (first, first_error), (later, later_error) = seen
    assert first.written == later.written, (first.written, later.written)
    assert [first_error and (str(first_error), first_error.index)] == [later_error and (str(later_error), later_error.index)], seen
    return later, later_error


class Processors(unittest.TestCase):
    def test_a_function_can_be_called(self):
        self.assertEqual(shout(torvyn.Element(b"hi")), b"HI")

    def test_one_output_each_is_one_write(self):
        writer, _ = process(shout, ["a", "", "c"])
        self.assertEqual([(each.bytes, each.origin) for each in writer.written], [(b"A", 0), (b"", 1), (b"C", 2)])
        self.assertEqual(writer.calls, ["emit"])

    def test_several_outputs_and_none(self):
        writer, _ = process(words, ["a b", "", "c"])
        self.assertEqual([(each.bytes, each.origin) for each in writer.written], [(b"a", 0), (b"b", 0), (b"c", 2)])
        self.assertEqual(writer.calls, ["emit"])

    def test_every_kind_of_output(self):
        given = [b"1", "2", bytearray(b"3"), memoryview(b"4"), torvyn.Output("5"), ["6", b"7"], None, ("8",), [b"9"]]

        @torvyn.processor
        def stage(element):
            return given[int(element.text)]

        writer, _ = process(stage, list(map(str, range(len(given)))))
        self.assertEqual([each.bytes for each in writer.written], [b"%d" % i for i in range(1, 10)])

    def test_buffers_of_items_are_their_bytes(self):
        given = [memoryview(b"1"), array("H", [0x3332, 0x3534]), memoryview(array("I", [0x39383736])), b""]

        @torvyn.processor
        def stage(element):
            return given[int(element.text)]

        writer, _ = process(stage, list("0123"))
        self.assertEqual([(each.bytes, each.origin) for each in writer.written], [(b"1", 0), (b"2345", 1), (b"6789", 2), (b"", 3)])

    def test_what_comes_later_is_asked_for_after_its_calls(self):
        """A stage that gives bytes first and then a generator: the generator's own outputs keep their place."""
        @torvyn.processor
        def stage(element):
            return element.bytes if element.bytes != b"b" else (part for part in (b"x", b"y"))

        writer, _ = process(stage, ["a", "b", "c"])
        self.assertEqual([(each.bytes, each.origin) for each in writer.written], [(b"a", 0), (b"x", 1), (b"y", 1), (b"c", 2)])

    def test_what_is_no_output_is_refused(self):
        @torvyn.processor
        def stage(element):
            return 7 if element.bytes == b"c" else b"-"

        writer, error = process(stage, ["a", "b", "c", "d"])
        self.assertIsInstance(error, torvyn.Internal)
        self.assertIn("bytes, str, None or several of them, not int", str(error))
        self.assertEqual(error.index, 2)
        self.assertEqual([each.bytes for each in writer.written], [b"-", b"-"])

    def test_the_element_itself_is_passed_on_uncopied_and_in_order(self):
        @torvyn.processor
        def stage(element):
            return [b"before", element] if element.bytes == b"b" else element

        writer, _ = process(stage, ["a", "b", "c"])
        self.assertEqual([each.bytes for each in writer.written], [b"a", b"before", b"b", b"c"])
        self.assertEqual(writer.calls, ["forward", "emit", "forward"])

    def test_content_types(self):
        @torvyn.processor
        def stage(element):
            return torvyn.Output(b"{}", "application/json") if element.bytes == b"b" else b"x"

        elements = [torvyn.Element(each, content_type="text/plain") for each in "abc"]
        writer, _ = process(stage, elements)
        self.assertEqual([each.content_type for each in writer.written], [None, "application/json", "text/plain"])

    def test_outputs_too_large_for_one_buffer_are_written_in_parts(self):
        writer, _ = process(shout, ["abc", "def", "ghi", "jkl"], largest_buffer_bytes=7)
        self.assertEqual([(each.bytes, each.origin) for each in writer.written], [(b"ABC", 0), (b"DEF", 1), (b"GHI", 2), (b"JKL", 3)])

    def test_one_output_too_large_is_an_error_of_its_element(self):
        writer, error = process(shout, ["ab", "c", "long", "d"], largest_buffer_bytes=3)
        self.assertIsInstance(error, torvyn.Internal)
        self.assertIn("4 bytes", str(error))
        self.assertEqual(error.index, 2)
        self.assertEqual([each.bytes for each in writer.written], [b"AB", b"C"])

    def test_many_large_outputs_are_not_held_at_once(self):
        @torvyn.processor
        def inflate(element):
            return bytes(600_000)

        runner = testing.start(inflate)
        for _ in range(2):
            batch = testing.MemoryBatch([b"x"] * 10)
            writer = testing.MemoryWriter(batch)
            runner.process(batch, writer)
            self.assertEqual(len(writer.written), 10)
            self.assertEqual(len(writer.calls), 5)


class Errors(unittest.TestCase):
    def test_outputs_before_the_element_stand(self):
        writer, error = process(number, ["1", "2", "x", "4"])
        self.assertIsInstance(error, torvyn.Internal)
        self.assertEqual(error.index, 2)
        self.assertEqual([each.bytes for each in writer.written], [b"1", b"2"])

    def test_an_uncaught_exception_tells_its_place(self):
        with self.assertRaises(torvyn.Internal) as raised:
            testing.run(number, ["1", "x"])
        line = number.__code__.co_firstlineno + 2
        self.assertEqual(str(raised.exception), "ValueError: invalid literal for int() with base 10: b'x' "
                                                f"(test_stages.py:{line}, in number)")

    def test_each_kind_arrives_as_it_is(self):
        for kind in (torvyn.InvalidInput, torvyn.Unavailable, torvyn.Internal, torvyn.DeadlineExceeded, torvyn.Fatal):
            @torvyn.processor
            def stage(element):
                raise kind("why")

            with self.assertRaisesRegex(kind, "^why$"):
                testing.run(stage, ["a"])

    def test_text_that_is_not_utf8(self):
        @torvyn.processor
        def stage(element):
            return element.text

        with self.assertRaisesRegex(torvyn.InvalidInput, "not UTF-8 at byte 2"):
            testing.run(stage, [b"ab\xff"])


class Settings(unittest.TestCase):
    def test_text_becomes_what_the_parameter_is(self):
        self.assertEqual(testing.run(pick, ["ab", "abcd", "b"], start="a"), [b"ab"])
        self.assertEqual(testing.run(pick, ["ab", "abcd"], start="a", most="4", loud="true"), [b"AB", b"ABCD"])

    def test_wrong_ones_are_named(self):
        for settings, message in (
                ({}, "the setting `start` is missing"),
                ({"strat": "a"}, "unknown setting `strat`; there are start, most, loud"),
                ({"start": "a", "most": "x"}, "the setting `most` is to be a whole number, not 'x'"),
                ({"start": "a", "loud": "perhaps"}, "the setting `loud` is to be true or false, not 'perhaps'"),
                ({"start": 5}, "the setting `start` is to be text, not 5")):
            with self.subTest(message), self.assertRaises(torvyn.InvalidInput) as raised:
                testing.start(pick, **settings)
            self.assertEqual(str(raised.exception), message)
        with self.assertRaisesRegex(torvyn.InvalidInput, "unknown setting `a`; there are none"):
            testing.start(shout, a=1)

    def test_the_main_one_is_the_first(self):
        for config in ("a", '{"": "a"}', '{"": "a", "most": "4"}'):
            runner = torvyn._runners.runner_of(pick)
            runner.init(config)
            writer = testing.MemoryWriter(batch := testing.MemoryBatch(["ab", "b"]))
            runner.process(batch, writer)
            self.assertEqual([each.bytes for each in writer.written], [b"ab"])

    def test_one_run_does_not_change_the_next(self):
        self.assertEqual(testing.run(pick, ["ab"], start="a", loud=True), [b"AB"])
        self.assertEqual(testing.run(pick, ["ab"], start="a"), [b"ab"])

    def test_of_a_class(self):
        closed = []

        @torvyn.processor
        class Count:
            def __init__(self, start: int = 0):
                self.seen = start

            def process(self, element):
                self.seen += 1
                return b"%d" % self.seen

            def close(self):
                closed.append(self.seen)

        self.assertEqual(testing.run(Count, "abc", start="5"), [b"6", b"7", b"8"])
        self.assertEqual(closed, [8])


class Elements(unittest.TestCase):
    def test_a_kept_element_stays_as_it_is(self):
        @torvyn.processor
        class Previous:
            def __init__(self):
                self.kept = []

            def process(self, element):
                self.kept.append(element)
                return b",".join(each.bytes for each in self.kept)

        self.assertEqual(testing.run(Previous, "abc", run_length=1), [b"a", b"a,b", b"a,b,c"])
        self.assertEqual(testing.run(Previous, "abc", run_length=2), [b"a", b"a,b", b"a,b,c"])

    def test_those_that_nobody_keeps_are_used_again(self):
        seen = set()

        @torvyn.processor
        def stage(element):
            seen.add(id(element))
            return b""

        testing.run(stage, ["a"] * 100, run_length=10)
        self.assertEqual(len(seen), 10)

    def test_what_travels_beside(self):
        @torvyn.processor
        def stage(element):
            return f"{element.sequence} {element.timestamp_ns} {element.deadline_ns} {element.content_type} {element.flow_id} {element.trace_id}"

        element = torvyn.Element("a", sequence=7, timestamp_ns=8, deadline_ns=9, content_type="text/plain", flow_id="main", trace_id="ab")
        self.assertEqual(testing.run(stage, [element]), [b"7 8 9 text/plain main ab"])
        self.assertEqual(stage(element), "7 8 9 text/plain main ab")

    def test_beside_a_kept_one_nothing_is_read_later(self):
        @torvyn.processor
        class Late:
            last = None

            def process(self, element):
                late, self.last = self.last, element
                return str(late.sequence) if late else None

        with self.assertRaisesRegex(torvyn.Internal, "in the call that it came with"):
            testing.run(Late, "ab", run_length=1)


class OtherRoles(unittest.TestCase):
    def test_filter_copies_nothing(self):
        @torvyn.filter
        def errors(element, *, pattern: str):
            return pattern in element.text

        batch = testing.MemoryBatch(["an ERR", "fine", "ERR"])
        writer = testing.MemoryWriter(batch)
        testing.start(errors, pattern="ERR").process(batch, writer)
        self.assertEqual([each.origin for each in writer.written], [0, 2])
        self.assertEqual(writer.calls, ["forward"])

    def test_filter_keeps_what_came_before_an_error(self):
        @torvyn.filter
        def positive(element):
            return int(element.bytes) > 0

        batch = testing.MemoryBatch(["1", "x"])
        writer = testing.MemoryWriter(batch)
        with self.assertRaises(torvyn.Internal) as raised:
            testing.start(positive).process(batch, writer)
        self.assertEqual(raised.exception.index, 1)
        self.assertEqual([each.origin for each in writer.written], [0])

    def test_router(self):
        @torvyn.router
        def route(element):
            return {"a": "one", "b": ["one", "two"]}.get(element.text)

        self.assertEqual(sorted(testing.run(route, "abc")), [("one", b"a"), ("one", b"b"), ("two", b"b")])

    def test_source_ends_and_is_asked_for_no_more_than_wanted(self):
        @torvyn.source
        def count(*, to: int):
            for i in range(to):
                yield str(i)

        self.assertEqual(testing.run(count, to=5, run_length=2), [b"0", b"1", b"2", b"3", b"4"])
        writer = testing.MemoryWriter()
        self.assertTrue(testing.start(count, to=5).pull(3, writer))
        self.assertEqual(len(writer.written), 3)

    def test_source_with_nothing_yet(self):
        @torvyn.source
        def slow():
            yield b"a"
            yield None
            yield b"b"

        runner = testing.start(slow)
        for expected, more in (([b"a"], True), ([b"b"], False)):
            writer = testing.MemoryWriter()
            self.assertEqual(runner.pull(10, writer), more)
            self.assertEqual([each.bytes for each in writer.written], expected)

    def test_source_gives_what_it_had_before_its_error(self):
        @torvyn.source
        def broken():
            yield b"a"
            raise OSError("gone")

        runner = testing.start(broken)
        writer = testing.MemoryWriter()
        self.assertTrue(runner.pull(10, writer))
        self.assertEqual([each.bytes for each in writer.written], [b"a"])
        with self.assertRaisesRegex(torvyn.Internal, "OSError: gone"):
            runner.pull(10, testing.MemoryWriter())

    def test_sink(self):
        taken = []

        @torvyn.sink
        class Collect:
            def push(self, element):
                taken.append(element.bytes)
                return torvyn.PAUSE if element.bytes == b"b" else None

            def complete(self):
                taken.append("complete")

        runner = testing.start(Collect)
        self.assertFalse(runner.push(testing.MemoryBatch("a")))
        self.assertTrue(runner.push(testing.MemoryBatch("bc")))
        runner.complete()
        self.assertEqual(taken, [b"a", b"b", b"c", "complete"])

    def test_aggregator(self):
        @torvyn.aggregator
        class Sum:
            def __init__(self):
                self.total = 0

            def ingest(self, element):
                self.total += int(element.bytes)
                return f"past 10: {self.total}" if self.total > 10 else None

            def flush(self):
                for i in range(3000):
                    yield f"{self.total}.{i}"

        outputs = testing.run(Sum, ["5", "6"])
        self.assertEqual(outputs[:2], [b"past 10: 11", b"11.0"])
        self.assertEqual(len(outputs), 3001)

    def test_whole_runs(self):
        @torvyn.batch_processor
        def stage(run):
            if run.metas[0].sequence > 1:
                run.forward([0])
                raise torvyn.InvalidInput("no more", index=1)
            run.emit(run.bytes.upper())

        self.assertEqual(testing.run(stage, ["ab", "c"]), [b"AB", b"C"])
        batch = testing.MemoryBatch([torvyn.Element("d", sequence=2), torvyn.Element("e")])
        writer = testing.MemoryWriter(batch)
        with self.assertRaises(torvyn.InvalidInput) as raised:
            testing.start(stage).process(batch, writer)
        self.assertEqual((raised.exception.index, [each.bytes for each in writer.written]), (1, [b"d"]))


class Decorators(unittest.TestCase):
    def test_refuse_what_cannot_be_a_stage(self):
        async def waits(element):
            pass

        for decorator, definition, message in (
                (torvyn.processor, type("A", (), {}), "A is a @torvyn.processor, so it needs a method `process`"),
                (torvyn.aggregator, type("B", (), {"ingest": print}), "B is a @torvyn.aggregator, so it needs a method `flush`"),
                (torvyn.aggregator, lambda element: None, "before a class"),
                (torvyn.filter, 5, "before a function or a class"),
                (torvyn.sink, waits, "waits is async")):
            with self.subTest(message), self.assertRaisesRegex(TypeError, message):
                decorator(definition)
        with self.assertRaisesRegex(TypeError, "no @torvyn decorator"):
            testing.run(print)


if __name__ == "__main__":
    unittest.main()
