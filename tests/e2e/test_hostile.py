"""The host survives what tests/hostile does to it, says what happened, and the flow beside it hears nothing of it."""

import re

import pytest

from conftest import ROOT, TEST_COMPONENTS, component
from flows import Run, finish, flow, generate, hello, run, stage, start, write

COUNT = 200
MASK = 2**64 - 1
SCRIPT_IMPORTS = ROOT / "tests" / "hostile" / "script_imports.h"


def is_hit(sequence: int, n: int = 10, seed: int = 1) -> bool:
    """Does a component that does something to one element in `n` do it to this one? As in hostile.h."""
    x = (seed + (sequence + 1) * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return (x ^ (x >> 31)) % n == 0


HITS = [n for n in range(COUNT) if is_hit(n)]
SPARED = [n for n in range(COUNT) if not is_hit(n)]
assert 10 < len(HITS) < 40


def hostile(name: str, config: dict | None = None, **keys) -> dict:
    return stage(TEST_COMPONENTS.parent / "hostile" / f"{name}.wasm", config, **keys)


def around(node: dict, **more: dict) -> dict:
    return {"in": generate(COUNT), "node": node, "out": write("out.log"), **more}


@pytest.fixture
def run_it(torvyn):
    def call(node: dict, *arguments, **more: dict) -> Run:
        return run(torvyn, flow(around(node, **more)), *arguments)
    return call


@pytest.fixture
def out(torvyn):
    return lambda partial=False: (torvyn.cwd / ("out.log.partial" if partial else "out.log")).read_bytes()


class TestAlone:
    restarted = {"on_trap": "restart", "on_error": "skip", "restarts": 1000}

    @pytest.mark.parametrize("name, keys, code, words", [
        ("spin", {"timeout": "100ms"}, "E0401", ["100 ms"]),
        ("hog", {"max_memory": "16MiB"}, "E0420", ["memory"]),
        ("overflow", {}, "E0420", ["stack"]),
    ])
    def test_what_it_does_at_one_element_costs_that_element(self, run_it, out, name, keys, code, words):
        result = run_it(hostile(name, {"at": 6}, **self.restarted, **keys)).ends(0, delivered=COUNT - 1, skipped=1)
        assert out() == hello(n for n in range(COUNT) if n != 6)
        assert result.stages["node"]["restarts"] == result.stages["node"]["errors"] == 2
        error = result.flow["skipped_errors"][0]
        assert (error["code"], error["node"], error["element"]) == (code, "node", 6)
        assert all(word in str(error) for word in words)

    @pytest.mark.parametrize("name, keys, code", [("spin", {"timeout": "100ms"}, "E0401"), ("hog", {"max_memory": "16MiB"}, "E0420"),
                                                  ("overflow", {}, "E0420")])
    def test_or_the_flow_where_nothing_is_said(self, run_it, out, name, keys, code):
        result = run_it(hostile(name, {"at": 6}, **keys))
        result.fails(1, f"error[{code}]", "node node", "element 6", f"torvyn explain {code}")
        assert result.flow["failed"] == 1
        assert out(partial=True) == hello(range(6))

    def test_leaked_handles_are_warned_of_and_swept(self, run_it, out):
        result = run_it(hostile("leak", {"at": 0})).ends(0, delivered=COUNT)
        assert out() == hello(range(COUNT))
        assert {(warning["code"], warning["node"]) for warning in result.report["warnings"]} == {("W0300", "node")}

    def test_more_handles_than_it_may_hold_end_the_instance(self, torvyn, out):
        """A fresh one holds none, so it can do the element that was one too many."""
        nodes = around(hostile("leak", {"at": 0}, on_trap="restart", restarts=1000))
        result = run(torvyn, flow(nodes), head="\n[runtime]\nmax_handles = 50\n").ends(0, delivered=COUNT)
        assert out() == hello(range(COUNT))
        assert result.stages["node"]["restarts"] == (COUNT - 1) // 49, "the last one is needed for the output"

    def test_a_node_may_hold_less_than_others(self, run_it, out):
        node = hostile("leak", {"at": 0}, on_trap="restart", restarts=1000)
        result = run_it({**node, "max_handles": 50}).ends(0, delivered=COUNT)
        assert out() == hello(range(COUNT))
        assert result.stages["node"]["restarts"] == (COUNT - 1) // 49
        # The smallest buffer there is has 4 KiB.
        run_it({**node, "max_host_buffers": "1KiB"}).fails(1, "error[E0403]", "node node", "no memory for the output")

    def test_random_traps_cost_the_elements_that_are_hit(self, run_it, out):
        result = run_it(hostile("trap-random", **self.restarted)).ends(0, delivered=len(SPARED), skipped=len(HITS))
        assert out() == hello(SPARED)
        # Each of them once in its run, and once more alone.
        assert result.stages["node"]["restarts"] == 2 * len(HITS)

    def test_random_traps_use_up_the_restarts(self, run_it, out):
        result = run_it(hostile("trap-random", on_trap="restart", on_error="skip"))
        result.fails(1, "error[E0421]", f"element {HITS[1]}", "restarted 3 times")
        # The first one takes two restarts, the second one the third.
        assert out(partial=True) == hello(n for n in SPARED if n < HITS[1])

    def test_random_traps_in_several_instances(self, run_it, out):
        result = run_it(hostile("trap-random", instances=4, **self.restarted)).ends(0, delivered=len(SPARED), skipped=len(HITS))
        assert out() == hello(SPARED)
        assert result.stages["node"]["restarts"] == 2 * len(HITS)

    @pytest.mark.parametrize("kind", ["invalid-input", "unavailable", "internal", "deadline-exceeded"])
    def test_random_errors_can_be_sent_away(self, run_it, out, kind):
        node = hostile("error-random", {"kind": kind}, on_error="dead-letter", dead_letter="letters")
        result = run_it(node, letters=write("letters.log")).ends(0, delivered=len(SPARED), dead_lettered=len(HITS))
        assert out() == hello(SPARED)
        assert result.stages["node"]["errors"] == len(HITS)

    def test_random_fatal_errors_end_the_flow(self, run_it, out):
        result = run_it(hostile("error-random", {"kind": "fatal"}, on_error="skip"))
        result.fails(1, "error[E0410]", f"element {HITS[0]}")
        assert out(partial=True) == hello(range(HITS[0]))

    def test_giant_outputs_pass_where_they_fit(self, run_it, out):
        size = 1 << 20
        result = run_it(hostile("giant", {"bytes": size})).ends(0, delivered=COUNT)
        lines = out().replace(b"x" * size, b"giant\n")
        assert lines == b"".join(b"giant\n" if is_hit(n) else b"hello %d\n" % n for n in range(COUNT))
        assert result.stages["node"]["errors"] == 0

    def test_giant_outputs_are_errors_where_they_do_not(self, run_it, out):
        result = run_it(hostile("giant", {"bytes": 17 << 20}, on_error="skip")).ends(0, delivered=len(SPARED), skipped=len(HITS))
        assert out() == hello(SPARED)
        assert "larger than a buffer can be" in result.flow["skipped_errors"][0]["message"]

    def test_giant_outputs_are_bounded_in_streams(self, torvyn, out):
        size = 1 << 20
        nodes = around(hostile("giant", {"n": 1, "bytes": size}))
        result = run(torvyn, flow(nodes, "in -> node", ("node -> out", {"queue_bytes": "4MiB"}))).ends(0, delivered=COUNT)
        assert result.streams["node", "out"]["peak_depth"] <= 4
        assert len(out()) == COUNT * size

    def test_slowness_holds_nothing_up_but_its_own_flow(self, run_it, out):
        result = run_it(hostile("slow", {"us": 2000})).ends(0, delivered=COUNT)
        assert out() == hello(range(COUNT))
        assert result.stages["node"]["time_ns"] >= COUNT * 2_000_000

    def test_ports_that_are_not_there_cost_the_elements_that_name_them(self, run_it, out):
        result = run_it(hostile("route-unknown", **self.restarted)).ends(0, delivered=len(SPARED), skipped=len(HITS))
        assert out() == hello(SPARED), "nothing of that call is sent, not even to the port that is there"
        assert result.flow["skipped_errors"][0]["code"] == "E0204"


def repeated(times: int) -> str:
    """A script (tests/hostile/script_imports.h) for a run: computes for a while, gives back what it was lent, and passes nothing on."""
    imports = re.findall(r'^  X\("(.*?)"', SCRIPT_IMPORTS.read_text(), re.MULTILINE)
    load, repeat = bytes([len(imports)]), bytes([len(imports) + 2])
    nothing = load + bytes([1, 0])
    drops = b"".join(bytes([imports.index(f"[resource-drop]{lent}"), 0, n]) for n, lent in enumerate(("batch", "batch-writer")))
    return (repeat + b"\x02" + times.to_bytes(4, "little") + bytes([1, len(nothing)]) + nothing + drops).hex()


class TestAShareOfTheCpu:
    # A tenth of a millisecond of every 100 ms: less than one of its elements takes.
    busy = {"config": repeated(50_000), "max_cpu": 0.001}

    def test_rests_and_loses_nothing(self, torvyn):
        nodes = {"in": generate(12), "node": {**hostile("script"), **self.busy}, "out": stage("null")}
        ways = [("in -> node", {"queue_depth": 4}), "node -> out"]
        result = run(torvyn, flow(nodes, *ways)).ends(0, filtered=12)
        node = result.stages["node"]
        assert node["elements_in"] == 12 and node["errors"] == node["restarts"] == 0
        assert node["rests"] >= 3, "12 elements, 4 at most in a call, and each call uses its share up"
        assert node["rested_ns"] > 0
        assert result.stages["in"]["rests"] == result.stages["out"]["rests"] == 0

    def test_without_one_nobody_rests(self, torvyn):
        nodes = {"in": generate(12), "node": hostile("script", self.busy["config"]), "out": stage("null")}
        result = run(torvyn, flow(nodes)).ends(0, filtered=12)
        assert {one["rests"] for one in result.stages.values()} == {0}

    def test_is_the_hosts_where_the_node_has_none(self, torvyn):
        nodes = {"in": generate(2), "node": hostile("script", self.busy["config"]), "out": stage("null")}
        result = run(torvyn, flow(nodes), head="\n[runtime]\nmax_cpu = 0.001\n").ends(0, filtered=2)
        assert result.stages["node"]["rests"] >= 1

    def test_is_each_instances_own(self, torvyn):
        nodes = {"in": generate(12), "node": {**hostile("script"), **self.busy, "instances": 3}, "out": stage("null")}
        ways = [("in -> node", {"queue_depth": 4}), "node -> out"]
        result = run(torvyn, flow(nodes, *ways)).ends(0, filtered=12)
        assert result.stages["node"]["rests"] >= 3

    def test_a_flow_that_rests_can_be_ended(self, torvyn):
        nodes = {"in": generate(1000), "node": {**hostile("script"), **self.busy}, "out": stage("null")}
        result = run(torvyn, flow(nodes, ("in -> node", {"queue_depth": 1}), "node -> out"), "--timeout", "1s")
        assert result.code == 0, result.err
        assert result.flow["state"] == "limited"
        assert result.flow["filtered"] == result.flow["pulled"] < 1000


ATTACKS = {
    "spin": ({"at": 6}, {"timeout": "100ms"}),
    "hog": ({"at": 6}, {"max_memory": "32MiB"}),
    "overflow": ({"at": 6}, {}),
    "leak": ({"at": 0}, {}),
    "trap-random": ({"n": 3}, {}),
    "error-random": ({"n": 3}, {}),
    "giant": ({"n": 3, "bytes": 1 << 20}, {}),
    "slow": ({"us": 2000}, {}),
    "route-unknown": ({"n": 3}, {}),
    # What the source gives is no script, and is followed all the same.
    "script": ({}, {}),
}


class TestBesideAHealthyFlow:
    def test_one_that_rests_holds_up_nobody_else(self, torvyn, alone):
        nodes = {"in": generate(6), "node": {**hostile("script"), **TestAShareOfTheCpu.busy}, "out": stage("null")}
        rests = flow(nodes, ("in -> node", {"queue_depth": 1}), "node -> out", name="rests")
        bad, good = finish(torvyn, start(torvyn, rests, self.healthy()))
        assert bad.fates == {"filtered": 6} and bad.stages["node"]["rests"] >= 1
        assert good.fates == alone[0]
        assert [(torvyn.cwd / file).read_bytes() for file in ("healthy.log", "counts.log")] == alone[1]
        assert all(one["rests"] == 0 for one in good.stages.values())

    def healthy(self):
        nodes = {"log": stage("file", {"path": str(ROOT / "examples" / "data" / "access.log")}),
                 "parse": stage(component("access-log"), on_error="skip"), "upper": stage(component("rust/upper")),
                 "more": generate(20_000), "out": write("healthy.log"), "count": stage(component("word-count")),
                 "counts": write("counts.log")}
        return flow(nodes, "log -> parse -> upper -> out", "more -> count -> counts", name="healthy")

    @pytest.fixture
    def alone(self, torvyn):
        result = run(torvyn, self.healthy())
        assert result.code == 0, result.err
        outputs = [(torvyn.cwd / name).read_bytes() for name in ("healthy.log", "counts.log")]
        for name in ("healthy.log", "counts.log"):
            (torvyn.cwd / name).unlink()
        return result.fates, outputs

    @pytest.mark.parametrize("name", ATTACKS)
    @pytest.mark.parametrize("restarts", [0, 1000])
    def test_its_output_is_what_it_is_alone(self, torvyn, alone, name, restarts):
        config, keys = ATTACKS[name]
        survives = {"on_trap": "restart", "restarts": restarts, "on_error": "skip"} if restarts else {}
        attack = flow(around(hostile(name, config, **keys, **survives)), name="hostile")
        bad, good = finish(torvyn, start(torvyn, attack, self.healthy()))
        assert [(torvyn.cwd / file).read_bytes() for file in ("healthy.log", "counts.log")] == alone[1]
        assert good.fates == alone[0]
        assert good.flow["state"] == "completed"
        fails = not restarts and name not in ("leak", "giant", "slow")
        assert bad.flow["state"] == ("failed" if fails else "completed"), bad.err
        assert bad.code == (1 if fails else 0)
        assert bad.flow["pulled"] == sum(bad.fates.values())

    def test_all_of_them_at_once(self, torvyn, alone):
        attacks = []
        for name, (config, keys) in ATTACKS.items():
            nodes = {"in": generate(COUNT), "node": hostile(name, config, on_trap="restart", restarts=1000, on_error="skip", **keys),
                     "out": stage("null")}
            attacks.append(flow(nodes, name=name))
        *bad, good = finish(torvyn, start(torvyn, *attacks, self.healthy()))
        assert [(torvyn.cwd / file).read_bytes() for file in ("healthy.log", "counts.log")] == alone[1]
        assert good.fates == alone[0]
        assert [one.flow["state"] for one in bad] == ["completed"] * len(ATTACKS), good.err
        assert all(one.flow["pulled"] == COUNT for one in bad)
