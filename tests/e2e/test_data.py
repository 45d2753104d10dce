"""What goes in comes out: byte for byte, and as coreutils would have it."""

import json

import pytest

from conftest import component, coreutils, misbehaving
from logs import access_log

UPPER = ["upper", "upper-batch", "rust/upper", "rust/upper-batch"]
GREP = ["grep", "grep-batch", "rust/grep", "rust/grep-batch"]
WORD_COUNT = ["word-count", "rust/word-count"]
ACCESS_LOG = ["access-log", "access-log-batch", "rust/access-log", "rust/access-log-batch"]


def test_unchanged_elements_leave_as_they_came_in(torvyn, log, tmp_path):
    outcome = torvyn("run", f"file {log} ! stdout")
    assert outcome.code == 0, outcome.err
    assert outcome.out == log.read_bytes()
    torvyn("run", f"stdin chunk=1000 ! file {tmp_path}/copy", stdin=log.read_bytes()).fails(0)
    assert (tmp_path / "copy").read_bytes() == log.read_bytes()


@pytest.mark.parametrize("upper", UPPER)
def test_upper_is_tr(torvyn, log, upper):
    outcome = torvyn("run", f"file {log} ! {component(upper)} ! stdout")
    assert outcome.code == 0, outcome.err
    assert outcome.out == coreutils("tr a-z A-Z", log)


@pytest.mark.parametrize("grep", GREP)
@pytest.mark.parametrize("pattern", ["error", "GET", "x", "nowhere to be found"])
def test_grep_is_grep(torvyn, lines_log, grep, pattern):
    outcome = torvyn("run", f"file {lines_log} ! {component(grep)} pattern='{pattern}' ! stdout")
    assert outcome.code == 0, outcome.err
    assert outcome.out == coreutils(f"grep -aF '{pattern}'", lines_log)


@pytest.mark.parametrize("word_count", WORD_COUNT)
def test_word_count_is_sort_and_uniq(torvyn, lines_log, word_count):
    outcome = torvyn("run", f"file {lines_log} ! {component(word_count)} ! stdout")
    assert outcome.code == 0, outcome.err
    counted = coreutils(r"tr -s '[:space:]' '\n' | grep -a . | sort | uniq -c | sort -k1,1nr -k2", lines_log)
    assert outcome.out.splitlines() == [line.strip() for line in counted.splitlines()]


def test_access_log_is_the_same_in_every_form(torvyn, tmp_path):
    (tmp_path / "access.log").write_bytes(access_log())
    outputs = []
    for name in ACCESS_LOG:
        outcome = torvyn("run", f"file access.log ! {component(name)} @on_error=skip ! stdout", "--format", "json")
        assert outcome.code == 0, outcome.err
        assert outcome.json("err")["flow"]["skipped"] == 2000 // 97
        outputs.append(outcome.out)
    assert outputs[1:] == outputs[:-1]
    parsed = [json.loads(line) for line in outputs[0].splitlines()]
    assert len(parsed) == 2000 - 2000 // 97
    assert sum(entry["status"] == 500 for entry in parsed) == access_log().count(b'HTTP/1.1" 500 ')


def test_per_element_and_batch_stages_mix(torvyn, tmp_path):
    (tmp_path / "in.log").write_bytes(access_log())
    expected = coreutils("tr a-z A-Z | grep -aF INDEX", tmp_path / "in.log")
    for first, second in [("upper", "rust/grep-batch"), ("rust/upper-batch", "grep"), ("upper-batch", "grep-batch")]:
        outcome = torvyn("run", f"file in.log ! {component(first)} ! {component(second)} pattern=INDEX ! stdout")
        assert outcome.code == 0, outcome.err
        assert outcome.out == expected


def test_a_component_that_imports_wasi_runs_unchanged(torvyn, tmp_path):
    outcome = torvyn("run", f"stdin ! {misbehaving('wasi-upper')} ! stdout", stdin=b"hello\n")
    outcome.fails(0, "[wasi-upper] the clock goes", "[wasi-upper] the first element has 6 bytes")
    assert outcome.out == b"HELLO\n"


def test_generate_makes_what_it_is_told(torvyn):
    outcome = torvyn("run", "generate count=3 ! stdout")
    assert outcome.out == b"hello 0\nhello 1\nhello 2\n"


def test_a_file_sink_appends_where_asked(torvyn, tmp_path):
    for _ in range(2):
        torvyn("run", "generate count=1 ! file out.log append=true").fails(0)
    assert (tmp_path / "out.log").read_bytes() == b"hello 0\nhello 0\n"


@pytest.mark.parametrize("language", ["", "rust/"])
class TestCopies:
    """From the ledger: exactly so many, with the bytes to match."""

    count = 1000
    size = sum(len(f"hello {n}\n") for n in range(count))

    def test_four_from_source_through_processor_to_sink(self, torvyn, language):
        source, upper, sink = (component(language + name) for name in ("hello-source", "upper", "count-sink"))
        report = torvyn.report(f"{source} count={self.count} ! {upper} ! {sink}")
        assert report["flow"]["delivered"] == self.count
        assert (report["copies"], report["bytes_copied"]) == (4 * self.count, 4 * self.size)
        assert [stage["copies"] for stage in report["stages"]] == [self.count, 2 * self.count, self.count]

    def test_two_from_source_to_sink(self, torvyn, language):
        source, sink = (component(language + name) for name in ("hello-source", "count-sink"))
        report = torvyn.report(f"{source} count={self.count} ! {sink}")
        assert (report["copies"], report["bytes_copied"]) == (2 * self.count, 2 * self.size)

    def test_none_in_a_filter_beyond_what_it_reads(self, torvyn, language):
        report = torvyn.report(f"generate count={self.count} ! {component(language + 'grep')} pattern=7 ! null")
        kept = sum("7" in str(n) for n in range(self.count))
        assert report["flow"]["delivered"] == kept
        assert report["flow"]["filtered"] == self.count - kept
        kinds = report["stages"][1]["copies_by_kind"]
        assert kinds["guest_read"] == {"copies": self.count, "bytes": self.size}
        assert (report["copies"], report["bytes_copied"]) == (self.count, self.size)

    def test_none_between_built_in_stages(self, torvyn, language):
        assert torvyn.report("generate count=100 ! null")["copies"] == 0


def test_every_element_meets_one_fate(torvyn, tmp_path):
    (tmp_path / "access.log").write_bytes(access_log())
    report = torvyn.report(f"file access.log ! {component('access-log')} @on_error=skip ! {component('grep')} pattern=500 ! null")
    flow = report["flow"]
    fates = ("delivered", "filtered", "absorbed", "skipped", "dropped", "dead_lettered", "failed", "cancelled")
    assert flow["pulled"] == 2000 == sum(flow[fate] for fate in fates)
    assert flow["skipped"] > 0 and flow["filtered"] > 0 and flow["delivered"] > 0


def test_buffers_are_used_again(torvyn):
    report = torvyn.report(f"generate count=50000 ! {component('upper')} ! null")
    small = report["pools"][0]
    assert small["tier"] == "small"
    assert small["reused"] / small["allocated"] > 0.9
    assert sum(tier["allocated"] - tier["returned"] for tier in report["pools"]) == 0
