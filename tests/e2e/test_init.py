"""`torvyn init`: every template in every language becomes a project that builds and runs, or nothing is written at all."""

import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import BINARY, ROOT

TEMPLATES = ROOT / "templates"
LANGUAGES = ("c", "cpp", "rust", "go", "python", "javascript")
OFFERED = [(language, template.name) for language in LANGUAGES for template in sorted((TEMPLATES / language).glob("*"))
           if template.is_dir() and template.name != "common"]
AT_LEAST = {"c": 8, "cpp": 8, "rust": 8, "go": 5, "python": 5, "javascript": 5}


def all_files(folder: Path) -> set[str]:
    found = set()
    for at, folders, files in os.walk(folder):  # which enters no links
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        found |= {str((Path(at) / name).relative_to(folder)) for name in files + links}
        folders[:] = [name for name in folders if name != ".git"]
    return found


def init(torvyn, *arguments):
    outcome = torvyn("init", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.out
    return outcome.json()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_templates(language):
    assert len([one for one in OFFERED if one[0] == language]) >= AT_LEAST[language]


@pytest.mark.parametrize("language, template", OFFERED)
def test_nothing_of_the_template_is_left_in_a_project(torvyn, tmp_path, language, template):
    report = init(torvyn, "my-shout", "--language", language, "--template", template)
    assert (report["name"], report["language"], report["template"]) == ("my-shout", language, template)
    project = tmp_path / "my-shout"
    assert all_files(project) == set(report["files"])
    assert {"Torvyn.toml", ".gitignore", "wit/deps/torvyn-streaming/worlds.wit"} <= set(report["files"])
    assert not [name for name in report["files"] if "__name" in name or "dot-" in name]
    own = [name for name in report["files"] if not name.startswith(("vendor/", "sdk/", "torvyn/", "wit/", "node_modules/"))]
    for name in own:
        text = (project / name).read_text()
        for left in ("{{name", "{{contract_version}}", "{{language}}", "{{#example}}", "{{/example}}"):
            assert left not in text, name


@pytest.mark.parametrize("language, template", [one for one in OFFERED if one[1] != "empty"])
def test_a_new_project_builds_and_runs_at_once(maker, tmp_path, language, template):
    init(maker, "my-shout", "--language", language, "--template", template)
    maker.cwd = tmp_path / "my-shout"
    built = maker("build", "--format", "json")
    assert built.code == 0, built.err + built.out.decode()
    components = built.json()["components"]
    assert len(components) == (3 if template == "full-pipeline" else 1)
    for component in components:
        assert component["language"] == language
        assert component["path"] in ("typed", "direct")
        assert (maker.cwd / component["component"]).stat().st_size == component["size_bytes"]
    assert all(one["up_to_date"] for one in maker("build", "--format", "json").json()["components"])

    outcome = maker("run", "--format", "json", "--summary", "report.json")
    assert outcome.code == 0, outcome.err
    flow = json.loads((maker.cwd / "report.json").read_text())["flow"]
    assert flow["state"] == "completed"
    assert flow["pulled"] > 0
    assert flow["failed"] == flow["cancelled"] == flow["dropped"] == 0
    # What it does is seen: on stdout, or in the lines that a sink logs.
    assert outcome.out or re.search(r"^\[[\w-]+\] ", outcome.err, re.MULTILINE)  # data, or what a sink logs


def test_a_project_without_its_example_has_no_data(torvyn, tmp_path):
    language, template = next(one for one in OFFERED if one[1] == "transform")
    with_example = set(init(torvyn, "one", "--language", language, "--template", template)["files"])
    without = set(init(torvyn, "two", "--language", language, "--template", template, "--no-example")["files"])
    assert without <= {name.replace("one", "two") for name in with_example}
    assert not [name for name in without if name.startswith("data/")]


@pytest.fixture
def offered():
    language, template = OFFERED[0]
    return ["--language", language, "--template", template]


@pytest.mark.parametrize("name", ["My-Shout", "my_shout", "-x", "x-", "2nd", "torvyn", "import"])
def test_a_name_that_is_none_is_refused(torvyn, tmp_path, offered, name):
    arguments = ["init", *offered, "--", name]
    torvyn(*arguments).fails(2, "error[E0006]", f"`{name}`", "fix")
    assert list(tmp_path.iterdir()) == []


def test_what_is_unknown_is_named_with_the_nearest(torvyn, tmp_path):
    torvyn("init", "x", "--language", "pyton").fails(2, "error[E0006]", "did you mean `python`?")
    torvyn("init", "x", "--language", "c", "--template", "tranform").fails(2, "error[E0006]", "did you mean `transform`?")
    torvyn("init", "x").fails(2, "error[E0006]", "--interactive")
    torvyn("init", "x", "--language", OFFERED[0][0], "--template", OFFERED[0][1], "--contract-version", "9.0.0").fails(2, "error[E0201]")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(torvyn, tmp_path, offered):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "notes.txt").write_text("mine")
    torvyn("init", "x", *offered).fails(1, "error[E0003]", "--force")
    assert all_files(tmp_path) == {"x/notes.txt"}
    outcome = torvyn("init", "x", *offered, "--force")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "x" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "x" / "Torvyn.toml").exists()


def test_the_current_folder_can_become_a_project(torvyn, tmp_path, offered):
    torvyn.cwd = tmp_path / "here"
    torvyn.cwd.mkdir()
    assert init(torvyn, *offered)["name"] == "here"
    assert (torvyn.cwd / "Torvyn.toml").exists()


def test_without_permission_nothing_is_written(torvyn, offered):
    """As somebody who may not: root may write anywhere."""
    def become_nobody():
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        binary = shutil.copy(BINARY, name)  # where nobody may read it
        (Path(name) / "closed").mkdir(mode=0o555)
        Path(name).chmod(0o755)
        outcome = subprocess.run([binary, "init", "x", *offered], cwd=f"{name}/closed", env=torvyn.environment, preexec_fn=become_nobody,
                                 capture_output=True, text=True, timeout=60, check=False)
        assert outcome.returncode == 2, outcome.stderr
        assert "error[E0004]" in outcome.stderr
        assert "Permission denied" in outcome.stderr
        assert list((Path(name) / "closed").iterdir()) == []


def test_a_full_disk_leaves_nothing_half(torvyn, tmp_path, offered):
    """A limit on the size of files stands in for the disk: the write fails in the same way, half way through."""
    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    process = subprocess.run([BINARY, "init", "x", *offered], cwd=tmp_path, env=torvyn.environment,
                             preexec_fn=no_room, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2, process.stderr
    assert "error[E0004]" in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_repository_is_made_where_there_is_none(torvyn, tmp_path, offered):
    assert init(torvyn, "a", *offered)["repository"] is True
    assert (tmp_path / "a" / ".git").is_dir()
    assert init(torvyn, "b", *offered, "--no-git")["repository"] is False
    assert not (tmp_path / "b" / ".git").exists()
    torvyn.cwd = tmp_path / "a"
    assert init(torvyn, "inner", *offered)["repository"] is False


def test_it_ends_by_saying_what_to_do_next(torvyn, offered):
    outcome = torvyn("init", "x", *offered)
    assert outcome.out == b""
    assert "cd x" in outcome.err


def test_questions_are_asked_on_a_terminal(torvyn, tmp_path):
    torvyn("init", "--interactive").fails(2, "error[E0006]", "terminal")
    language, template = OFFERED[0]
    ours, theirs = pty.openpty()
    process = torvyn.start("init", "--interactive", stdin=theirs)
    said = b""
    for question, answer in ((b"name", "No Name"), (b"name of the project", "asked"), (b"language", "cobol"), (b"language", language),
                             (b"template", template)):
        count = said.count(question)
        while said.count(question) == count:
            chunk = os.read(process.stderr.fileno(), 4096)
            assert chunk, said
            said += chunk
        os.write(ours, (answer + "\n").encode())
    outcome = torvyn.finish(process)
    os.close(ours)
    os.close(theirs)
    assert outcome.code == 0, said + outcome.err.encode()
    assert (tmp_path / "asked" / "Torvyn.toml").exists()
