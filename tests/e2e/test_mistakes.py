"""tests/mistakes: a project with one mistake each, and the message that has to come of it. Its README says what expected.json holds."""

import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import ROOT, component, misbehaving

MISTAKES = ROOT / "tests" / "mistakes"
FOLDERS = sorted(path.parent for path in MISTAKES.glob("*/expected.json"))
KEYS = {"about", "command", "components", "exit_code", "code", "file", "line", "column", "message", "hint", "level"}


def component_path(name: str) -> Path:
    return misbehaving(name.removeprefix("test:")) if name.startswith("test:") else component(name)


def read(folder: Path) -> dict:
    return json.loads((folder / "expected.json").read_text())


@pytest.fixture(params=FOLDERS, ids=[folder.name for folder in FOLDERS])
def mistake(request, tmp_path):
    """A copy of the folder to work in, and what is expected there."""
    expected = read(request.param)
    shutil.copytree(request.param, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.json"))
    for name in expected.get("components", []):
        shutil.copy(component_path(name), tmp_path)
    return expected


def plain(text: str) -> str:
    """As the screen shows it, on one line each: hints of several lines stand below each other."""
    return re.sub(r"\n +", " ", text)


def test_the_message_is_right(torvyn, mistake):
    outcome = torvyn(*mistake["command"])
    assert outcome.code == mistake["exit_code"], outcome.err
    level = mistake.get("level", "error")
    assert f"{level}[{mistake['code']}]" in outcome.err, outcome.err
    assert mistake["message"] in outcome.err, outcome.err
    if "line" in mistake:
        assert f"--> {mistake['file']}:{mistake['line']}:" in outcome.err, outcome.err
    elif "file" in mistake:
        assert f"--> {mistake['file']}" in outcome.err, outcome.err
    if "hint" in mistake:
        shown = plain(outcome.err)
        assert mistake["hint"] in shown[shown.index(" fix "):], outcome.err


def test_the_message_is_data_too(torvyn, mistake):
    outcome = torvyn(*mistake["command"], "--format", "json")
    report = outcome.json() if outcome.out.startswith(b"{") else outcome.json("err")
    assert report["exit_code"] == outcome.code == mistake["exit_code"]
    if mistake.get("level") == "warning":
        found = next((warning for warning in report["warnings"] if warning["code"] == mistake["code"]), None)
    else:
        found = report["errors"][0]
    assert found is not None and found["code"] == mistake["code"], report
    for key in ("file", "line", "column"):
        assert found.get(key) == mistake.get(key, found.get(key)), found
    assert mistake["message"] in found["message"], found
    assert mistake.get("hint", "") in found.get("hint", ""), found


def test_the_folders_are_complete():
    assert len(FOLDERS) >= 30
    for folder in FOLDERS:
        expected = read(folder)
        assert expected.keys() <= KEYS, folder.name
        assert expected.keys() >= {"about", "command", "exit_code", "code", "message"}, folder.name
        # A way out: a hint, or the name that was meant.
        assert "hint" in expected or expected["message"], folder.name
        assert "line" not in expected or "file" in expected, folder.name
    without = [path.name for path in MISTAKES.iterdir() if path.is_dir() and not (path / "expected.json").exists()]
    assert without == []


@pytest.mark.parametrize("code", sorted({read(folder)["code"] for folder in FOLDERS}))
def test_the_code_is_explained(torvyn, code):
    assert torvyn("explain", code).out.decode().startswith(f"{code}: ")
