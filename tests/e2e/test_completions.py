"""Completions in the shells themselves, and the manual page."""

import json
import os
import re
import subprocess

import pytest

from conftest import BINARY

MANIFEST = """\
[[component]]
name = "shout"

[flow.daily.nodes.a]
[flow.hourly.nodes.a]
"""


@pytest.fixture
def folder(tmp_path):
    """Something to complete: files, a folder, a manifest."""
    (tmp_path / "Torvyn.toml").write_text(MANIFEST)
    (tmp_path / "access log.txt").write_text("")
    (tmp_path / "access.wasm").write_text("")
    (tmp_path / "archive").mkdir()
    return tmp_path


def run_shell(command: list[str], folder) -> str:
    environment = {"PATH": f"{BINARY.parent}:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "" and done.returncode == 0, done.stderr
    return done.stdout


def bash(folder, *words: str) -> list[str]:
    """What bash offers for the last word: as it does itself, a "=" is a word of its own."""
    script = """
        source <(torvyn completions bash)
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _torvyn
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    out = run_shell(["bash", "--norc", "-c", script, "bash", "torvyn", *words], folder)
    return sorted(line for line in out.splitlines() if line)


def fish(folder, line: str) -> list[str]:
    out = run_shell(["fish", "--no-config", "-c", f"torvyn completions fish | source; complete -C {json.dumps(line)}"], folder)
    return sorted(each.split("\t")[0] for each in out.splitlines() if each)


COMMANDS = ["build", "completions", "doctor", "explain", "inspect", "run", "stages", "version"]


class TestBash:
    def test_completes_commands(self, folder):
        offered = bash(folder, "")
        assert set(COMMANDS) <= set(offered) and "man" not in offered
        assert bash(folder, "ins") == ["inspect"]
        assert "run" in bash(folder, "--format", "json", "-C", "archive", "r")
        assert "run" in bash(folder, "--format", "=", "json", "--quiet", "r")

    def test_completes_options(self, folder):
        assert bash(folder, "run", "--no") == ["--no-build"]
        assert bash(folder, "run", "--form") == ["--format"]
        assert "--no-build" not in bash(folder, "build", "--")

    def test_completes_values(self, folder):
        assert bash(folder, "run", "--log-level", "") == ["debug", "error", "info", "trace", "warn"]
        assert bash(folder, "run", "--format", "=", "j") == ["json"]
        assert bash(folder, "run", "--format", "=") == ["human", "json"]
        assert bash(folder, "--color", "n") == ["never"]
        assert bash(folder, "build", "--world", "managed-b") == ["managed-batch-transform"]
        assert bash(folder, "run", "--limit", "") == []

    def test_completes_files_and_folders(self, folder):
        assert bash(folder, "inspect", "acc") == ["access log.txt", "access.wasm"]
        assert bash(folder, "-C", "a") == ["archive"]
        assert bash(folder, "run", "--summary", "access.") == ["access.wasm"]

    def test_completes_names_of_the_manifest(self, folder):
        assert bash(folder, "run", "--flow", "") == ["daily", "hourly"]
        assert bash(folder, "run", "dai") == ["daily"]
        assert bash(folder, "build", "--component", "") == ["shout"]

    def test_completes_stages_and_codes(self, folder):
        assert bash(folder, "stages", "st") == ["stdin", "stdout"]
        assert bash(folder, "run", "gen") == ["generate"]
        assert "E0203" in bash(folder, "explain", "E02")
        assert bash(folder, "completions", "") == ["bash", "fish", "zsh"]

    def test_is_asked_by_readline(self, folder):
        out = run_shell(["bash", "--norc", "-c", "source <(torvyn completions bash); complete -p torvyn"], folder)
        assert out == "complete -F _torvyn torvyn\n"


class TestFish:
    def test_completes_commands_options_and_values(self, folder):
        assert set(COMMANDS) <= set(fish(folder, "torvyn "))
        assert fish(folder, "torvyn ins") == ["inspect"]
        assert fish(folder, "torvyn run --no") == ["--no-build"]
        assert fish(folder, "torvyn run --log-level w") == ["warn"]
        assert fish(folder, "torvyn run --flow ") == ["daily", "hourly"]
        assert fish(folder, "torvyn stages st") == ["stdin", "stdout"]
        assert "access.wasm" in fish(folder, "torvyn inspect acc")


class TestZsh:
    def test_can_be_read(self, folder):
        script = "autoload -U compinit && compinit -D && source <(torvyn completions zsh) && print $_comps[torvyn]"
        assert run_shell(["zsh", "-f", "-c", script], folder) == "_torvyn\n"

    def test_completes_in_a_terminal(self, folder):
        """zsh completes on a pseudo-terminal only: zpty gives it one."""
        script = r"""
            zmodload zsh/zpty
            zpty shell "zsh -f -i"
            zpty -w shell "PS1= ; autoload -U compinit && compinit -D && source <(torvyn completions zsh) && print -n rea; print dy"
            zpty -r -m shell seen "*ready*"
            zpty -w -n shell $'torvyn run --log-level w\t'
            zpty -w shell $'; print -n do; print ne'
            zpty -r -m shell seen "*done*"
            print -r -- "$seen"
        """
        assert "--log-level warn" in re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|[\r\x07\x08]", "", run_shell(["zsh", "-f", "-c", script], folder))


class TestManPage:
    def test_renders_without_a_warning(self, torvyn, tmp_path):
        page = tmp_path / "torvyn.1"
        page.write_bytes(torvyn("man").out)
        done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"^ +--max-errors N$", done.stdout, re.MULTILINE)
        assert "torvyn run 'file access.log ! ./upper.wasm ! stdout'" in done.stdout
        assert not [line for line in done.stdout.splitlines() if len(line) > 90 and not line.startswith("              ")]

    def test_says_what_help_says(self, torvyn):
        page = torvyn("man").out.decode().replace("\\-", "-")
        for command in COMMANDS:
            for name in re.findall(r"^  (?:-\w,)?(--[a-z-]+)", torvyn(command, "--help").out.decode(), re.MULTILINE):
                assert f"\\fB{name}\\fR" in page, (command, name)
