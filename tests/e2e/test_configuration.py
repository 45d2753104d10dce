"""Settings from where they may be written, and the schema and pages made of their definitions."""

import json
import subprocess
import tomllib

import jsonschema
import pytest

from conftest import BINARY, ROOT, component, misbehaving

HEAD = """\
[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"
"""

FLOW = f"""
[flow.main.nodes.lines]
component = "builtin:generate"
config = {{ count = 2 }}

[flow.main.nodes.upper]
component = "{component("upper")}"

[flow.main.nodes.out]
component = "builtin:stdout"
"""

# The project's own: those of examples, tests and templates.
MANIFESTS = sorted(path for path in ROOT.glob("*/**/Torvyn.toml") if "build" not in path.parts and "{{" not in path.read_text())

# What both the schema and the reader refuse.
BAD = {
    "no project": "",
    "a name that is none": HEAD.replace('"demo"', '"My Demo"'),
    "a version that is none": HEAD.replace('"0.1.0"', '"1"', 1),
    "a project without version": HEAD.replace('version = "0.1.0"\n', "", 1),
    "an unknown section": HEAD + "[runtme]\n",
    "an unknown key": HEAD + "[runtime]\nmax_batsch = 1\n",
    "an unknown key of a node": HEAD + '[flow.main.nodes.a]\ncomponnet = "x"\n',
    "a node without component": HEAD + "[flow.main.nodes.a]\nretries = 1\n",
    "a node's name that is none": HEAD + '[flow.main.nodes."a.b"]\ncomponent = "x"\n',
    "a section that is no table": "runtime = 5\n" + HEAD,
    "text for a number": HEAD + '[runtime]\nmax_batch = "64"\n',
    "a number out of range": HEAD + "[runtime]\nmax_batch = 0\n",
    "a time without unit": HEAD + '[runtime]\ninvocation_timeout = "5"\n',
    "a time as a number": HEAD + "[runtime]\ninvocation_timeout = 5\n",
    "a size that is none": HEAD + '[runtime]\nmax_memory = "64 megabytes"\n',
    "a word that is no choice": HEAD + '[runtime.backpressure]\nbackpressure_policy = "drop"\n',
    "a ratio of one": HEAD + "[runtime.backpressure]\nlow_watermark_ratio = 1.0\n",
    "a share above one": HEAD + "[observability]\nsample_rate = 1.5\n",
    "an address without port": HEAD + '[observability]\nlisten = "localhost"\n',
    "permissions that are none": HEAD + '[api]\nsocket_mode = "0999"\n',
    "an unknown capability": HEAD + '[security]\ndefault_grants = ["clock"]\n',
    "a content type that is none": HEAD + '[[component]]\nname = "a"\npath = "b"\naccepts = ["json"]\n',
    "an unknown language": HEAD + '[[component]]\nname = "a"\npath = "b"\nlanguage = "cobol"\n',
    "an edge without end": HEAD + '[[flow.main.edges]]\nfrom = "a"\n',
    "ceilings in a project": HEAD + '[ceilings]\nmax_memory = "1GiB"\n',
    "on_error of an unknown case": HEAD + '[flow.main.nodes.a]\ncomponent = "x"\non_error = { broken = "skip" }\n',
}


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    text = subprocess.run([str(BINARY), "check", "--schema"], check=True, capture_output=True, text=True).stdout
    described = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(described)
    return jsonschema.Draft202012Validator(described)


@pytest.fixture
def project(tmp_path):
    def write(text: str = "", flow: str = FLOW) -> None:
        (tmp_path / "Torvyn.toml").write_text(HEAD + text + flow)
    write()
    return write


class TestSchema:
    def test_and_the_tables_of_the_documentation_are_current(self):
        done = subprocess.run([str(ROOT / "tools" / "config-docs"), "--check"], env={"TORVYN_BIN": str(BINARY), "PATH": "/usr/bin:/bin"},
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_finds_manifests_to_try(self):
        assert len(MANIFESTS) >= 4

    @pytest.mark.parametrize("path", MANIFESTS, ids=[str(path.parent.relative_to(ROOT)) for path in MANIFESTS])
    def test_says_what_the_reader_says_of_each_manifest_there_is(self, torvyn, schema, path):
        try:
            described = list(schema.iter_errors(tomllib.loads(path.read_text())))
        except tomllib.TOMLDecodeError as error:
            described = [error]
        outcome = torvyn("check", "--manifest", path, "--format", "json")
        reader = [error["message"] for error in outcome.json()["errors"]]
        # The schema knows less: what several keys say together, and how large a size is.
        if described:
            assert outcome.code != 0, described
        else:
            assert outcome.code == 0 or "mistakes" in path.parts, reader

    @pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
    def test_refuses_what_the_reader_refuses(self, torvyn, schema, tmp_path, text):
        assert list(schema.iter_errors(tomllib.loads(text)))
        (tmp_path / "Torvyn.toml").write_text(text)
        outcome = torvyn("check", "--format", "json")
        assert outcome.code == 1
        assert outcome.json()["errors"][0]["code"] in ("E0700", "E0701", "E0702")

    def test_accepts_every_default_and_example_as_the_reader_does(self, torvyn, schema, tmp_path):
        """Each key alone, with what its own description says of it."""
        def keys(section: dict, path: str):
            for name, key in section.get("properties", {}).items():
                own = key.get("x-torvyn", {})
                if own.get("example", "[").startswith("["):
                    yield from keys(key, f"{path}.{name}")
                else:
                    yield path, own["example"]
        lines = [(path, example) for name in ("runtime", "observability", "api", "log", "security", "registry")
                 for path, example in keys(schema.schema["$defs"][name], name)]
        assert len(lines) > 50
        text = HEAD
        for path in dict.fromkeys(path for path, _ in lines):
            text += f"[{path}]\n" + "".join(f"{example}\n" for other, example in lines if other == path)
        assert not list(schema.iter_errors(tomllib.loads(text)))
        (tmp_path / "Torvyn.toml").write_text(text)
        assert torvyn("check", "--format", "json").code == 0


class TestLayers:
    def values(self, torvyn, *arguments, **options) -> dict:
        outcome = torvyn("check", "--verbose", "--format", "json", *arguments, **options)
        assert outcome.code == 0, outcome.out
        return {one["path"]: one for one in outcome.json()["configuration"]}

    def test_the_stronger_one_holds_and_is_named(self, torvyn, project, home, tmp_path):
        own_home = tmp_path / "own"
        own_home.mkdir()
        (own_home / "config.toml").write_text("[runtime]\nmax_batch = 2\nmax_instances = 2\nworker_threads = 2\n")
        project("[runtime]\nmax_batch = 3\nmax_instances = 3\n")
        environment = {"TORVYN_HOME": str(own_home), "TORVYN_RUNTIME_MAX_BATCH": "4"}
        values = self.values(torvyn, env=environment)
        assert values["runtime.worker_threads"]["origin"] == {"layer": "user", "file": str(own_home / "config.toml"), "line": 4, "column": 18}
        assert values["runtime.max_instances"]["origin"] == {"layer": "project", "file": "Torvyn.toml", "line": 7, "column": 17}
        assert values["runtime.max_batch"]["origin"] == {"layer": "environment", "variable": "TORVYN_RUNTIME_MAX_BATCH"}
        assert [values[f"runtime.{key}"]["value"] for key in ("worker_threads", "max_instances", "max_batch")] == [2, 3, 4]
        values = self.values(torvyn, "--set", "runtime.max_batch=5", env=environment)
        assert (values["runtime.max_batch"]["value"], values["runtime.max_batch"]["origin"]) == (5, {"layer": "command-line"})

    def test_people_see_them_too(self, torvyn, project):
        project("[runtime]\nmax_batch = 3\n")
        outcome = torvyn("check", "--verbose", "--set", "flow.main.nodes.upper.timeout=250ms")
        assert outcome.code == 0, outcome.err
        rows = [line.split() for line in outcome.out.decode().splitlines()]
        assert ["max_batch", "3", "Torvyn.toml:6:13"] in rows
        assert ["timeout", '"250ms"', "--set"] in rows
        assert ["max_handles", "4096", "default"] in rows

    def test_they_hold_when_a_flow_runs(self, torvyn, project):
        outcome = torvyn("run", "--format", "json", "--set", "flow.main.nodes.lines.config.count=7")
        assert outcome.json("err")["flow"]["pulled"] == 7

    def test_a_node_may_log_less_than_others(self, torvyn, tmp_path):
        node = f'component = "{misbehaving("log-sink")}"\nmax_log = "100B/s"\n'
        (tmp_path / "Torvyn.toml").write_text(HEAD + FLOW.replace("count = 2", "count = 200").split("[flow.main.nodes.upper]")[0]
                                              + "[flow.main.nodes.out]\n" + node)
        outcome = torvyn("run")
        assert outcome.code == 0, outcome.err
        assert 0 < outcome.err.count("[out]") < 20

    def test_a_pipeline_has_them_as_well(self, torvyn, home):
        outcome = torvyn("run", "generate count=3 ! null", env={"TORVYN_RUNTIME_MAX_BATCH": "none"})
        outcome.fails(1, "error[E0700]", "TORVYN_RUNTIME_MAX_BATCH=none", "<environment>:1:26")

    @pytest.mark.parametrize("assignment, code, words", [
        ("runtime.max_batsch=1", "E0701", ["did you mean `max_batch`?", "<--set>:1:9"]),
        ("runtime.max_batch=0", "E0702", ["it must be 1 to 65536"]),
        ("flow.main.nodes.uper.timeout=1s", "E0207", ["did you mean `upper`?"]),
        ("runtime.max_batch", "E0006", ["it has no value"]),
    ])
    def test_a_mistake_in_an_assignment_is_shown_there(self, torvyn, project, assignment, code, words):
        outcome = torvyn("check", "--set", assignment)
        assert outcome.code in (1, 2)
        for word in [f"error[{code}]", assignment, *words]:
            assert word in outcome.err

    def test_an_unknown_variable_is_a_warning(self, torvyn, project):
        environment = {"TORVYN_RUNTIME_MAX_BATSCH": "1", "TORVYN_SECURITY_DEFAULT_GRANTS": "spawn", "TORVYN_LOG": "info"}
        outcome = torvyn("check", env=environment)
        assert outcome.code == 0
        assert outcome.err.count("warning[W0701]") == 2
        assert "did you mean `TORVYN_RUNTIME_MAX_BATCH`?" in outcome.err

    def test_a_setting_without_effect_is_a_warning_with_its_place(self, torvyn, project):
        project("[runtime]\nfuel_per_invocation = 500\n[observability]\nsample_rate = 1.0\n")
        for arguments in (["check"], ["run"]):
            outcome = torvyn(*arguments)
            assert outcome.code == 0, outcome.err
            lines = [line for line in outcome.err.splitlines() if line.startswith("warning[W0700]")]
            assert len(lines) == 2
            assert "`runtime.fuel_per_invocation`" in lines[0] and lines[0].endswith("(Torvyn.toml:6:1)")
        warning = torvyn("check", "--format", "json").json()["warnings"][0]
        assert (warning["code"], warning["file"], warning["line"], warning["column"]) == ("W0700", "Torvyn.toml", 6, 1)

    def test_a_manifest_is_needed_to_check(self, torvyn):
        torvyn("check").fails(2, "error[E0001]")


class TestReferences:
    """`${env:NAME}` and `${file:PATH}` in a node's settings."""

    def flow_with(self, **settings) -> str:
        inside = ", ".join(f"{key} = '{value}'" for key, value in settings.items())
        return FLOW.replace("{ count = 2 }", f"{{ {inside} }}")

    def test_are_filled_in_when_the_flow_starts(self, torvyn, project, tmp_path):
        (tmp_path / "count").write_text("2\n")
        project(flow=self.flow_with(count="${file:count}"))
        outcome = torvyn("run", "--format", "json")
        assert outcome.json("err")["flow"]["pulled"] == 2
        project(flow=self.flow_with(count="${env:COUNT}"))
        assert torvyn("run", "--format", "json", env={"COUNT": "3"}).json("err")["flow"]["pulled"] == 3
        outcome = torvyn("run", "generate count=${env:COUNT} ! null", "--format", "json", env={"COUNT": "4"})
        assert outcome.code == 0, outcome.out

    def test_that_are_missing_are_errors_at_their_place(self, torvyn, project):
        project(flow=self.flow_with(count="${env:NOT_SET}"))
        torvyn("run").fails(1, "error[E0703]", "`${env:NOT_SET}`", "Torvyn.toml:8:12", "export NOT_SET=")
        assert torvyn("check").code == 0  # a machine that only checks needs no secrets

    def test_are_shown_where_their_values_would_be(self, torvyn, project):
        project(flow=self.flow_with(count="${env:SECRET}"))
        outcome = torvyn("run", env={"SECRET": "hunter2-hunter2"})
        assert outcome.code != 0
        assert "hunter2" not in outcome.err + outcome.out.decode()
        assert "${env:SECRET}" in outcome.err
        for arguments in (["--verbose"], ["--verbose", "--format", "json"]):
            outcome = torvyn("check", *arguments, env={"SECRET": "hunter2-hunter2"})
            assert b"${env:SECRET}" in outcome.out
            assert b"hunter2" not in outcome.out

    def test_are_shown_in_the_lines_of_guests_too(self, torvyn):
        pipeline = f"generate count=1 text=${{env:SECRET}} ! {misbehaving('log-sink')}"
        outcome = torvyn("run", pipeline, env={"SECRET": "hunter2-hunter2"})
        assert outcome.code == 0, outcome.err
        assert "hunter2" not in outcome.err
        assert "[log-sink] 0 `` `${env:SECRET}`" in outcome.err.replace("text/plain", "").replace("; charset=utf-8", "")
