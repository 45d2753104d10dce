"""What becomes of elements and flows when something goes wrong: errors, traps, lateness, stops."""

import re
import signal
import time

import pytest

from conftest import component, misbehaving, wait_for
from flows import finish, flow, generate, hello, refused, run, stage, start, write

LETTERS = {"letters": stage(misbehaving("log-sink"))}


def around(node: dict, count: int = 100, **more: dict) -> dict:
    """A source, the node, a sink; and what else there is."""
    return {"in": generate(count), "node": node, "out": write("out.log"), **more}


def without(*numbers: int, count: int = 100) -> bytes:
    return hello(n for n in range(count) if n not in numbers)


@pytest.fixture
def out(tmp_path):
    def read(partial: bool = False) -> bytes:
        return (tmp_path / ("out.log.partial" if partial else "out.log")).read_bytes()
    return read


class TestErrors:
    """`on_error`, for a processor that returns an error over element 6."""

    def node(self, times: int | None = None, kind: str = "internal", **keys) -> dict:
        config = {"at": "6", "kind": kind, **({} if times is None else {"times": times})}
        return stage(misbehaving("fail-at"), config, **keys)

    def test_a_retry_succeeds(self, torvyn, out):
        result = run(torvyn, flow(around(self.node(times=3, on_error="retry")))).ends(0, delivered=100)
        assert out() == without()
        assert result.stages["node"]["errors"] == 3
        assert result.stages["node"]["elements_in"] == 103

    def test_retries_wait_twice_as_long_each_time(self, torvyn):
        result = run(torvyn, flow(around(self.node(times=3, on_error="retry", retry_backoff="100ms")))).ends(0, delivered=100)
        assert result.flow["duration_ns"] >= (100 + 200 + 400) * 1_000_000

    def test_others_go_on_while_one_waits(self, torvyn, out):
        """The branch beside the node has its whole input before the retries are over; the node's own order is kept."""
        nodes = around(self.node(times=1, on_error="retry", retry_backoff="1h"), copy=stage("stdout"))
        process = start(torvyn, flow(nodes, ("in -> node -> out", {"queue_depth": 200}), "in -> copy"), arguments=["--limit", "100"])
        copied = b""
        while len(copied) < len(without()) and (piece := process.stdout.read(1000)):
            copied += piece
        assert copied == without()
        assert out(partial=True) == hello(range(6))
        process.kill()
        torvyn.finish(process)

    @pytest.mark.parametrize("retries", [0, 1, 5])
    def test_retries_are_counted(self, torvyn, retries):
        result = run(torvyn, flow(around(self.node(on_error="retry", retries=retries, retry_backoff="1ms"))))
        assert result.code == 1
        result.fails(1, "error[E0403]", "node node", "element 6", "internal: as it was told")
        assert ("tried 6 times" in result.err) == (retries == 5)
        assert result.stages["node"]["errors"] == retries + 1
        assert result.flow["failed"] == 1

    def test_after_the_last_retry_follows_the_default(self, torvyn, out):
        node = self.node(on_error={"internal": "retry", "default": "skip"}, retries=2, retry_backoff="1ms")
        result = run(torvyn, flow(around(node))).ends(0, delivered=99, skipped=1)
        assert out() == without(6)
        assert result.stages["node"]["errors"] == 3

    def test_after_the_last_retry_follows_the_dead_letter_node(self, torvyn, out):
        node = self.node(on_error="retry", dead_letter="letters", retries=2, retry_backoff="1ms")
        result = run(torvyn, flow(around(node, **LETTERS))).ends(0, delivered=99, dead_lettered=1)
        assert out() == without(6)
        [letter, _] = result.lines_of("letters")
        assert "torvyn-attempt=3;" in letter

    def test_a_table_without_the_case_has_its_default(self, torvyn, out):
        result = run(torvyn, flow(around(self.node(on_error={"invalid-input": "skip"}))))
        result.fails(1, "error[E0403]", "internal")
        assert result.flow["failed"] == 1
        run(torvyn, flow(around(self.node(on_error={"invalid-input": "fail", "default": "skip"})))).ends(0, delivered=99, skipped=1)
        assert out() == without(6)

    def test_invalid_input_is_not_retried_by_a_word_for_all(self, torvyn):
        node = self.node(kind="invalid-input", on_error="retry", retry_backoff="1h")
        result = run(torvyn, flow(around(node)))
        result.fails(1, "error[E0403]", "invalid-input")
        assert result.stages["node"]["errors"] == 1

    def test_unavailable_is_retried_where_nothing_is_said(self, torvyn, out):
        run(torvyn, flow(around(self.node(times=2, kind="unavailable")))).ends(0, delivered=100)
        assert out() == without()

    @pytest.mark.parametrize("action", ["skip", "retry", "dead-letter"])
    def test_fatal_always_ends_the_flow(self, torvyn, action):
        node = self.node(kind="fatal", on_error=action, dead_letter="letters")
        result = run(torvyn, flow(around(node, **LETTERS)))
        result.fails(1, "error[E0410]", "element 6")
        assert result.stages["node"]["errors"] == 1
        assert result.lines_of("letters") == []

    def test_a_dead_letter_says_why(self, torvyn, out):
        node = self.node(on_error="dead-letter", dead_letter="letters")
        result = run(torvyn, flow(around(node, **LETTERS))).ends(0, delivered=99, dead_lettered=1)
        assert out() == without(6)
        assert result.lines_of("letters") == [
            '6 `text/plain; torvyn-error=internal; torvyn-node=node; torvyn-attempt=1; torvyn-message="as it was told"` `hello 6`',
            "complete"]

    def test_dead_letters_go_through_processors_too(self, torvyn, out):
        nodes = around(self.node(kind="invalid-input", on_error="dead-letter", dead_letter="louder"),
                       louder=stage(component("rust/upper")), letters=write("letters.log"))
        run(torvyn, flow(nodes, "in -> node -> out", "louder -> letters")).ends(0, delivered=99, dead_lettered=1)
        assert out() == without(6)
        assert (torvyn.cwd / "letters.log").read_bytes() == b"HELLO 6\n"

    def test_dead_letters_of_several_nodes_meet(self, torvyn, out):
        nodes = {"in": generate(100), "first": self.node(on_error="dead-letter", dead_letter="letters"),
                 "second": stage(misbehaving("fail-at"), {"at": "60"}, on_error="dead-letter", dead_letter="letters"),
                 "out": write("out.log"), **LETTERS}
        result = run(torvyn, flow(nodes)).ends(0, delivered=98, dead_lettered=2)
        assert out() == without(6, 60)
        assert re.findall(r"torvyn-node=(\w+)", result.err) == ["first", "second"]

    def test_dead_letters_fail_like_others(self, torvyn):
        """Where the dead-letter node itself reports an error, its own policy holds."""
        bad = stage(misbehaving("fail-sink"), {"at": "push"})
        node = self.node(on_error="dead-letter", dead_letter="letters")
        run(torvyn, flow(around(node, letters=bad))).fails(1, "error[E0403]", "node letters", "element 6")
        bad = stage(misbehaving("fail-sink"), {"at": "push"}, on_error="skip")
        run(torvyn, flow(around(node, letters=bad))).ends(0, delivered=99, dead_lettered=1)

    def test_both_count_toward_max_errors(self, torvyn):
        hits = stage(misbehaving("fail-at"), {"at": "60"}, on_error="skip")
        nodes = {"in": generate(100), "first": self.node(on_error="dead-letter", dead_letter="letters"), "second": hits,
                 "out": stage("null"), **LETTERS}
        run(torvyn, flow(nodes), "--max-errors", "2").ends(0, delivered=98, dead_lettered=1, skipped=1)
        run(torvyn, flow(nodes), "--max-errors", "1").fails(1, "node second", "element 60", "--max-errors 1 was reached")


class TestSources:
    def node(self, script: str, **keys) -> dict:
        return {"in": stage(misbehaving("script-source"), {"script": script}, **keys), "out": write("out.log")}

    def test_unavailable_means_ask_again(self, torvyn, out):
        result = run(torvyn, flow(self.node("uuuueuuuueuu"))).ends(0, delivered=2)
        assert out() == b"49"
        assert result.stages["in"]["errors"] == 0

    def test_errors_of_pulls_are_skipped_and_counted(self, torvyn, out):
        result = run(torvyn, flow(self.node("eieie", on_error="skip"))).ends(0, delivered=3)
        assert out() == b"024"
        assert result.stages["in"]["errors"] == 2
        run(torvyn, flow(self.node("eieie", on_error="skip")), "--max-errors", "1").fails(1, "--max-errors 1 was reached")

    def test_a_trap_ends_the_flow(self, torvyn, out):
        result = run(torvyn, flow(self.node("eet")))
        result.fails(1, "error[E0420]", "node in", "script_source.c")
        result.ends(1, delivered=2)
        assert out(partial=True) == b"01"

    def test_a_fresh_instance_pulls_on(self, torvyn, out):
        result = run(torvyn, flow(self.node("eet", on_trap="restart", restarts=3)))
        result.fails(1, "error[E0421]", "node in", "restarted 3 times", "restarts", "restart_window")
        result.ends(1, delivered=8)
        assert out(partial=True) == b"01" * 4
        assert result.stages["in"]["restarts"] == 3

    def test_it_has_no_element_to_send_away(self, torvyn):
        refused(torvyn, flow({**self.node("e", on_error="dead-letter", dead_letter="letters"), **LETTERS}), "E0203", "`in` is a source")

    def test_acknowledgements_cover_whatever_became_of_the_elements(self, torvyn, out):
        nodes = {"in": stage(misbehaving("acking-source"), {"count": 100}), "out": write("out.log"), **LETTERS,
                 "trap": stage(misbehaving("trap"), {"at": "6"}, on_trap="restart", on_error="skip"),
                 "fail": stage(misbehaving("fail-at"), {"at": "60"}, on_error="dead-letter", dead_letter="letters")}
        result = run(torvyn, flow(nodes, "in -> trap -> fail -> out")).ends(0, delivered=98, skipped=1, dead_lettered=1)
        acked = [int(line.removeprefix("acked ")) for line in result.lines_of("in")]
        assert acked == sorted(acked) and acked[-1] == 100


class TestTraps:
    """`on_trap`, for a processor that traps over element 6."""

    def node(self, name: str = "trap", **keys) -> dict:
        return stage(misbehaving(name), {"at": "6"}, **keys)

    def test_the_flow_fails(self, torvyn, out):
        result = run(torvyn, flow(around(self.node())))
        result.fails(1, "error[E0420]", "node node", "element 6", "then   flow failed")
        assert out(partial=True) == hello(range(6))
        assert result.flow["failed"] == 1

    def test_a_restart_offers_it_once_more_and_then_on_error_decides(self, torvyn, out):
        result = run(torvyn, flow(around(self.node(on_trap="restart", on_error="skip")))).ends(0, delivered=99, skipped=1)
        assert out() == without(6)
        assert result.stages["node"]["restarts"] == result.stages["node"]["errors"] == 2
        assert result.flow["skipped_errors"][0]["code"] == "E0420"

    def test_a_poison_element_can_be_sent_away(self, torvyn, out):
        node = self.node(on_trap="restart", on_error={"internal": "dead-letter"}, dead_letter="letters")
        result = run(torvyn, flow(around(node, **LETTERS))).ends(0, delivered=99, dead_lettered=1)
        assert out() == without(6)
        [letter, end] = result.lines_of("letters")
        assert letter.startswith("6 `text/plain; torvyn-error=internal; torvyn-node=node; ") and letter.endswith(" `hello 6`")
        assert end == "complete"

    def test_a_poison_element_ends_the_flow_where_nothing_is_said(self, torvyn, out):
        result = run(torvyn, flow(around(self.node(on_trap="restart"))))
        result.fails(1, "error[E0420]", "node node", "element 6")
        assert out(partial=True) == hello(range(6))
        assert result.stages["node"]["errors"] == 2

    def test_the_limit_of_restarts(self, torvyn, out):
        result = run(torvyn, flow(around(self.node(on_trap="restart", on_error="skip", restarts=1))))
        result.fails(1, "error[E0421]", "node node", "restarted 1 time", "guest  give_up", "`restarts`")
        assert out(partial=True) == hello(range(6))
        assert result.stages["node"]["restarts"] == 1

    def test_restarts_before_the_window_do_not_count(self, torvyn):
        node = stage(misbehaving("trap"), {"at": "6"}, on_trap="restart", on_error={"internal": "retry", "default": "skip"}, retries=2,
                     retry_backoff="300ms", restarts=2, restart_window="200ms")
        result = run(torvyn, flow(around(node))).ends(0, delivered=99, skipped=1)
        assert result.stages["node"]["restarts"] == 4

    @pytest.mark.parametrize("name, code", [("assertion", "E0420"), ("overflow", "E0420"), ("forge", "E0303"), ("double-return", "E0303"),
                                            ("keeps-borrow", "E0304")])
    def test_whatever_ended_the_instance(self, torvyn, out, name, code):
        result = run(torvyn, flow(around(self.node(name, on_trap="restart", on_error="skip"))))
        result.ends(0, delivered=99, skipped=1)
        assert out() == without(6)
        assert result.flow["skipped_errors"][0]["code"] == code
        assert result.stages["node"]["restarts"] == 2

    def test_a_run_that_ended_a_batch_component_is_offered_one_by_one(self, torvyn, out):
        """It breaks a rule with every run of several elements, and none with a single one: it writes a zero."""
        node = stage(misbehaving("batch-misuse"), {"how": "origins-none"}, on_trap="restart")
        result = run(torvyn, flow(around(node, count=10))).ends(0, delivered=10)
        assert out() == bytes(10)
        assert result.stages["node"]["restarts"] == 1

    def test_each_element_of_such_a_run_is_dealt_with_by_itself(self, torvyn):
        node = stage(misbehaving("batch-misuse"), {"how": "trap"}, on_trap="restart", on_error="skip", restarts=100)
        result = run(torvyn, flow(around(node, count=10))).ends(0, skipped=10)
        assert result.stages["node"]["restarts"] == 1 + 10

    def test_what_a_sink_had_in_hand_is_never_offered_again(self, torvyn):
        nodes = {"in": generate(100), "out": stage(misbehaving("log-sink"), {"trap": 6}, on_trap="restart")}
        result = run(torvyn, flow(nodes)).ends(0, delivered=99, failed=1)
        assert [line.split()[0] for line in result.lines_of("out")] == [*(str(n) for n in range(100) if n != 6), "complete"]
        assert result.stages["out"]["restarts"] == 1

    def test_what_an_aggregator_held_is_lost_and_said(self, torvyn, out):
        nodes = around(stage(misbehaving("tally"), {"trap": 2}, on_trap="restart"), count=10)
        result = run(torvyn, flow(nodes)).ends(0, absorbed=9, failed=1)
        # Elements 0 and 1 are in no output; the fresh instance counts from 3 on.
        assert out() == b"".join(b"%d elements\n" % n for n in (3, 6, 7)) + b"%d bytes\n" % len(hello(range(3, 10)))
        assert result.stages["node"]["state_lost"] == 2
        assert result.flow["created"] == 4


class TestDeadlines:
    """Each element takes 20 ms, and 64 of them come at once."""

    slow = stage(misbehaving("../hostile/slow"), {"us": 20_000})

    def test_components_see_the_time_that_remains(self, torvyn, out):
        nodes = around(stage(misbehaving("buffer-forms"), {"how": "tell"}), count=1)
        run(torvyn, flow(nodes, deadline="1h")).ends(0, delivered=1)
        left_ns = int(re.search(rb"deadline (\d+)", out())[1])
        assert 3500e9 < left_ns < 3600e9
        run(torvyn, flow(nodes)).ends(0, delivered=1)
        assert b"deadline 0," in out()

    def test_late_elements_fail_the_flow(self, torvyn):
        result = run(torvyn, flow({"in": generate(64), "slow": self.slow, "out": stage(misbehaving("log-sink"))}, deadline="300ms"))
        result.fails(1, "error[E0400]", "deadline-exceeded", "after its deadline", "`deadline`")
        assert result.flow["failed"] == 1 and result.flow["cancelled"] > 0

    def test_late_elements_are_skipped(self, torvyn, out):
        late = {"deadline-exceeded": "skip"}
        nodes = {"in": generate(64), "first": {**self.slow, "on_error": late}, "second": {**self.slow, "on_error": late},
                 "out": {**write("out.log"), "on_error": late}}
        result = run(torvyn, flow(nodes, deadline="300ms"))
        assert result.code == 0, result.err
        assert result.flow["skipped"] > 0
        assert out().count(b"\n") == result.flow["delivered"] == 64 - result.flow["skipped"]

    def test_late_elements_are_sent_away_and_then_in_no_hurry(self, torvyn):
        policy = {"on_error": {"deadline-exceeded": "dead-letter"}, "dead_letter": "more"}
        nodes = {"in": generate(40), "slow": {**self.slow, **policy}, "out": {**write("out.log"), **policy}, "more": self.slow, **LETTERS}
        result = run(torvyn, flow(nodes, "in -> slow -> out", "more -> letters", deadline="300ms"))
        assert result.code == 0, result.err
        assert result.flow["dead_lettered"] == len(result.lines_of("letters")) - 1 > 0
        assert "torvyn-error=deadline-exceeded; torvyn-node=" in result.err


class TestFlowRestarts:
    def test_a_failed_flow_starts_again(self, torvyn, out):
        """Its input goes on where it was: the element that ended the first run is not there any more."""
        nodes = {"in": stage("stdin"), "node": stage(misbehaving("trap"), {"at": "2"}), "out": stage("stdout")}
        process = start(torvyn, flow(nodes, restart="on-failure", restart_backoff="50ms"))
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            assert process.stdout.readline() == line
        process.stdin.write(b"poison\n")
        time.sleep(1)
        process.stdin.write(b"three\n")
        assert process.stdout.readline() == b"three\n"
        [result] = finish(torvyn, process, b"")
        result.ends(0, delivered=3, failed=1)
        assert result.flow["state"] == "completed"
        assert result.flow["restarts"] == 1

    def test_as_often_as_it_may(self, torvyn, out):
        nodes = around(stage(misbehaving("trap"), {"at": "6"}), count=10)
        result = run(torvyn, flow(nodes, restart="on-failure", restart_backoff="50ms", restart_max=2))
        result.fails(1, "error[E0420]", "element 6")
        result.ends(1, delivered=18, failed=3, cancelled=9)
        assert result.flow["restarts"] == 2
        assert result.flow["duration_ns"] > 0
        assert out(partial=True) == hello(range(6))

    def test_stopping_ends_the_wait_for_the_next(self, torvyn):
        nodes = around(stage(misbehaving("trap"), {"at": "6"}), count=10)
        process = start(torvyn, flow(nodes, restart="on-failure", restart_backoff="1m"))
        wait_for((torvyn.cwd / "out.log.partial").exists)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        [result] = finish(torvyn, process)
        assert result.flow["restarts"] == 0


class TestStops:
    """A first signal ends a flow in good order, a second one at once."""

    def begin(self, torvyn, node: dict, text: str = "hello {n}\n"):
        """Runs it until the sink's file is there: every stage has begun."""
        nodes = {"in": stage("generate", {"text": text}), "node": node, "out": write("out.log")}
        process = start(torvyn, flow(nodes))
        wait_for((torvyn.cwd / "out.log.partial").exists)
        time.sleep(0.5)
        return process

    def test_while_a_sink_pauses(self, torvyn):
        nodes = {"in": stage("generate"), "out": stage(misbehaving("log-sink"), {"pause": 1})}
        process = start(torvyn, flow(nodes))
        assert process.stderr.readline()
        process.send_signal(signal.SIGINT)
        [result] = finish(torvyn, process)
        assert result.code == 130
        assert result.flow["state"] == "interrupted"
        # All that was pulled goes out, without its pauses, and the sink completes.
        assert result.flow["delivered"] == result.flow["pulled"]
        assert result.lines_of("out")[-1] == "complete"

    def test_while_a_source_has_nothing(self, torvyn, tmp_path):
        nodes = {"in": stage(misbehaving("script-source"), {"script": "e" + "u" * 1_000_000}), "count": stage(component("word-count")),
                 "out": write("out.log")}
        process = start(torvyn, flow(nodes))
        wait_for((tmp_path / "out.log.partial").exists)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        [result] = finish(torvyn, process)
        result.ends(130, absorbed=1)
        assert (tmp_path / "out.log").read_bytes() == b"1 0\n"

    def test_while_a_guest_computes(self, torvyn):
        """The element in flight is given the time that its call has."""
        process = self.begin(torvyn, stage(misbehaving("spin"), {"at": "0"}, timeout="2s", on_trap="restart", on_error="skip"))
        process.send_signal(signal.SIGINT)
        [result] = finish(torvyn, process)
        assert result.code == 130
        assert result.flow["state"] == "interrupted"
        assert result.flow["skipped"] == 1
        assert result.flow["delivered"] == result.flow["pulled"] - 1 == (torvyn.cwd / "out.log").read_bytes().count(b"\n")

    @pytest.mark.parametrize("name, how", [("wasi-wait", "poll"), ("wasi-wait", "block"), ("wasi-odd", "sleep-long")])
    def test_a_second_time_while_a_guest_waits(self, torvyn, name, how):
        process = self.begin(torvyn, stage(misbehaving(name), {"how": how}), text="wait")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None, "the first signal lets the element in flight finish"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        process.stdin.close()

    def test_every_branch_ends_in_good_order(self, torvyn, tmp_path):
        # The same words all the time: `word-count` keeps each.
        nodes = {"a": stage("generate", {"text": "some words\n"}), "b": stage("generate", {"text": "other {n}\n", "rate": 100}),
                 "node": stage(component("upper")), "count": stage(component("word-count")), "out": write("out.log"), "counts": write("counts.log"), "copy": write("copy.log")}
        process = start(torvyn, flow(nodes, "a -> node -> out", "b -> node", "b -> copy", "node -> count -> counts"))
        wait_for((tmp_path / "copy.log.partial").exists)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        [result] = finish(torvyn, process)
        assert result.code == 143
        assert result.flow["delivered"] == result.flow["pulled"] == (tmp_path / "out.log").read_bytes().count(b"\n")
        counted = dict(reversed(line.split()) for line in (tmp_path / "counts.log").read_text().splitlines())
        assert int(counted["OTHER"]) == (tmp_path / "copy.log").read_bytes().count(b"\n") > 0
