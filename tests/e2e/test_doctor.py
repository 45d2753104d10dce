"""`torvyn doctor`: on a PATH of the test's own, so that what is there is known."""

import os
import pty
import select

import pytest

HEAD = '[torvyn]\nname = "demo"\nversion = "0.1.0"\ncontract_version = "0.1.0"\n'


@pytest.fixture
def tools(tmp_path, torvyn):
    """A folder of programs, the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    torvyn.environment["PATH"] = str(folder)

    def put(name: str, prints: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\necho '{prints}'\n")
        (folder / name).chmod(0o755)
    return put


def finding(report: dict, area: str) -> dict:
    return next(each for each in report["findings"] if each["area"] == area)


def test_names_versions_and_what_is_missing(torvyn, tools):
    tools("go", "go version go1.26.8 linux/amd64")
    tools("node", "v16.1.0")
    report = torvyn("doctor", "--format", "json").json()
    assert finding(report, "go")["ok"] and finding(report, "go")["found"].endswith("/bin/go (1.26.8)")
    assert finding(report, "javascript")["problem"] == "node 18 or later is needed"
    assert finding(report, "c")["fix"].startswith("apt-get install") and finding(report, "c")["needs_root"]
    assert {each["area"] for each in report["findings"]} == {"c", "cpp", "rust", "go", "python", "javascript", "cache", "kernel"}
    text = torvyn("doctor").out.decode()
    assert "(1.26.8)" in text and "apt-get install" in text and "all that is needed is there" in text


def test_fails_for_what_is_needed_alone(torvyn, tools, tmp_path):
    assert torvyn("doctor").code == 0, "nobody said that anything is needed"
    assert torvyn("doctor", "go").code == 2
    tools("go", "go version go1.26.8 linux/amd64")
    assert torvyn("doctor", "go").code == 0
    (tmp_path / "Torvyn.toml").write_text(HEAD + '[[component]]\nname = "a"\npath = "a.c"\n')
    outcome = torvyn("doctor")
    assert outcome.code == 2 and b"something that is needed is missing" in outcome.out


def test_finds_a_cache_that_others_may_write_to(torvyn, tools, tmp_path):
    home = tmp_path / "own-home"
    cache = home / "cache" / "compiled"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    torvyn.environment["TORVYN_HOME"] = str(home)
    report = torvyn("doctor", "--format", "json").json()
    assert report["exit_code"] == 2
    assert finding(report, "cache")["fix"] == f"chmod 700 {cache}"


class TestFix:
    @pytest.fixture(autouse=True)
    def open_cache(self, torvyn, tools, tmp_path):
        self.cache = tmp_path / "own-home" / "cache" / "compiled"
        self.cache.mkdir(parents=True)
        self.cache.chmod(0o777)
        torvyn.environment["TORVYN_HOME"] = str(tmp_path / "own-home")
        torvyn.environment["PATH"] += ":/usr/bin:/bin"  # for chmod

    def is_mended(self) -> bool:
        return self.cache.stat().st_mode & 0o777 == 0o700

    def test_asks_on_a_terminal_or_not_at_all(self, torvyn):
        torvyn("doctor", "--fix").fails(2, "error[E0006]", "no terminal", "--yes")
        assert not self.is_mended()
        torvyn("doctor", "--yes").fails(2, "error[E0006]", "--fix")

    def test_runs_the_command_where_it_was_told_to(self, torvyn):
        report = torvyn("doctor", "--fix", "--yes", "--format", "json").json()
        assert report["fixes"] == [{"command": f"chmod 700 {self.cache}", "exit_code": 0}]
        assert report["exit_code"] == 0 and finding(report, "cache")["ok"]
        assert self.is_mended()

    @pytest.mark.parametrize("answer, mended", [("y", True), ("n", False), ("", False)])
    def test_takes_an_answer(self, torvyn, answer, mended):
        ours, theirs = pty.openpty()
        process = torvyn.start("doctor", "--fix", stdin=theirs)
        os.close(theirs)
        assert select.select([process.stderr], [], [], 60)[0]
        assert b"run `chmod 700" in process.stderr.read(4096)
        os.write(ours, answer.encode() + b"\n")
        outcome = torvyn.finish(process)
        os.close(ours)
        assert self.is_mended() == mended
        assert outcome.code == (0 if mended else 2)

    def test_ends_with_the_first_command_that_fails(self, torvyn, tmp_path):
        (tmp_path / "bin" / "chmod").write_text("#!/bin/sh\necho 'chmod: no' >&2\nexit 3\n")
        (tmp_path / "bin" / "chmod").chmod(0o755)
        torvyn("doctor", "--fix", "--yes").fails(1, "failed with code 3", "chmod: no")
