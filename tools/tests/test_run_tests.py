"""The test runner: what it counts, and that nothing failed goes unseen."""

import importlib.machinery
import importlib.util
import sys
import time
from pathlib import Path

import pytest

RUNNER = Path(__file__).resolve().parents[1] / "run-tests"


@pytest.fixture
def runner(tmp_path, monkeypatch):
    loader = importlib.machinery.SourceFileLoader("run_tests", str(RUNNER))
    spec = importlib.util.spec_from_loader("run_tests", loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run_tests", module)
    loader.exec_module(module)
    module.ROOT = module.LOGS = tmp_path
    module.STRICT = False
    monkeypatch.setattr(sys, "argv", ["run-tests"])
    return module


def write_report(cases: str) -> list[str]:
    return ["bash", "-c", f"echo '<testsuite>{cases}</testsuite>' > \"$0\"", "{report}"]


PASSED = '<testcase name="a" status="run"/>'
FAILED = '<testcase name="b" status="fail"><failure message="no"/></testcase>'
SKIPPED = '<testcase name="c" status="notrun"><skipped/></testcase>'


def test_a_step_that_counts_nothing_is_one(runner, capsys):
    runner.STEPS = [runner.Step("check", "good", ["true"], 10)]
    assert runner.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


def test_all_steps_are_added_up(runner, capsys):
    runner.STEPS = [
        runner.Step("unit", "unit", write_report(PASSED * 3 + SKIPPED), 10, report=True),
        runner.Step("e2e", "e2e", write_report(PASSED * 2), 10, report=True),
        runner.Step("check", "check", ["true"], 10),
    ]
    assert runner.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "6 passed, 0 failed, 1 skipped"


def test_a_failing_step_shows_its_end_and_stops_nothing(runner, capsys):
    runner.STEPS = [
        runner.Step("check", "bad", ["bash", "-c", "echo what went wrong; exit 3"], 10),
        runner.Step("check", "good", ["true"], 10),
    ]
    assert runner.main() == 1
    out = capsys.readouterr().out
    assert "exit code 3" in out and "what went wrong" in out
    assert "One again: tools/run-tests bad" in out
    assert out.splitlines()[-1] == "1 passed, 1 failed"


@pytest.mark.parametrize(
    ("cases", "exit_code", "total"),
    [
        (PASSED + FAILED, 8, "1 passed, 1 failed"),
        (PASSED, 1, "1 passed, 1 failed"),  # crashed after its last test
        ("", 0, "0 passed, 1 failed"),  # ran no test
    ],
)
def test_a_report_hides_no_failure(runner, capsys, cases, exit_code, total):
    command = write_report(cases)
    command[2] += f"; exit {exit_code}"
    runner.STEPS = [runner.Step("unit", "unit", command, 10, report=True)]
    assert runner.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == total


def test_a_report_of_an_earlier_run_does_not_count(runner, capsys):
    (runner.LOGS / "unit.xml").write_text(f"<testsuite>{PASSED}</testsuite>")
    runner.STEPS = [runner.Step("unit", "unit", ["true"], 10, report=True)]
    assert runner.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_in_ci_a_skipped_test_is_a_failed_one(runner, capsys):
    runner.STRICT = True
    runner.STEPS = [runner.Step("unit", "unit", write_report(PASSED + SKIPPED), 10, report=True)]
    assert runner.main() == 1
    out = capsys.readouterr().out
    assert "skipped in CI, where nothing may be: 1" in out
    assert out.splitlines()[-1] == "1 passed, 1 failed"


def test_tests_of_a_build_that_failed_are_not_run(runner, capsys):
    runner.STEPS = [
        runner.Step("asan", "asan-build", ["false"], 10),
        runner.Step("asan", "asan-unit", write_report(PASSED), 10, report=True),
    ]
    assert runner.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 2 failed"


def is_running(pid: int) -> bool:
    """Whether the process is there and not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_step_that_hangs_is_stopped_with_all_it_started(runner, tmp_path, capsys):
    script = f"sleep 600 & echo $! > {tmp_path}/pid; wait"
    runner.STEPS = [runner.Step("e2e", "e2e", ["bash", "-c", script], 3)]
    assert runner.main() == 1
    assert "stopped after 3 s" in capsys.readouterr().out
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(pid)
