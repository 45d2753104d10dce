"""`torvyn check`: everything that can be told without running, each thing once and at its place."""

import shutil

import pytest

from conftest import ROOT, component, misbehaving

MANIFEST = """[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"
"""
UPPER = """
[[component]]
name = "upper"
path = "upper.c"

[flow.main.nodes.in]
component = "generate"
config = { count = 3 }

[flow.main.nodes.up]
component = "upper"

[flow.main.nodes.out]
component = "null"
"""
WORLD = "package my:app@1.0.0;\n\nworld shout {\n  include torvyn:streaming/managed-transform@0.1.0;\n}\n"


@pytest.fixture
def project(tmp_path):
    """A project whose component is built, with the contract's packages beside its own WIT, as `init` leaves it."""
    (tmp_path / "Torvyn.toml").write_text(MANIFEST + UPPER)
    shutil.copytree(ROOT / "wit", tmp_path / "wit" / "deps")
    (tmp_path / "wit" / "world.wit").write_text(WORLD)
    (tmp_path / "target").mkdir()
    shutil.copy(component("upper"), tmp_path / "target" / "upper.wasm")
    return tmp_path


def checks_of(outcome) -> dict:
    """By name; the fields that say how each went."""
    return {check["name"]: check for check in outcome.json()["checks"]}


def test_a_project_without_mistakes(torvyn, project):
    outcome = torvyn("check")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    for line in (b" manifest      ok  Torvyn.toml\n", b" wit           ok  wit\n", b" component     ok  upper\n",
                 b" link          ok  main\n"):
        assert line in outcome.out

    outcome = torvyn("check", "--format", "json")
    report = outcome.json()
    assert report["command"] == "check"
    assert report["exit_code"] == outcome.code == 0
    assert report["errors"] == report["warnings"] == []
    assert [check["name"] for check in report["checks"]] == ["manifest", "wit", "component", "link", "capabilities"]
    assert all(check["ok"] and "skipped" not in check for check in report["checks"])


def test_nothing_is_built_and_nothing_runs(torvyn, project):
    (project / "target" / "upper.wasm").unlink()
    before = sorted(project.rglob("*"))
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 0
    checks = checks_of(outcome)
    assert checks["component"]["skipped"] == "not built yet: torvyn build --component upper"
    assert checks["link"]["skipped"] == "`upper` is not built"
    assert sorted(project.rglob("*")) == before


def test_all_mistakes_of_wit_are_told(torvyn, project):
    (project / "wit" / "a.wit").write_text("interface a {\n  f: func() -> nothing;\n  g: func(x: list<nobody>);\n}\n")
    (project / "wit" / "deps" / "other").mkdir()
    (project / "wit" / "deps" / "other" / "b.wit").write_text("package other:other;\ninterface b {\n  type t == u8;\n}\n")
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 1
    assert [(error["code"], error["file"], error["line"]) for error in outcome.json()["errors"]] == [
        ("E0101", "wit/a.wit", 2), ("E0101", "wit/a.wit", 3), ("E0100", "wit/deps/other/b.wit", 3)]
    assert checks_of(outcome)["link"]["ok"], "what WIT says keeps nobody from looking at what is built"
    torvyn("check").fails(1, "2 |   f: func() -> nothing;", "--> wit/a.wit:3:19", "--> wit/deps/other/b.wit:3:11")


def test_wit_is_checked_though_the_manifest_cannot_be_read(torvyn, project):
    (project / "Torvyn.toml").write_text(MANIFEST + "\ncomponnet = 1\n")
    (project / "wit" / "world.wit").write_text(WORLD.replace(";", "", 1))
    codes = [error["code"] for error in torvyn("check", "--format", "json").json()["errors"]]
    assert codes == ["E0701", "E0100"]


def test_a_component_of_another_contract(torvyn, project):
    shutil.copy(misbehaving("drifted-transform"), project / "target" / "upper.wasm")
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 1
    checks = checks_of(outcome)
    assert {error["code"] for error in checks["component"]["errors"]} == {"E0200"}
    assert checks["component"]["errors"][0]["line"] == 6, "of its [[component]]"
    assert checks["link"]["skipped"] == "`upper` has errors of its own"
    torvyn("check").fails(1, "error[E0200]", "the component has:", "allocate: func(capacity-hint: u32)",
                          "this Torvyn has:", "allocate: func(capacity-hint: u64)")


def test_a_component_that_is_none(torvyn, project):
    (project / "target" / "upper.wasm").write_bytes(b"\0asm\1\0\0\0")
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 1
    assert [error["code"] for error in outcome.json()["errors"]] == ["E0104"]


def test_a_flow_that_does_not_fit(torvyn, project):
    manifest = (project / "Torvyn.toml").read_text()
    (project / "Torvyn.toml").write_text(manifest.replace('component = "null"', 'component = "generate"'))
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 1
    assert [error["code"] for error in checks_of(outcome)["link"]["errors"]] == ["E0203"]


def test_deprecations_warn_and_fail_where_it_is_strict(torvyn, project):
    old = project / "wit" / "deps" / "old"
    old.mkdir()
    (old / "old.wit").write_text("package old:old@1.0.0;\n@since(version = 1.0.0)\n@deprecated(version = 1.2.0)\n"
                                 "interface gone {\n  f: func();\n}\n")
    (project / "wit" / "world.wit").write_text(WORLD.replace("  include", "  import old:old/gone@1.0.0;\n  include"))
    outcome = torvyn("check", "--format", "json")
    assert outcome.code == 0
    [warning] = outcome.json()["warnings"]
    assert (warning["code"], warning["file"], warning["line"]) == ("W0110", "wit/world.wit", 3)
    assert checks_of(outcome)["deprecations"]["warnings"] == [warning]
    human = torvyn("check")
    assert human.code == 0
    assert "warning[W0110]" in human.err
    assert b" deprecations  1 warning" in human.out

    strict = torvyn("check", "--strict", "--format", "json")
    assert strict.code == 1
    assert [error["code"] for error in strict.json()["errors"]] == ["E0110"]
    torvyn("check", "--strict").fails(1, "error[E0110]")


def test_without_a_manifest(torvyn):
    torvyn("check").fails(2, "error[E0001]")
    assert torvyn("check", "--format", "json").json()["exit_code"] == 2


def test_quiet_shows_mistakes_alone(torvyn, project):
    assert torvyn("check", "--quiet").out == b""
    (project / "wit" / "world.wit").write_text("package")
    outcome = torvyn("check", "--quiet")
    assert outcome.out == b""
    outcome.fails(1, "error[E0100]")


def test_another_folder(torvyn, project, tmp_path):
    inner = tmp_path / "elsewhere"
    inner.mkdir()
    outcome = torvyn("check", "--manifest", "../Torvyn.toml", "--format", "json", "-C", inner)
    assert outcome.code == 0, outcome.out
    assert checks_of(outcome)["wit"]["subject"] == "../wit"
    assert "skipped" not in checks_of(outcome)["component"]
