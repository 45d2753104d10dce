"""How commands talk: help, JSON, colours, streams."""

import json
import os
import pty
import re
import select
import shutil
import time
import tomllib

import pytest

from conftest import component, misbehaving


def test_version(torvyn):
    assert re.fullmatch(rb"torvyn \d+\.\d+\.\d+\n", torvyn("--version").out)
    text = torvyn("version").out.decode()
    for word in ("torvyn ", "contract", "torvyn:streaming@0.1.0", "engine", "wasmtime ", "bridge"):
        assert word in text
    report = torvyn("version", "--format", "json").json()
    assert report["command"] == "version"
    assert report["contract"] == "torvyn:streaming@0.1.0"
    assert report["engine"].startswith("wasmtime ")


def test_help_has_examples(torvyn):
    listed = re.search(r"Subcommands:\n((?:  .*\n)+)", torvyn("--help").out.decode())[1]
    commands = [line.split()[0] for line in listed.splitlines()]
    assert {"run", "inspect", "build", "doctor", "explain", "stages", "completions", "version"} <= set(commands)
    for arguments in ([], ["--help"], ["explain", "-h"], *([command, "--help"] for command in commands)):
        outcome = torvyn(*arguments)
        assert outcome.code == 0
        assert b"Examples:" in outcome.out
        assert outcome.err == ""


def test_wrong_usage_names_the_nearest(torvyn):
    torvyn("rnu").fails(2, "error[E0006]", "did you mean `run`?")
    torvyn("run", "--limt", "5", "generate ! null").fails(2, "error[E0006]", "did you mean `--limit`?")
    torvyn("run", "generate", "!", "null").fails(2, "error[E0006]", "a pipeline is one argument")
    torvyn("-C", "nowhere", "version").fails(2, "error[E0004]", "nowhere")
    outcome = torvyn("rnu", "--format", "json")
    assert outcome.code == outcome.json()["exit_code"] == 2
    assert outcome.json()["errors"][0]["code"] == "E0006"


@pytest.mark.parametrize("code", ["E0203", "e0203", "203"])
def test_explain(torvyn, code):
    text = torvyn("explain", code).out.decode()
    assert text.startswith("E0203: graph invalid\n\n")
    assert "\nFor example:\n  error[E0203]: " in text
    assert torvyn("explain", code, "--format", "json").json()["title"] == "graph invalid"
    torvyn("explain", "E9999").fails(2, "error[E0006]", "E9999")


def test_stages(torvyn):
    lines = torvyn("stages").out.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["generate", "file", "stdin", "stdout", "null"]
    text = torvyn("stages", "file").out.decode()
    assert text.startswith("file: source or sink; ") and "[path=]VALUE" in text and "sink: waits at the end" in text
    assert torvyn("stages", "null").out.decode().endswith(" no settings\n")
    torvyn("stages", "fiel").fails(2, "error[E0210]", "did you mean `file`?", "generate, file")


class TestInspect:
    def test_shows_what_a_component_is(self, torvyn):
        text = torvyn("inspect", component("upper")).out.decode()
        for word in ("a processor", "KiB", "torvyn:streaming/processor@0.1.0", "one element a call", "direct", "exports", "imports", "torvyn",
                     "torvyn:streaming/types@0.1.0", "wasmtime "):
            assert word in text, text
        assert "runs of elements" in torvyn("inspect", component("upper-batch")).out.decode()

    def test_groups_imports_of_wasi_by_capability(self, torvyn):
        text = torvyn("inspect", misbehaving("wasi-upper")).out.decode()
        assert "wasi, capability clocks" in text and "wasi, capability stdio" in text, text

    def test_says_what_stands_in_the_way(self, torvyn):
        outcome = torvyn("inspect", misbehaving("missing-import"))
        assert outcome.code == 0
        assert "E0205" in outcome.out.decode() and "test:worlds/oracle" in outcome.out.decode()

    def test_describes_a_component_that_is_no_stage(self, torvyn):
        outcome = torvyn("inspect", misbehaving("no-interface"))
        assert outcome.code == 0
        text = outcome.out.decode()
        assert re.search(r"no-interface\.wasm: no stage of Torvyn's contract, [\d.]+ KiB\n", text), text
        assert re.search(r"^ *exports +test:worlds/greeting@1\.0\.0$", text, re.MULTILINE), text
        assert re.search(r"^ *obstacle +E0102", text, re.MULTILINE), text
        report = torvyn("inspect", misbehaving("other-version"), "--format", "json").json()
        assert report["exit_code"] == 0 and report["errors"] == report["stages"] == []
        assert [error["code"] for error in report["obstacles"]] == ["E0201"]
        assert [entry["name"] for entry in report["exports"]] == ["torvyn:streaming/processor@0.2.0"]

    def test_is_data_too(self, torvyn):
        report = torvyn("inspect", component("grep"), "--format", "json").json()
        assert report["stages"] == [{"role": "filter", "contract": "element", "interface": "torvyn:filtering/filter@0.1.0"}]
        assert report["lifecycle"] is True
        assert report["size_bytes"] == component("grep").stat().st_size
        assert report["obstacles"] == []
        assert "torvyn:streaming/types@0.1.0" in [entry["name"] for entry in report["imports"]]

    def test_shows_what_it_consists_of(self, torvyn):
        text = torvyn("inspect", component("rust/grep")).out.decode()
        assert re.match(r".*grep\.wasm: a filter in Rust, [\d.]+ KiB\n", text), text
        for pattern in (r"^ memory +1\.06 MiB at first, ", r"^ size +code +[\d.]+ KiB +\d+ %$", r"^ made by +processed-by: rustc .*wit-component ",
                        r"^ grants +none needed$"):
            assert re.search(pattern, text, re.MULTILINE), (pattern, text)
        report = torvyn("inspect", component("upper"), "--format", "json").json()
        assert sum(section["bytes"] for section in report["sizes"]) == report["size_bytes"]
        assert report["language"] == "C"
        assert sum(module["code_bytes"] for module in report["modules"]) == next(
            section["bytes"] for section in report["sizes"] if section["name"] == "code")

    def test_shows_one_part(self, torvyn):
        assert torvyn("inspect", component("upper"), "--show", "exports").out.decode().startswith("torvyn:streaming/processor@0.1.0 (")
        assert torvyn("inspect", component("upper"), "--show", "memory").out.decode().startswith("192 KiB at first")
        assert len(torvyn("inspect", component("upper"), "--show", "modules").out.decode().splitlines()) == 3
        torvyn("inspect", component("upper"), "--show", "sizse").fails(2, "error[E0006]", "did you mean `sizes`?")

    def test_writes_the_grants_as_a_piece_of_a_manifest(self, torvyn, tmp_path):
        block = torvyn("inspect", misbehaving("wasi-upper"), "--show", "grants").out.decode()
        grants = tomllib.loads(block)["security"]["grants"]
        assert grants == {"wasi-upper.wasm": {"capabilities": ["filesystem-read:./data"]}}
        assert tomllib.loads(torvyn("inspect", component("upper"), "--show", "grants").out.decode()) == {}
        # A component of the project is called by its name there.
        (tmp_path / "Torvyn.toml").write_text(
            '[torvyn]\nname = "a"\nversion = "0.1.0"\ncontract_version = "0.1.0"\n[[component]]\nname = "reader"\npath = "reader.c"\n')
        (tmp_path / "target").mkdir()
        shutil.copy(misbehaving("wasi-upper"), tmp_path / "target" / "reader.wasm")
        assert "\n[security.grants.reader]\n" in torvyn("inspect", "target/reader.wasm").out.decode()

    def test_missing_file(self, torvyn):
        torvyn("inspect", "nowhere.wasm").fails(2, "error[E0210]", "nowhere.wasm")
        torvyn("inspect", ".").fails(2, "error[E0004]")


class TestReports:
    def test_the_summary_stands_on_stderr(self, torvyn):
        outcome = torvyn("run", f"generate count=1000 ! {component('upper')} ! stdout")
        assert outcome.out.count(b"\n") == 1000
        lines = outcome.err.splitlines()
        assert re.fullmatch(r"completed in [\d.]+ .?s: 1,000 pulled = 1,000 delivered", lines[0])
        assert lines[1].split() == ["stage", "path", "in", "out", "errors", "p50", "p99", "copies"]
        assert [line.split()[0] for line in lines[2:5]] == ["generate", "upper", "stdout"]
        assert "1,000 read + 1,000 written, " in lines[3]
        assert re.match(r"buffers \d+ % reused", lines[5])
        assert "\x1b" not in outcome.err

    def test_json_never_stands_between_the_data(self, torvyn):
        outcome = torvyn("run", "generate count=3 ! stdout", "--format", "json")
        assert outcome.out == b"hello 0\nhello 1\nhello 2\n"
        assert outcome.json("err")["flow"]["delivered"] == 3
        outcome = torvyn("run", "generate count=3 ! null", "--format", "json")
        assert outcome.json()["flow"]["delivered"] == 3
        assert outcome.err == ""

    def test_json_keeps_its_shape_when_it_fails(self, torvyn):
        good = torvyn("run", "generate count=3 ! null", "--format", "json").json()
        for pipeline in ("file nowhere.log ! null", "generate ! ./nowhere.wasm ! null", "file 'open"):
            outcome = torvyn("run", pipeline, "--format", "json")
            report = outcome.json()
            assert report.keys() == good.keys()
            assert report["flow"].keys() == good["flow"].keys()
            assert outcome.code == report["exit_code"] == 2
            assert report["flow"]["state"] == "failed"
            assert len(report["errors"]) == 1
            assert outcome.err == ""

    def test_summary_goes_to_a_file(self, torvyn, tmp_path):
        outcome = torvyn("run", "generate count=3 ! stdout", "--summary", "report.txt")
        assert (outcome.out, outcome.err) == (b"hello 0\nhello 1\nhello 2\n", "")
        assert (tmp_path / "report.txt").read_text().startswith("completed in ")
        outcome = torvyn("run", "generate count=3 ! stdout", "--summary", "report.json", "--format", "json")
        assert (outcome.out, outcome.err) == (b"hello 0\nhello 1\nhello 2\n", "")
        assert json.loads((tmp_path / "report.json").read_text())["flow"]["delivered"] == 3
        torvyn("run", "generate count=3 ! stdout", "--summary", "nowhere/report.txt").fails(2, "error[E0004]")

    def test_a_failure_is_on_the_screen_wherever_the_report_is(self, torvyn, tmp_path):
        outcome = torvyn("run", "file nowhere.log ! null", "--summary", "report.json", "--format", "json")
        outcome.fails(2, "error[E0004]")
        assert json.loads((tmp_path / "report.json").read_text())["errors"][0]["code"] == "E0004"

    def test_quiet_says_nothing_but_what_is_wrong(self, torvyn):
        pipeline = f"{component('hello-source')} ! {component('count-sink')}"
        torvyn("run", pipeline).fails(0, "[count-sink] 10 elements, 80 bytes")
        assert torvyn("run", pipeline, "--quiet").err == ""
        assert torvyn("run", pipeline, "--log-level", "error").err.startswith("completed in ")
        torvyn("run", "file nowhere.log ! null", "--quiet").fails(2, "error[E0004]")

    def test_guests_lines_stay_on_stderr_beside_json(self, torvyn):
        outcome = torvyn("run", f"{component('hello-source')} ! {component('count-sink')}", "--format", "json")
        assert outcome.err == "[count-sink] 10 elements, 80 bytes\n"
        assert outcome.json()["flow"]["delivered"] == 10

    def test_verbose_shows_more(self, torvyn):
        pipeline = f"generate count=10 ! {component('upper')} ! null"
        assert "memory" not in torvyn("run", pipeline).err
        assert "memory" in torvyn("run", pipeline, "--verbose").err


class TestTerminal:
    def on_terminal(self, torvyn, *arguments, seconds: float = 30, **options) -> str:
        """What torvyn draws on a terminal of 100 columns."""
        ours, theirs = pty.openpty()
        os.set_inheritable(theirs, True)
        import fcntl, struct, termios
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        process = torvyn.start(*arguments, stderr=theirs, **options)
        os.close(theirs)
        drawn = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    drawn += os.read(ours, 65536)
                except OSError:  # the other end is closed: it has ended
                    break
        os.close(ours)
        assert process.wait(60) == 0
        process.stdin.close()
        return drawn.decode()

    def test_a_live_line_shows_progress_and_goes_away(self, torvyn):
        drawn = self.on_terminal(torvyn, "run", "generate ! null", "--timeout", "1s")
        assert re.search(r"\r\x1b\[Krunning [\d.]+ .?s: [\d,]+ elements, [\d,]+/s", drawn)
        assert drawn.count("running") >= 3
        assert drawn[drawn.rindex("running"):].split("\n")[0].count("\r\x1b[K") == 1, "the summary begins on an empty line"

    def test_colours_are_for_terminals(self, torvyn):
        pipeline = "generate count=1 ! null"
        assert "\x1b[32mcompleted" in self.on_terminal(torvyn, "run", pipeline)
        assert "\x1b[32m" not in self.on_terminal(torvyn, "run", pipeline, env={"NO_COLOR": "1"})
        assert "\x1b[32m" not in self.on_terminal(torvyn, "run", pipeline, "--color", "never")
        assert "\x1b[32mcompleted" in torvyn("run", pipeline, "--color", "always").err

    def test_quiet_has_no_live_line(self, torvyn):
        assert self.on_terminal(torvyn, "run", "generate ! null", "--timeout", "600ms", "--quiet") == ""
