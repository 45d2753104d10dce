"""`--format json` of every command is what docs/schemas says."""

import json

import jsonschema
import pytest

from conftest import ROOT, component, misbehaving

SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "docs" / "schemas").glob("*.json")}
STORE = {schema["$id"]: schema for schema in SCHEMAS.values()}

MANIFEST = """\
[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"

[[component]]
name = "shout"
path = "shout.c"

[flow.a.nodes.numbers]
component = "builtin:generate"
config = { count = "3" }

[flow.a.nodes.out]
component = "builtin:null"

[flow.b.nodes.numbers]
component = "builtin:generate"
config = { count = "4" }

[flow.b.nodes.out]
component = "builtin:null"
"""

# (schema, arguments, exit code). A command is here in its good form and in those that fail in ways of their own.
CASES = [
    ("version", ["version"], 0),
    ("explain", ["explain", "E0203"], 0),
    ("explain", ["explain", "W0300"], 0),
    ("explain", ["explain", "E0602"], 0),
    ("explain", ["explain", "E9999"], 2),
    ("stages", ["stages"], 0),
    ("stages", ["stages", "file"], 0),
    ("stages", ["stages", "fiel"], 2),
    ("doctor", ["doctor"], None),
    ("doctor", ["doctor", "c"], None),
    ("inspect", ["inspect", component("upper")], 0),
    ("inspect", ["inspect", component("grep-batch")], 0),
    ("inspect", ["inspect", misbehaving("wasi-upper")], 0),
    ("inspect", ["inspect", misbehaving("missing-import")], 0),
    ("inspect", ["inspect", misbehaving("no-interface")], 0),
    ("inspect", ["inspect", "nowhere.wasm"], 2),
    ("inspect", ["inspect", "shout.c"], 1),
    ("check", ["check"], 0),
    ("check", ["check", "--verbose"], 0),
    ("link", ["link"], 0),
    ("init", ["init", "fresh", "--language", "c", "--no-git"], 0),
    ("init", ["init", "fresh", "--language", "cobol"], 2),
    ("build", ["build", "shout.c"], 2),
    ("build", ["build", "--component", "shuot"], 2),
    ("run", ["run", "generate count=3 ! null"], 0),
    ("run", ["run", f"generate count=100 ! {component('upper-batch')} ! null", "--verbose"], 0),
    ("run", ["run", f"generate count=100 ! {misbehaving('leak')} ! null"], 0),
    ("run", ["run", f"generate count=100 ! {misbehaving('trap')} at=6 ! null"], 1),
    ("run", ["run", f"generate count=100 ! {misbehaving('fail-at')} at=6 @on_error=skip ! null"], 0),
    ("run", ["run", "file nowhere.log ! null"], 2),
    ("run", ["run", "file 'open"], 2),
    ("run", ["run", "--flow", "a"], 0),
    ("run", ["run", "--flow", "a", "--flow", "b"], 0),
    ("run", ["run", "--flow", "c"], 2),
    ("operate", ["ps", "--host", "nobody"], 2),
    ("operate", ["level", "--host", "nobody", "off"], 2),
    ("head", ["serve", "--manifest", "nowhere.toml"], 2),
    ("head", ["rnu"], 2),
    ("head", ["run", "--limt"], 2),
]


def check(schema: str, report: dict) -> None:
    resolver = jsonschema.RefResolver(base_uri=SCHEMAS[schema]["$id"], referrer=SCHEMAS[schema], store=STORE)
    jsonschema.Draft202012Validator(SCHEMAS[schema], resolver=resolver).validate(report)


@pytest.mark.parametrize("schema, arguments, code", CASES, ids=[" ".join(map(str, case[1]))[:60] for case in CASES])
def test_reports_are_as_described(torvyn, tmp_path, schema, arguments, code):
    (tmp_path / "Torvyn.toml").write_text(MANIFEST)
    (tmp_path / "shout.c").write_text("int x;\n")
    outcome = torvyn(*arguments, "--format", "json")
    report = outcome.json()
    check(schema, report)
    assert outcome.code == report["exit_code"]
    assert code in (None, outcome.code)
    assert outcome.err == ""


@pytest.mark.parametrize("schema", sorted(SCHEMAS))
def test_schemas_are_schemas(schema):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[schema])
    assert SCHEMAS[schema]["$id"] == f"{schema}.json"


def test_schemas_are_closed(torvyn):
    report = torvyn("version", "--format", "json").json()
    for wrong in ({**report, "colour": "red"}, {**report, "engine": 48}, {key: report[key] for key in report if key != "bridge"}):
        with pytest.raises(jsonschema.ValidationError):
            check("version", wrong)


def test_every_schema_is_held_against_a_command():
    assert set(SCHEMAS) == {case[0] for case in CASES}
