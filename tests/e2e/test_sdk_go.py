"""Components in Go, made with sdk/go: what they do, what they say when something goes wrong, and that they last."""

import json
import os
import re
import subprocess
import zlib
from pathlib import Path

import pytest

from conftest import BINARY, ROOT
from flows import flow, generate, hello, read, run, stage, write

SOURCES = ROOT / "tests" / "components" / "go"


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    """Builds the component of a folder, once. The environment is the user's, so that compiled packages are found again."""
    folder = tmp_path_factory.mktemp("go")

    def built(name: str):
        component = folder / f"{name}.wasm"
        if not component.exists():
            subprocess.run([BINARY, "build", SOURCES / name, "-o", component, "--work-dir", folder / name], check=True,
                           capture_output=True, text=True)
        return component

    return built


@pytest.fixture(scope="session")
def native(go):
    """Runs a command of Go on this machine: with the Go on the PATH where it is new enough, else the one that `torvyn build` fetched."""
    go("shout")
    fetched = (Path.home() / ".cache" / "torvyn").glob("*/tools/go-*/go/bin")
    path = os.pathsep.join(map(str, [*fetched, os.environ["PATH"]]))

    def run_go(folder: Path, *command: str) -> str:
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True,
                              env={**os.environ, "PATH": path, "GOTOOLCHAIN": "local", "GOPROXY": "off"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_go


class TestNative:
    @pytest.mark.parametrize("folder", [ROOT / "sdk" / "go", SOURCES], ids=["sdk", "components"])
    def test_sources_are_well_formatted_and_sound(self, native, folder):
        assert native(folder, "gofmt", "-l", ".") == ""
        native(folder, "go", "vet", "./...")
        native(folder, "env", "GOOS=wasip1", "GOARCH=wasm", "go", "vet", "./...")

    def test_the_sdk_passes_its_own_tests(self, native):
        assert "ok" in native(ROOT / "sdk" / "go", "go", "test", "./...")


class TestProcessor:
    def test_one_in_one_out(self, torvyn, go):
        outcome = torvyn("run", f"stdin ! {go('shout')} ! stdout", stdin=b"hello\nworld\n")
        assert (outcome.code, outcome.out) == (0, b"HELLO\nWORLD\n"), outcome.err

    @pytest.mark.parametrize("times, copies", [(0, b""), (1, b"> HI\n"), (3, b"> HI\n" * 3), (3000, b"> HI\n" * 3000)])
    def test_none_or_several_out(self, torvyn, go, times, copies):
        result = run(torvyn, flow({"in": stage("stdin"), "node": stage(go("shout"), {"prefix": "> ", "times": times}), "out": stage("stdout")}),
                     stdin=b"hi\n" * 100)
        assert result.out == copies * 100
        result.ends(0, **({"delivered": 100} if times else {"filtered": 100}))

    def test_a_run_is_two_copies(self, torvyn, go):
        report = torvyn.report(f"generate count=64000 ! {go('shout')} ! null")
        kinds = report["stages"][1]["copies_by_kind"]
        assert kinds["guest_read"]["copies"] == kinds["guest_write"]["copies"] == 64000 // 64

    def test_whole_runs(self, torvyn, go):
        outcome = torvyn("run", f"stdin ! {go('whole')} @on_error=skip ! stdout", stdin=b"a\nb\nbad\nc\n")
        assert outcome.code == 0, outcome.err
        places = [re.fullmatch(r"(\d+) of (\d+): (\w)", line).groups() for line in outcome.out.decode().splitlines()]
        assert [place[2] for place in places] == ["a", "b", "c"]
        assert all(int(index) < int(count) for index, count, _ in places)

    def test_what_stands_beside_an_element(self, torvyn, go):
        outcome = torvyn("run", f"generate count=4 ! {go('beside')} ! {go('beside')} ! stdout", "--log-level", "debug")
        assert outcome.code == 0, outcome.err
        lines = outcome.out.decode().splitlines()
        # The second one sees the types that the first one gave: an input's own, and one that was set.
        assert [line.split(" ")[0] for line in lines] == ["0", "1", "2", "3"]
        types = [line.split(" ")[2] for line in lines]
        assert types[1::2] == ['"text/odd"'] * 2 and '"text/odd"' not in types[0::2]
        for line in lines:
            assert line.endswith(" false true main 32 16 true"), line
        assert "[beside] element 3" in outcome.err


class TestSettings:
    def test_main_setting_and_defaults(self, torvyn, go):
        assert torvyn("run", f"stdin ! {go('shout')} '# ' ! stdout", stdin=b"a\n").out == b"# A\n"
        assert torvyn("run", f"stdin ! {go('shout')} times=2 ! stdout", stdin=b"a\n").out == b"A\nA\n"

    @pytest.mark.parametrize("settings, words", [
        ("tims=2", "there is no setting `tims`; the settings are `prefix`, `times`"),
        ("times=two", '`times` is "two", not a whole number'),
    ])
    def test_settings_that_do_not_fit_are_named(self, torvyn, go, settings, words):
        torvyn("run", f"generate count=1 ! {go('shout')} {settings} ! null").fails(1, words)

    def test_an_error_at_the_start(self, torvyn, go):
        torvyn("run", f"generate count=1 ! {go('fails')} start ! null").fails(1, "no start")


class TestOtherStages:
    def test_filter_copies_what_it_reads_and_no_more(self, torvyn, go):
        report = torvyn.report(f"generate count=1000 ! {go('grep')} pattern=7 ! null")
        kept = sum("7" in str(n) for n in range(1000))
        assert (report["flow"]["delivered"], report["flow"]["filtered"]) == (kept, 1000 - kept)
        assert set(report["stages"][1]["copies_by_kind"]) == {"guest_read"} or report["stages"][1]["copies_by_kind"]["guest_write"]["copies"] == 0

    def test_router_sends_to_ports(self, torvyn, go, tmp_path):
        (tmp_path / "in").write_bytes(b"left\nright\nleft right\n\nright right\n")
        nodes = {"in": read(tmp_path / "in"), "node": stage(go("route")), "l": write("l"), "r": write("r")}
        run(torvyn, flow(nodes, "in -> node", "node.left -> l", "node.right -> r")).ends(0, delivered=4, filtered=1)
        assert (tmp_path / "l").read_bytes() == b"left\nleft right\n"
        assert (tmp_path / "r").read_bytes() == b"right\nleft right\nright right\n"

    def test_a_port_that_is_none_of_the_flows(self, torvyn, go, tmp_path):
        (tmp_path / "in").write_bytes(b"nowhere\n")
        nodes = {"in": read(tmp_path / "in"), "node": stage(go("route")), "l": write("l")}
        run(torvyn, flow(nodes, "in -> node", "node.left -> l")).fails(1, "E0204", "nowhere")

    @pytest.mark.parametrize("count, burst", [(10, 1), (1000, 1), (1000, 7), (1000, 500), (0, 1)])
    def test_source_ends(self, torvyn, go, count, burst):
        outcome = torvyn("run", f"{go('count-source')} count={count} burst={burst} ! stdout")
        assert (outcome.code, outcome.out) == (0, hello(range(count))), outcome.err
        assert f"[count-source] {count} given, {count} acknowledged" in outcome.err

    def test_source_stops_at_a_limit(self, torvyn, go):
        assert torvyn("run", f"{go('count-source')} count=1000 ! stdout", "--limit", "100").out == hello(range(100))

    def test_aggregator_gives_in_between_and_at_the_end(self, torvyn, go):
        outcome = torvyn("run", f"stdin ! {go('word-count')} ! stdout", stdin=b"b a\na\nso-far?\nc a\n")
        assert (outcome.code, outcome.out) == (0, b"so far 2 words\n3 a\n1 b\n1 c\n"), outcome.err

    def test_sink_completes(self, torvyn, go):
        outcome = torvyn("run", f"generate count=12 ! {go('log-sink')}")
        outcome.fails(0, *(f'[log-sink] {n}: "hello {n}\\n"' for n in range(12)), "[log-sink] complete: 12 elements, 98 bytes", "[log-sink] stopped")

    def test_sink_does_not_complete_after_a_failure(self, torvyn, go):
        outcome = torvyn("run", f"generate count=12 ! {go('fails')} internal at=6 ! {go('log-sink')}")
        outcome.fails(1, "said so", "stopped")
        assert "complete:" not in outcome.err


class TestErrors:
    @pytest.mark.parametrize("how, kind, text", [
        ("invalid-input", "invalid-input", "said so: the cause"),
        ("internal", "internal", "said so"),
        ("plain", "internal", "said so"),
        ("deadline-exceeded", "deadline-exceeded", ""),
    ])
    def test_each_kind_is_about_its_element(self, torvyn, go, how, kind, text):
        outcome = torvyn("run", f"generate count=100 ! {go('fails')} {how} at=70 @on_error=skip ! stdout")
        outcome.fails(0, f"first error: fails, element 70, {kind}", text)
        # Each gives "<" and itself; what element 70 gave before it failed is void.
        assert outcome.out == b"".join(b"<" + hello([n]) for n in range(100) if n != 70)

    def test_fatal_ends_the_flow(self, torvyn, go):
        torvyn("run", f"generate count=100 ! {go('fails')} fatal at=7 @on_error=skip ! null").fails(1, "element 7", "said so")

    def test_unavailable_is_tried_again(self, torvyn, go):
        report = run(torvyn, flow({"in": generate(10), "node": stage(go("fails"), {"how": "unavailable", "at": 5}, retries=2, retry_backoff="1ms"),
                                   "out": stage("null")})).report
        assert report["stages"][1]["errors"] == 3

    def test_an_output_that_is_too_large(self, torvyn, go):
        torvyn("run", f"generate count=1 ! {go('beside')} size={(16 << 20) + 1} ! null").fails(
            1, f"an output of {(16 << 20) + 1} bytes is larger than the host's largest buffer")


class TestPanics:
    # Where each lies in its source.
    @staticmethod
    def line(text: str) -> int:
        lines = (SOURCES / "fails" / "main.go").read_text().splitlines()
        return next(n for n, line in enumerate(lines, 1) if text in line)

    @pytest.mark.parametrize("how, place, message", [
        ("panic", 'panic("said so")', "said so"),
        ("index", "in.Bytes()[in.Size()]", "index out of range"),
        ("nil-map", 'table["x"]', "assignment to entry in nil map"),
        ("library", "strings.Repeat", "strings: negative Repeat count"),
    ])
    def test_message_and_place_arrive(self, torvyn, go, how, place, message):
        outcome = torvyn("run", f"generate count=100 ! {go('fails')} {how} at=70 ! null")
        outcome.fails(1, "E0420", f"panicked at fails/main.go:{self.line(place)}: ", message, "element 64")  # the run's first: which one it was, only the guest knows
        assert re.search(r"called from fails/main\.go:\d+", outcome.err)

    def test_a_fresh_instance_goes_on(self, torvyn, go):
        nodes = {"in": generate(100), "node": stage(go("fails"), {"how": "panic", "at": 70}, on_trap="restart", on_error="skip"), "out": stage("null")}
        run(torvyn, flow(nodes)).ends(0, delivered=99, skipped=1)

    @pytest.mark.parametrize("how, words", [
        ("goroutine", "panic: said so"),
        ("deadlock", "all goroutines are asleep - deadlock!"),
        ("recursion", "E04"),
        ("exit", "E04"),
    ])
    def test_what_the_runtime_dies_of_is_told_too(self, torvyn, go, how, words):
        torvyn("run", f"generate count=10 ! {go('fails')} {how} at=5 ! null").fails(1, words, "element 0")


class TestEndurance:
    """The host's writes into a component fall into the Go runtime's lap thousands of times a second, whatever it is doing."""

    COUNT = 1_000_000

    def test_a_million_elements_through_three_stages(self, torvyn, go):
        outcome = torvyn("run", f"{go('count-source')} count={self.COUNT} ! {go('shout')} ! {go('log-sink')} quiet=true")
        size = sum(len(f"HELLO {n}\n") for n in (9, 99, 999, 9999, 99999, 999999) for _ in range(n - n // 10 + (n == 9)))
        outcome.fails(0, f"complete: {self.COUNT} elements, {size} bytes")

    def test_a_million_elements_while_the_collector_runs(self, torvyn, go, tmp_path):
        """Of many sizes, from none to some thousand bytes; and memory stays where it was."""
        line = b"the quick brown fox jumps over the lazy dog " * 100
        sizes = [n * n % 311 if n % 1000 else n % 4000 for n in range(self.COUNT)]
        with (tmp_path / "in").open("wb") as file:
            file.writelines(line[:size] + b"\n" for size in sizes)
        outcome = torvyn("run", f"file in ! {go('churn')} ! file out")
        assert outcome.code == 0, outcome.err
        with (tmp_path / "out").open() as file:
            for n, got in enumerate(file):
                payload = line[:sizes[n]]
                checksum = zlib.crc32(payload + b"\n")
                assert got == f"{n} {checksum:08x} {len(set(payload.split()))}\n"
            assert n == self.COUNT - 1
        reports = [tuple(map(int, found)) for found in re.findall(r"seen (\d+) collections (\d+) memory (\d+)", outcome.err)]
        seen, collections, memory = zip(*reports)
        assert seen == (250000, 500000, 750000, 1000000, 1000000)
        assert collections[-1] > 1000
        assert memory[-1] <= memory[0] * 1.1 and memory[-1] < 24 << 20, memory

    def test_large_elements(self, torvyn, go, tmp_path):
        """Of almost the size of the largest buffer, within the memory that an instance has by default."""
        content = bytes(range(128)) * (60 << 13)
        (tmp_path / "in").write_bytes(content)
        outcome = torvyn("run", f"file in chunk={12 << 20} ! {go('grep')} ! {go('log-sink')} quiet=true")
        outcome.fails(0, f"complete: 5 elements, {len(content)} bytes")
        outcome = torvyn("run", f"file in chunk={12 << 20} ! {go('shout')} ! file out", "--format", "json")
        assert outcome.code == 0, outcome.err
        assert (tmp_path / "out").read_bytes() == content.upper()


class TestBuilding:
    SHOUT = """\
package main

import (
	"bytes"

	"torvyn.dev/torvyn"
)

func init() { torvyn.Processor(shout) }

func shout(in torvyn.Element, out *torvyn.Output) error {
	out.Emit(bytes.ToUpper(in.Bytes()))
	return nil
}

func main() {}
"""

    @pytest.fixture
    def user(self):
        """The user's own folders for caches, as at other builds here."""
        return {name: os.environ[name] for name in ("HOME", "GOCACHE", "GOMODCACHE") if name in os.environ}

    def test_a_file_alone_is_a_stage(self, torvyn, user, tmp_path):
        (tmp_path / "shout.go").write_text(self.SHOUT)
        outcome = torvyn("run", "stdin ! ./shout.go ! stdout", stdin=b"hello\n", env=user)
        assert (outcome.code, outcome.out) == (0, b"HELLO\n"), outcome.err

    @pytest.mark.parametrize("before, after, words", [
        ("bytes.ToUpper", "bytes.ToUper", ("E0011", "shout.go:12:17", "undefined: bytes.ToUper")),
        ("func main() {}", "", ("E0011", "function main is undeclared")),
        ("func init() { torvyn.Processor(shout) }", "var _ = shout", ("registers no stage", "torvyn.Processor")),
        ("torvyn.Processor(shout)", "torvyn.Processor(shout); torvyn.Sink(nil)", ("registers several stages",)),
    ])
    def test_mistakes_are_named(self, torvyn, user, tmp_path, before, after, words):
        (tmp_path / "shout.go").write_text(self.SHOUT.replace(before, after))
        outcome = torvyn("build", "shout.go", env=user)
        assert outcome.code != 0
        outcome.fails(outcome.code, *words)
        assert not (tmp_path / "shout.wasm").exists()

    def test_it_can_be_inspected(self, torvyn, go):
        outcome = torvyn("inspect", go("count-source"), "--format", "json")
        assert outcome.code == 0, outcome.err
        assert "torvyn:acks/acks@0.1.0" in json.dumps(outcome.json())
