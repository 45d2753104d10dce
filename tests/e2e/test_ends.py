"""How a flow ends: limits, signals, readers that go away, disks that are full."""

import os
import signal
import subprocess
import time

import pytest

from conftest import component, misbehaving, wait_for


def test_limit_counts_pulled_elements(torvyn):
    report = torvyn.report(f"generate ! {component('upper')} ! null", "--limit", "1000")
    assert report["flow"]["state"] == "limited"
    assert report["flow"]["pulled"] == report["flow"]["delivered"] == 1000


def test_limit_is_an_orderly_end(torvyn, tmp_path):
    outcome = torvyn("run", f"generate ! {component('word-count')} ! file out.log", "--limit", "10")
    outcome.fails(0, "stopped by --limit 10")
    assert (tmp_path / "out.log").read_bytes().startswith(b"10 hello\n")


def test_timeout_ends_a_flow_that_waits_for_input(torvyn):
    started = time.monotonic()
    process = torvyn.start("run", "stdin ! stdout", "--timeout", "300ms")
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    # stdin stays open: only the time-out can end this.
    out = process.stdout.read()
    assert process.wait(60) == 0
    assert out == b"hello\n"
    assert b"stopped by --timeout" in process.stderr.read()
    assert time.monotonic() - started < 30
    process.stdin.close()


def test_elements_go_down_at_once(torvyn):
    """A slow source's element doesn't wait for others."""
    process = torvyn.start("run", f"stdin ! {component('upper')} ! stdout")
    for line in (b"one\n", b"two\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line.upper()
    assert torvyn.finish(process).code == 0


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_ends_in_good_order(torvyn, tmp_path, number, code):
    process = torvyn.start("run", f"stdin ! {component('upper')} ! {component('word-count')} ! file out.log", "--format", "json")
    process.stdin.write(b"one two\n")
    process.stdin.flush()
    wait_for(lambda: (tmp_path / "out.log.partial").exists())
    time.sleep(0.5)  # so that the line is in, too
    process.send_signal(number)
    # stdin stays open: its end would be an end of the flow, too.
    assert process.wait(60) == code
    outcome = torvyn.finish(process)
    assert outcome.json()["flow"]["state"] == "interrupted"
    assert outcome.json()["exit_code"] == code
    # flush and complete were called.
    assert (tmp_path / "out.log").read_bytes() == b"1 ONE\n1 TWO\n"
    assert not (tmp_path / "out.log.partial").exists()


def test_ctrl_c_under_load(torvyn):
    process = torvyn.start("run", f"generate ! {component('upper')} ! stdout", "--format", "json")
    begin = process.stdout.read(100_000)
    process.send_signal(signal.SIGINT)
    outcome = torvyn.finish(process)
    assert outcome.code == 130
    text = begin + outcome.out
    flow = outcome.json("err")["flow"]
    # Whole elements, in order, all of them delivered.
    assert text == b"".join(b"HELLO %d\n" % n for n in range(text.count(b"\n")))
    assert text.count(b"\n") == flow["delivered"] == flow["pulled"]


def test_a_second_signal_ends_at_once(torvyn):
    process = torvyn.start("run", f"stdin ! {misbehaving('spin')} at=1 @timeout=10m ! stdout")
    process.stdin.write(b"first\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"first\n"
    process.stdin.write(b"second\n")
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "the first signal lets the element in flight finish"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    process.stdin.close()


def test_a_reader_that_goes_away_ends_the_flow(torvyn):
    process = torvyn.start("run", f"generate ! {component('upper')} ! stdout", "--format", "json")
    assert process.stdout.readline() == b"HELLO 0\n"
    process.stdout.close()
    err = process.stderr.read().decode()
    assert process.wait(60) == 0
    assert '"state":"closed"' in err
    process.stdin.close()


def test_in_a_shell_head_ends_it(torvyn):
    from conftest import BINARY, default_signals
    done = subprocess.run(["bash", "-c", f"{BINARY} run 'generate ! stdout' | head -n 3; echo ${{PIPESTATUS[0]}}"], cwd=torvyn.cwd,
                          env=torvyn.environment, capture_output=True, timeout=60, preexec_fn=default_signals, check=True)
    assert done.stdout == b"hello 0\nhello 1\nhello 2\n0\n"
    assert b"the reader closed the pipe" in done.stderr


def test_a_full_disk_fails_the_flow(torvyn):
    with open("/dev/full", "wb") as full:
        torvyn("run", "generate count=100000 ! stdout", stdout=full).fails(1, "error[E0004]", "No space left on device")
    torvyn("run", "generate count=100000 ! file /dev/full").fails(1, "error[E0004]", "No space left on device")


def test_a_report_that_cannot_be_written_is_a_failure(torvyn):
    with open("/dev/full", "wb") as full:
        torvyn("version", stdout=full).fails(1, "error[E0004]")
        torvyn("run", "generate count=1 ! null", "--format", "json", stdout=full).fails(1, "error[E0004]")


def test_a_closed_stdout_takes_nothing_else_in_its_place(torvyn, tmp_path):
    from conftest import BINARY
    (tmp_path / "in.log").write_bytes(b"hello\n")
    done = subprocess.run(["bash", "-c", f"{BINARY} run 'file in.log ! stdout' >&-"], cwd=torvyn.cwd, env=torvyn.environment,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    assert b"E0004" in done.stderr
    assert (tmp_path / "in.log").read_bytes() == b"hello\n"


def test_a_finished_file_is_renamed(torvyn, tmp_path):
    (tmp_path / "out.log").write_bytes(b"of yesterday")
    process = torvyn.start("run", "stdin ! file out.log")
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    wait_for(lambda: (tmp_path / "out.log.partial").exists())
    assert (tmp_path / "out.log").read_bytes() == b"of yesterday"
    assert torvyn.finish(process).code == 0
    assert (tmp_path / "out.log").read_bytes() == b"hello\n"
    assert os.listdir(tmp_path) == ["out.log"]


def test_an_unfinished_file_is_kept_as_partial(torvyn, tmp_path):
    outcome = torvyn("run", f"generate ! {misbehaving('trap')} at=500 ! file out.log")
    outcome.fails(1, "error[E0420]", "out.log.partial kept")
    assert (tmp_path / "out.log.partial").read_bytes() == b"".join(b"hello %d\n" % n for n in range(500))
    assert not (tmp_path / "out.log").exists()


def test_complete_is_called_at_the_end_and_its_error_told(torvyn):
    torvyn("run", f"generate count=3 ! {misbehaving('fail-sink')}").fails(0)
    torvyn("run", f"generate count=3 ! {misbehaving('fail-sink')} complete").fails(1, "error[E0412]", "complete as it was told")
    torvyn("run", f"generate count=3 ! {misbehaving('fail-sink')} init").fails(1, "error[E0411]", "init as it was told")
    torvyn("run", f"generate count=3 ! {misbehaving('fail-sink')} push").fails(1, "error[E0403]", "push as it was told", "element 0")
