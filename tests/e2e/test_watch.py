"""`torvyn run --watch`: what is edited takes over in the running flow, and what does not build changes nothing."""

import json
import os
import signal

import pytest

from conftest import STUCK_S, wait_for
from test_manifest import HEAD, SHOUT

FLOW = """
[[component]]
name = "shout"
path = "shout.c"

[flow.main.nodes.in]
component = "builtin:stdin"

[flow.main.nodes.shout]
component = "shout"

[flow.main.nodes.out]
component = "builtin:stdout"
"""


class Watched:
    """A flow that runs from stdin to stdout, under the eyes of a test."""

    def __init__(self, torvyn, *arguments):
        self.torvyn = torvyn
        self.source = torvyn.cwd / "shout.c"
        self.source.write_text(SHOUT)
        (torvyn.cwd / "Torvyn.toml").write_text(HEAD + FLOW)
        with (torvyn.cwd / "out").open("wb") as out, (torvyn.cwd / "err").open("wb") as err:
            self.process = torvyn.start("run", *arguments, "--watch", stdout=out, stderr=err)

    @property
    def out(self) -> bytes:
        return (self.torvyn.cwd / "out").read_bytes()

    @property
    def err(self) -> str:
        return (self.torvyn.cwd / "err").read_text()

    def waits_for(self, condition) -> None:
        def ended_or_met():
            return condition() or self.process.poll() is not None
        wait_for(ended_or_met)
        assert condition(), self.err

    def gives(self, line: bytes, wanted: bytes) -> None:
        before = self.out
        self.process.stdin.write(line)
        self.waits_for(lambda: self.out == before + wanted)

    def edit(self, old: str, new: str) -> None:
        """As an editor does: a new file, renamed into the place of the old one."""
        text = self.source.read_text()
        assert old in text
        (self.torvyn.cwd / ".shout.c.new").write_text(text.replace(old, new))
        os.replace(self.torvyn.cwd / ".shout.c.new", self.source)

    def ends(self) -> int:
        self.process.stdin.close()
        self.process.stdin = None
        return self.torvyn.finish(self.process).code


@pytest.fixture
def watched(torvyn):
    flow = Watched(torvyn)
    flow.gives(b"hello\n", b"*ello\n")
    return flow


def test_an_edit_takes_over_with_nothing_lost(watched):
    watched.edit("'*'", "'+'")
    watched.waits_for(lambda: "rebuilt shout" in watched.err)
    watched.gives(b"hello\n", b"+ello\n")
    # And once more: the watch goes on, in whatever way the file is written.
    watched.source.write_text(watched.source.read_text().replace("'+'", "'-'"))
    watched.waits_for(lambda: watched.err.count("rebuilt shout") == 2)
    watched.gives(b"hello\n", b"-ello\n")
    assert watched.ends() == 0


def test_a_build_that_fails_keeps_the_old_one_and_says_so(watched):
    watched.edit("= '*';", "= '+'")
    watched.waits_for(lambda: "goes on as it was built before" in watched.err)
    assert "error[E0011]" in watched.err
    assert "shout.c:" in watched.err
    watched.gives(b"hello\n", b"*ello\n")
    watched.edit("= '+'", "= '+';")
    watched.waits_for(lambda: "rebuilt shout" in watched.err)
    watched.gives(b"hello\n", b"+ello\n")
    assert watched.ends() == 0


def test_a_file_that_changes_nothing_does_nothing(watched):
    watched.source.write_text(watched.source.read_text())
    (watched.torvyn.cwd / "notes.txt").write_text("beside it")
    watched.edit("'*'", "'+'")
    watched.waits_for(lambda: "rebuilt shout" in watched.err)
    assert watched.err.count("rebuilt") == 1
    assert watched.ends() == 0


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_it_as_usual(watched, number, code):
    watched.process.send_signal(number)
    assert watched.process.wait(STUCK_S) == code  # with its stdin open: it is the signal that ends it
    assert "1 pulled = 1 delivered" in watched.err


def test_the_report_counts_swaps(torvyn):
    watched = Watched(torvyn, "--format", "json", "--summary", "report.json")
    watched.gives(b"hello\n", b"*ello\n")
    watched.edit("'*'", "'+'")
    def swapped():
        before = watched.out
        watched.process.stdin.write(b"x\n")
        watched.waits_for(lambda: len(watched.out) > len(before))
        return watched.out.endswith(b"+\n")
    watched.waits_for(swapped)
    assert watched.ends() == 0
    report = json.loads((torvyn.cwd / "report.json").read_text())
    assert [stage["swaps"] for stage in report["stages"] if stage["node"] == "shout"] == [1]


def test_there_has_to_be_something_to_watch(torvyn):
    torvyn("run", "--watch", "generate count=1 ! null").fails(2, "error[E0006]", "nothing to watch")
    torvyn("run", "--watch", "--no-build", "generate count=1 ! null").fails(2, "error[E0006]", "--no-build")


def test_a_source_file_in_a_pipeline_is_watched_too(torvyn):
    source = torvyn.cwd / "shout.c"
    source.write_text(SHOUT)
    with (torvyn.cwd / "out").open("wb") as out, (torvyn.cwd / "err").open("wb") as err:
        process = torvyn.start("run", "--watch", "stdin ! ./shout.c ! stdout", stdout=out, stderr=err)
    process.stdin.write(b"hello\n")
    wait_for(lambda: (torvyn.cwd / "out").read_bytes() == b"*ello\n" or process.poll() is not None)
    source.write_text(SHOUT.replace("'*'", "'+'"))
    wait_for(lambda: "rebuilt shout" in (torvyn.cwd / "err").read_text() or process.poll() is not None)
    process.stdin.write(b"hello\n")
    process.stdin.close()
    process.stdin = None
    outcome = torvyn.finish(process)
    assert outcome.code == 0, (torvyn.cwd / "err").read_text()
    assert (torvyn.cwd / "out").read_bytes() == b"*ello\n+ello\n"
