"""Flows that are no chains: what forks and joins, streams that fill up, instances side by side."""

import os
import shutil

import pytest

from conftest import COMPONENTS, ROOT, component, coreutils, misbehaving
from flows import flow, generate, hello, read, refused, run, stage, start, write
from logs import access_log, server_log


def is_interleaving(joined: list[bytes], *inputs: list[bytes]) -> bool:
    """All lines are there, those of one input in their order. The inputs have no line in common."""
    origin = {line: index for index, lines in enumerate(inputs) for line in lines}
    assert len(origin) == sum(map(len, inputs)), "the test's own inputs"
    found = [[] for _ in inputs]
    for line in joined:
        found[origin[line]].append(line)
    return found == list(inputs)


class TestShapes:
    def test_fan_out_gives_every_element_to_each_and_copies_none(self, torvyn, log, tmp_path):
        result = run(torvyn, flow({"log": read(log), "a": write("a.out"), "b": write("b.out")}, "log -> a", "log -> b"))
        assert result.code == 0, result.err
        assert (tmp_path / "a.out").read_bytes() == (tmp_path / "b.out").read_bytes() == log.read_bytes()
        assert result.report["copies"] == 0
        assert result.flow["delivered"] == result.flow["pulled"] == result.stages["a"]["elements_in"] == result.stages["b"]["elements_in"]

    @pytest.mark.parametrize("sink, copies", [("count-sink", 1000), ("count-sink-batch", 16), ("rust/count-sink", 1000),
                                              ("rust/count-sink-batch", 16)])
    def test_fan_out_copies_what_each_reads(self, torvyn, sink, copies):
        nodes = {"in": generate(1000), **{name: stage(component(sink)) for name in "abc"}}
        result = run(torvyn, flow(nodes, "in -> a", "in -> b", "in -> c")).ends(0, delivered=1000)
        size = len(hello(range(1000)))
        assert (result.report["copies"], result.report["bytes_copied"]) == (3 * copies, 3 * size)
        for name in "abc":
            assert result.lines_of(name) == [f"1000 elements, {size} bytes"]

    def test_fan_out_behind_a_processor_copies_its_output_once(self, torvyn, tmp_path):
        nodes = {"in": generate(1000), "upper": stage(component("rust/upper")), "a": write("a.out"), "b": write("b.out")}
        result = run(torvyn, flow(nodes, "in -> upper -> a", "upper -> b")).ends(0, delivered=1000)
        assert (tmp_path / "a.out").read_bytes() == (tmp_path / "b.out").read_bytes() == hello(range(1000)).upper()
        assert result.report["copies"] == 2000

    def test_fan_in_has_all_lines_and_keeps_each_inputs_order(self, torvyn, tmp_path):
        lines = {"access": access_log(), "server": server_log()}
        first = [b"%d %s" % (n, line) for n, line in enumerate(lines["access"].splitlines(keepends=True))]
        second = lines["server"].splitlines(keepends=True)
        (tmp_path / "first.log").write_bytes(b"".join(first))
        (tmp_path / "second.log").write_bytes(b"".join(second))
        nodes = {"first": read("first.log"), "second": read("second.log"), "out": write("out.log")}
        run(torvyn, flow(nodes, "first -> out", "second -> out")).ends(0, delivered=len(first) + len(second))
        joined = (tmp_path / "out.log").read_bytes().splitlines(keepends=True)
        assert is_interleaving(joined, first, second)
        # The smaller input is not kept waiting for the end of the larger one.
        assert {first[0], second[0]} <= set(joined[:1000])

    @pytest.mark.parametrize("router", ["route", "route-batch"])
    def test_a_router_sends_by_the_names_of_its_edges(self, torvyn, tmp_path, router):
        nodes = {"in": generate(100), "route": stage(misbehaving(router), {"ports": "left,right"}),
                 "left": write("left"), "right": write("right"), "other": write("other")}
        result = run(torvyn, flow(nodes, "in -> route", "route.left -> left", "route.right -> right", "route.other -> other"))
        result.ends(0, delivered=100)
        assert (tmp_path / "left").read_bytes() == (tmp_path / "right").read_bytes() == hello(range(100))
        assert (tmp_path / "other").read_bytes() == b""
        assert [result.streams["route." + name, name]["transferred"] for name in ("left", "right", "other")] == [100, 100, 0]
        assert result.report["copies"] == 0

    def test_what_a_router_sends_nowhere_is_filtered(self, torvyn):
        nodes = {"in": generate(100), "route": stage(misbehaving("route"), {"ports": ""}), "out": stage("null")}
        run(torvyn, flow(nodes, "in -> route -> out")).ends(0, filtered=100)

    def test_an_edge_without_a_port_leaves_a_router_by_output(self, torvyn):
        nodes = {"in": generate(100), "route": stage(misbehaving("route"), {"ports": "output"}), "out": stage("null")}
        run(torvyn, flow(nodes, "in -> route -> out")).ends(0, delivered=100)

    def test_several_edges_may_leave_by_one_port(self, torvyn, tmp_path):
        nodes = {"in": generate(100), "route": stage(misbehaving("route"), {"ports": "hot"}), "a": write("a"), "b": write("b")}
        run(torvyn, flow(nodes, "in -> route", "route.hot -> a", "route.hot -> b")).ends(0, delivered=100)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == hello(range(100))

    def test_a_diamond_delivers_both_ways_and_counts_once(self, torvyn, tmp_path):
        (tmp_path / "in.log").write_bytes(access_log())
        lines = access_log().splitlines(keepends=True)
        loud = [line.upper() for line in lines]
        nodes = {"in": read("in.log"), "upper": stage(component("upper-batch")), "out": write("out.log"),
                 "errors": stage(component("rust/grep"), {"pattern": '" 500 '})}
        result = run(torvyn, flow(nodes, "in -> upper -> out", "in -> errors -> out")).ends(0, delivered=len(lines))
        joined = (tmp_path / "out.log").read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if b'" 500 ' in line]
        # Rotation marks are the same in upper case, but no line that is kept is.
        assert [line for line in joined if line in set(kept)] == kept
        assert [line for line in joined if line not in set(kept)] == loud
        assert result.stages["out"]["elements_in"] == len(lines) + len(kept)

    def test_the_heaviest_fate_of_its_ways_counts(self, torvyn):
        nodes = {"in": generate(100), "sevens": stage(component("grep"), {"pattern": "7"}), "out": stage("null"),
                 "picky": stage(misbehaving("fail-at"), {"at": "17"}, on_error="skip"), "count": stage(component("word-count")),
                 "counted": stage("null")}
        everything = flow(nodes, "in -> sevens -> out", "in -> picky -> out", "in -> count -> counted")
        result = run(torvyn, everything).ends(0, delivered=99, skipped=1)
        assert result.flow["created"] == 101, "as many words"
        del nodes["picky"]
        run(torvyn, flow(nodes, "in -> sevens -> out", "in -> count -> counted")).ends(0, delivered=19, absorbed=81)

    def test_an_aggregator_is_flushed_once_when_all_its_inputs_have_ended(self, torvyn, tmp_path):
        nodes = {"few": generate(10, text="few\n"), "many": generate(1000, text="many\n"), "count": stage(component("rust/word-count")),
                 "out": write("out.log")}
        result = run(torvyn, flow(nodes, "few -> count", "many -> count -> out")).ends(0, absorbed=1010)
        assert (tmp_path / "out.log").read_bytes() == b"1000 many\n10 few\n"
        assert result.flow["created"] == result.stages["out"]["elements_in"] == 2

    def test_several_flows_in_one_have_their_own_ends(self, torvyn, tmp_path):
        nodes = {"a": generate(10), "a-out": write("a.out"), "b": stage(component("hello-source"), {"count": "20"}),
                 "b-upper": stage(component("upper")), "b-out": write("b.out"), "b-copy": write("b.copy")}
        run(torvyn, flow(nodes, "a -> a-out", "b -> b-upper -> b-out", "b -> b-copy")).ends(0, delivered=30)
        assert (tmp_path / "a.out").read_bytes() == hello(range(10))
        assert (tmp_path / "b.copy").read_bytes().upper() == (tmp_path / "b.out").read_bytes()
        assert (tmp_path / "b.copy").read_bytes().count(b"hello") == 20

    def test_ten_stages_in_a_row(self, torvyn, log, tmp_path):
        kinds = ["upper", "upper-batch", "rust/upper", "rust/upper-batch"]
        chain = {f"upper-{index}": stage(component(kinds[index % 4])) for index in range(8)}
        result = run(torvyn, flow({"log": read(log), **chain, "out": write("out.log")}))
        assert result.code == 0, result.err
        assert (tmp_path / "out.log").read_bytes() == coreutils("tr a-z A-Z", log)
        assert [one["node"] for one in result.report["stages"]] == ["log", *chain, "out"]
        assert result.flow["delivered"] == result.flow["pulled"]

    def test_a_limit_counts_what_all_sources_gave(self, torvyn):
        nodes = {"a": stage("generate"), "b": stage("generate"), "out": stage("null")}
        result = run(torvyn, flow(nodes, "a -> out", "b -> out"), "--limit", "1000").ends(0, delivered=1000)
        assert result.flow["state"] == "limited"
        assert result.stages["a"]["elements_out"] + result.stages["b"]["elements_out"] == 1000
        assert min(result.stages[name]["elements_out"] for name in "ab") > 0

    def test_a_reader_that_goes_away_ends_only_its_sink(self, torvyn, tmp_path):
        nodes = {"in": generate(20_000), "out": stage("stdout"), "copy": write("copy.log")}
        process = start(torvyn, flow(nodes, "in -> out", "in -> copy"))
        assert process.stdout.readline() == b"hello 0\n"
        process.stdout.close()
        process.stdin.close()
        assert process.wait(60) == 0
        assert (tmp_path / "copy.log").read_bytes() == hello(range(20_000))


class TestPlacement:
    """Stages that are called beside their flow."""

    def shape(self, placement: str) -> str:
        beside = {"placement": placement}
        nodes = {"in": generate(5000), "upper": stage(component("upper"), **beside), "sevens": stage(component("rust/grep-batch"), {"pattern": "7"}, **beside),
                 "picky": stage(misbehaving("fail-at"), {"at": "777"}, on_error="skip", **beside), "count": stage(component("word-count"), **beside),
                 "out": write("out.log") | beside, "counted": write("counted.log") | beside}
        return flow(nodes, "in -> upper -> sevens -> picky -> out", "in -> count -> counted")

    def test_the_outcome_is_that_of_one_thread(self, torvyn, tmp_path):
        outcomes = []
        for placement in ("flow", "parallel"):
            result = run(torvyn, self.shape(placement))
            assert result.code == 0, result.err
            assert [stage["parallel"] for stage in result.report["stages"]] == [placement == "parallel" and name != "in" for name in result.stages]
            outcomes.append(([(tmp_path / name).read_bytes() for name in ("out.log", "counted.log")],
                             {key: value for key, value in result.flow.items() if key not in ("duration_ns", "cpu_ns", "p50_ns", "p99_ns")},
                             {name: (one["elements_in"], one["elements_out"], one["errors"]) for name, one in result.stages.items()}))
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0][0].count(b"\n") > 1000

    def test_the_summary_says_so(self, torvyn, tmp_path):
        outcome = torvyn("run", f"generate count=100 ! {component('upper')} @placement=parallel ! null")
        assert outcome.code == 0, outcome.err
        assert "direct, parallel" in outcome.err

    def test_a_trap_says_what_it_says_on_one_thread(self, torvyn):
        errors = []
        for placement in ("flow", "parallel"):
            nodes = {"in": generate(100), "trap": stage(misbehaving("trap"), placement=placement), "out": stage("null")}
            result = run(torvyn, flow(nodes, "in -> trap -> out"))
            assert result.code == 1
            errors.append([(error["code"], error["node"], error["message"], error.get("element")) for error in result.report["errors"]])
        assert errors[0] == errors[1] != []

    def test_a_source_cannot_be_placed_beside_its_flow(self, torvyn):
        nodes = {"in": generate(100) | {"placement": "parallel"}, "out": stage("null")}
        refused(torvyn, flow(nodes, "in -> out"), "E0203", "`in` is a source")


class TestRefusals:
    """Nothing runs that does not hang together; the message has the place and the way out."""

    nodes = {"in": generate(1), "a": stage(component("upper")), "b": stage(component("upper")), "out": stage("null")}

    def test_a_cycle_is_shown(self, torvyn):
        refused(torvyn, flow(self.nodes, "in -> a -> b -> a", "b -> out"), "E0203", "cycle", "a → b → a")

    def test_a_cycle_through_dead_letters_is_one_too(self, torvyn):
        nodes = {**self.nodes, "b": stage(component("upper"), on_error="dead-letter", dead_letter="a")}
        refused(torvyn, flow(nodes, "in -> a -> b -> out"), "E0203", "a → b → a", "dead_letter")

    def test_unknown_nodes(self, torvyn):
        refused(torvyn, flow(self.nodes, "in -> a -> b -> uot"), "E0207", "`uot`", "did you mean `out`?")
        nodes = {**self.nodes, "b": stage(component("upper"), on_error="dead-letter", dead_letter="letters")}
        refused(torvyn, flow(nodes, "in -> a -> b -> out"), "E0207", "`letters`")

    def test_ports_that_only_routers_have(self, torvyn):
        refused(torvyn, flow(self.nodes, "in -> a", "a.errors -> b", "b -> out"), "E0204", "`a`", "processor", "`errors`", "`output`")

    def test_a_port_that_no_edge_leaves_by(self, torvyn, tmp_path):
        nodes = {"in": generate(3), "route": stage(misbehaving("route"), {"ports": "left,up"}), "left": write("left"), "right": write("right")}
        result = run(torvyn, flow(nodes, "in -> route", "route.left -> left", "route.right -> right")).ends(1, failed=1, cancelled=2)
        result.fails(1, "error[E0204]", "`up`", "`left`, `right`", "node route")
        assert (tmp_path / "left.partial").read_bytes() == b""

    def test_nodes_that_no_edge_names(self, torvyn):
        refused(torvyn, flow(self.nodes, "in -> a -> out"), "E0203", "no edge", "`b`")

    def test_an_edge_twice(self, torvyn):
        refused(torvyn, flow(self.nodes, "in -> a -> b -> out", "a -> b"), "E0203", "`a`", "`b`", "twice")

    @pytest.mark.parametrize("ways, word", [
        (["a -> b -> out", "in -> out"], "`a` is a processor"),
        (["in -> a -> b", "in -> out"], "`b` is a processor"),
        (["in -> a -> out -> b"], "`out` is a sink"),
        (["in -> a -> in", "a -> b -> out"], "a cycle: in → a → in"),
    ])
    def test_roles_in_the_wrong_place(self, torvyn, ways, word):
        refused(torvyn, flow(self.nodes, *ways), "E0203", word)

    def test_a_source_with_input(self, torvyn):
        nodes = {**self.nodes, "a": stage(component("hello-source"))}
        refused(torvyn, flow(nodes, "in -> a -> b -> out"), "E0203", "`a` is a source")

    def test_dead_letters_without_a_node(self, torvyn):
        refused(torvyn, flow({**self.nodes, "a": stage(component("upper"), on_error="dead-letter")}), "E0203", "`a`", "dead_letter")

    def test_several_instances_of_what_has_state(self, torvyn):
        refused(torvyn, flow({**self.nodes, "a": stage(component("word-count"), instances=2)}), "E0203", "`a`", "instances", "aggregator")

    def test_settings_of_components_for_builtin_stages(self, torvyn):
        refused(torvyn, flow({**self.nodes, "out": stage("null", on_trap="restart")}), "E0203", "on_trap", "built-in")

    def test_settings_of_streams_out_of_range(self, torvyn):
        for key, value in (("queue_depth", 0), ("low_watermark_ratio", 1.5)):
            refused(torvyn, flow(self.nodes, ("in -> a -> b -> out", {key: value})), "E0702", key)
        refused(torvyn, flow(self.nodes, ("in -> a -> b -> out", {"backpressure_policy": "drop-newst"})), "E0702", "drop-newest")


class TestBackpressure:
    """A sink that asks for a pause after each element, and a source that is far faster."""

    count = 300

    def nodes(self, pause: int = 1) -> dict:
        return {"in": generate(self.count), "slow": stage(misbehaving("log-sink"), {"pause": pause})}

    def taken(self, result) -> list[int]:
        lines = result.lines_of("slow")
        assert lines.pop() == "complete"
        return [int(line.split()[0]) for line in lines]

    @pytest.fixture
    def limited(self, torvyn):
        """Runs it with a stream of eight elements, and a policy."""
        def call(policy: str, **keys):
            edge = {"queue_depth": 8, "backpressure_policy": policy, **keys}
            return run(torvyn, flow(self.nodes(pause=20), ("in -> slow", edge)))
        return call

    def test_block_loses_nothing(self, limited):
        result = limited("block").ends(0, delivered=self.count)
        assert self.taken(result) == list(range(self.count))
        stream = result.streams["in", "slow"]
        assert stream["peak_depth"] == 8
        assert (stream["transferred"], stream["dropped"]) == (self.count, 0)
        assert stream["backpressure_events"] > 0 and stream["backpressure_ns"] > 0

    def test_drop_newest_keeps_what_waited(self, limited):
        result = limited("drop-newest")
        taken = self.taken(result)
        result.ends(0, delivered=len(taken), dropped=self.count - len(taken))
        assert taken == sorted(set(taken))
        assert taken[:28] == list(range(28)), "twenty until the pause, and the eight that fit"
        self.check_drops(result)

    def test_drop_oldest_keeps_what_is_new(self, limited):
        result = limited("drop-oldest")
        taken = self.taken(result)
        result.ends(0, delivered=len(taken), dropped=self.count - len(taken))
        assert taken == sorted(set(taken))
        assert taken[-8:] == list(range(self.count - 8, self.count))
        self.check_drops(result)

    def check_drops(self, result) -> None:
        stream = result.streams["in", "slow"]
        assert stream["dropped"] == result.flow["dropped"] > 0
        assert stream["transferred"] == result.stages["slow"]["elements_in"] == result.flow["delivered"]
        assert stream["peak_depth"] == 8

    def test_error_ends_the_flow(self, limited):
        result = limited("error")
        assert result.code == 1
        result.fails(1, "error[E0305]", "the stream to `slow` is full", "queue_depth", "backpressure_policy")
        assert "complete" not in result.lines_of("slow")
        assert result.flow["failed"] == 1 and result.flow["cancelled"] > 0

    def test_bytes_bound_it_too(self, torvyn):
        nodes = {"in": generate(50, size="1KiB"), "slow": stage(misbehaving("log-sink"), {"pause": 1})}
        result = run(torvyn, flow(nodes, ("in -> slow", {"queue_bytes": "4KiB"}))).ends(0, delivered=50)
        assert result.streams["in", "slow"]["peak_depth"] <= 4

    def test_an_element_larger_than_the_bound_passes_alone(self, torvyn):
        nodes = {"in": generate(10, size="64KiB"), "out": stage("null")}
        result = run(torvyn, flow(nodes, ("in -> out", {"queue_bytes": "4KiB"}))).ends(0, delivered=10)
        assert result.streams["in", "out"]["peak_depth"] == 1

    def test_the_default_is_said_once_for_all(self, torvyn):
        head = '\n[runtime.backpressure]\ndefault_queue_depth = 4\nbackpressure_policy = "drop-newest"\n'
        result = run(torvyn, flow(self.nodes(pause=20)), head=head)
        assert result.flow["dropped"] == self.count - result.flow["delivered"] > 0
        result = run(torvyn, flow(self.nodes(pause=20), ("in -> slow", {"backpressure_policy": "block"})), head=head)
        assert result.ends(0, delivered=self.count).streams["in", "slow"]["peak_depth"] == 4

    def test_pressure_travels_up_to_the_source_through_stages(self, torvyn):
        nodes = {"in": stage(misbehaving("script-source"), {"script": "e" * 100}), "upper": stage(component("upper")),
                 "slow": stage(misbehaving("log-sink"), {"pause": 5})}
        result = run(torvyn, flow(nodes, ("in -> upper -> slow", {"queue_depth": 2})))
        # The source ends as soon as it is told to pause: it was, when the sink two stages on had asked for it.
        assert result.code == 0
        assert 5 <= result.flow["delivered"] < 10

    def test_another_branch_goes_on_without_the_slow_one(self, torvyn, tmp_path):
        nodes = {**self.nodes(pause=20), "fast": write("fast.log")}
        ways = [("in -> slow", {"queue_depth": 8, "backpressure_policy": "drop-oldest"}), "in -> fast"]
        result = run(torvyn, flow(nodes, *ways))
        assert (tmp_path / "fast.log").read_bytes() == hello(range(self.count))
        assert result.streams["in", "fast"]["dropped"] == 0
        # Delivered by one branch and dropped by the other is dropped.
        assert result.ends(0, delivered=len(self.taken(result)), dropped=self.count - len(self.taken(result)))

    def test_one_input_that_never_ends_does_not_starve_another(self, torvyn):
        nodes = {"loud": stage("generate"), "soft": stage("generate", {"count": 5, "text": "soft {n}", "rate": 50}),
                 "only-soft": stage(component("grep"), {"pattern": "soft"}), "out": stage(misbehaving("log-sink"))}
        result = run(torvyn, flow(nodes, "loud -> only-soft", "soft -> only-soft -> out"), "--timeout", "2s")
        assert [line.split(" ", 2)[2] for line in result.lines_of("out")[:-1]] == [f"`soft {n}`" for n in range(5)]


class TestInstances:
    """`instances` side by side give what one gives, in the same order."""

    @pytest.mark.parametrize("upper", ["upper", "upper-batch", "rust/upper", "rust/upper-batch"])
    def test_upper_is_tr(self, torvyn, log, tmp_path, upper):
        result = run(torvyn, flow({"log": read(log), "upper": stage(component(upper), instances=4), "out": write("out.log")}))
        assert result.code == 0, result.err
        assert (tmp_path / "out.log").read_bytes() == coreutils("tr a-z A-Z", log)
        assert result.stages["upper"]["instances"] == 4

    def test_on_the_examples(self, torvyn, tmp_path):
        for data in (ROOT / "examples" / "data").glob("*.log"):
            run(torvyn, flow({"log": read(data), "upper": stage(component("upper"), instances=4), "out": write("out.log")}))
            assert (tmp_path / "out.log").read_bytes() == coreutils("tr a-z A-Z", data)

    @pytest.mark.parametrize("grep", ["grep", "rust/grep-batch"])
    def test_grep_is_grep(self, torvyn, lines_log, tmp_path, grep):
        nodes = {"log": read(lines_log), "grep": stage(component(grep), {"pattern": "error"}, instances=4), "out": write("out.log")}
        assert run(torvyn, flow(nodes)).code == 0
        assert (tmp_path / "out.log").read_bytes() == coreutils("grep -aF error", lines_log)

    def test_order_is_kept_through_retries_and_restarts(self, torvyn, tmp_path):
        nodes = {"in": generate(5000), "out": write("out.log"),
                 "odd": stage(misbehaving("trap"), {"at": "1234"}, instances=4, on_trap="restart", on_error="skip"),
                 "odder": stage(misbehaving("fail-at"), {"at": "4321"}, instances=3, on_error={"internal": "retry", "default": "skip"})}
        result = run(torvyn, flow(nodes, "in -> odd -> odder -> out")).ends(0, delivered=4998, skipped=2)
        assert (tmp_path / "out.log").read_bytes() == hello(n for n in range(5000) if n not in (1234, 4321))
        assert result.stages["odd"]["restarts"] == 2
        assert result.stages["odder"]["errors"] == 4

    def test_they_share_the_work(self, torvyn):
        """Eight that sleep at once are done long before one that sleeps eight times."""
        nodes = {"in": generate(40), "slow": stage(misbehaving("wasi-odd"), {"how": "sleep"}, instances=8), "out": stage("null")}
        one = run(torvyn, flow({**nodes, "slow": stage(misbehaving("wasi-odd"), {"how": "sleep"})}), "--limit", "8")
        many = run(torvyn, flow(nodes), "--limit", "8", head="\n[runtime]\nworker_threads = 8\n")
        one.ends(0, filtered=8)
        many.ends(0, filtered=8)
        assert one.flow["duration_ns"] > 8 * 300e6
        assert many.flow["duration_ns"] < one.flow["duration_ns"] / 2


class TestExamples:
    """The projects in examples/ are what their README says, run from a copy of the project."""

    @pytest.fixture
    def examples(self, torvyn, tmp_path):
        shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("target"))
        (tmp_path / "build").mkdir()
        os.symlink(COMPONENTS, tmp_path / "build" / "components")
        os.symlink(ROOT / "components", tmp_path / "components")
        return tmp_path / "examples"

    def test_every_one_is_listed_and_runs(self, torvyn, examples):
        listed = (examples / "README.md").read_text()
        for manifest in examples.glob("*/Torvyn.toml"):
            command = f"build/torvyn run --manifest examples/{manifest.parent.name}/Torvyn.toml"
            assert command in listed
            outcome = torvyn(*command.split()[1:])
            assert outcome.code == 0, outcome.err

    def test_by_status_sorts_every_line(self, torvyn, examples):
        assert torvyn("run", "--manifest", "examples/by-status/Torvyn.toml").code == 0
        target = examples / "by-status" / "target"
        made = {file.stem: file.read_bytes().splitlines(keepends=True) for file in [*target.glob("*.json"), *target.glob("*.log")]}
        assert len(made["failed"]) > 0 and len(made["refused"]) > 0
        assert made["failed"] == [line for line in made["all"] if b'"status":5' in line]
        assert made["refused"] == [line for line in made["all"] if b'"status":4' in line]
        lines = (examples / "data" / "access.log").read_bytes().splitlines(keepends=True)
        assert len(made["all"]) + len(made["rejects"]) == len(lines)
        assert made["rejects"] == [line for line in lines if line.count(b'"') < 6]

    def test_resilient_loses_one_line(self, torvyn, examples):
        outcome = torvyn("run", "--manifest", "examples/resilient/Torvyn.toml", "--format", "json")
        lines = (examples / "data" / "access.log").read_bytes().splitlines(keepends=True)
        poison = b"this line is not an access log line\n"
        assert outcome.out == b"".join(line.split(b" ")[0] + b"\n" for line in lines if line != poison)
        assert (examples / "resilient" / "target" / "rejects.log").read_bytes() == poison
        report = outcome.json("err")
        assert report["flow"]["dead_lettered"] == 1
        client = report["stages"][1]
        assert client["restarts"] == 2 and client["errors"] > client["restarts"]
