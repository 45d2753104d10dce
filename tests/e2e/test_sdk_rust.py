"""The Rust SDK and its templates: built, run, and looked at."""

import re
from pathlib import Path

import pytest

import rust_projects
from conftest import Torvyn, default_environment
from flows import flow, generate, hello, run, stage, write

TEMPLATES = sorted(path.name for path in rust_projects.TEMPLATES.iterdir() if (path / "Torvyn.toml").exists())
# Templates whose stage is exported by the other contract too: nothing else about them changes.
PER_ELEMENT = ["source", "filter", "router", "sink", "aggregator"]


@pytest.fixture(scope="session")
def builder(tmp_path_factory, home) -> Torvyn:
    return Torvyn(tmp_path_factory.mktemp("build"), default_environment(home))


@pytest.fixture(scope="session")
def projects(tmp_path_factory, builder):
    """The folder of a template's project, built."""
    made = {}

    def project(template: str) -> Path:
        if template not in made:
            made[template] = tmp_path_factory.mktemp(template) / f"rs-{template}"
            rust_projects.write_project(made[template], template, f"rs-{template}")
            crates = [f"rs-{template}"]
            if template == "full-pipeline":
                crates = [f"rs-{template}-{role}" for role in ("source", "processor", "sink")]
            rust_projects.build(made[template], builder, crates)
            rust_projects.use_built(made[template])
        return made[template]

    return project


@pytest.fixture(scope="session")
def built(tmp_path_factory, builder):
    """Components of tests/components/rust, and per-element forms of templates, by name."""
    sources = {path.stem: path for path in rust_projects.SOURCES.glob("*.rs")}
    for template in PER_ELEMENT:
        path = rust_projects.TEMPLATES / template / "src" / "lib.rs"
        text, count = re.subn(r"(torvyn::\w+!\((?:type )?\w+)\);", r"\1, per_element);", path.read_text())
        assert count == 1
        sources[f"{template}-each"] = (path, text)
    project = tmp_path_factory.mktemp("sources")
    rust_projects.write_workspace(project, sources)
    return rust_projects.build(project, builder, list(sources))


def lines_of(outcome, node: str) -> list[str]:
    return [line.removeprefix(f"[{node}] ") for line in outcome.err.splitlines() if line.startswith(f"[{node}] ")]


# ---- templates ----------------------------------------------------------------------------------------------------------

def test_every_template_is_there():
    assert TEMPLATES == ["aggregator", "empty", "filter", "full-pipeline", "router", "sink", "source", "transform"]


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "empty"])
def test_a_templates_unit_tests_pass(tmp_path, template):
    rust_projects.write_project(tmp_path, template, f"rs-{template}")
    rust_projects.run_unit_tests(tmp_path)


def run_project(torvyn, project: Path):
    outcome = torvyn("-C", project, "run")
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.mark.parametrize("template, printed", [
    ("transform", "THE QUICK BROWN FOX\nJUMPS OVER THE LAZY DOG\nGRÜSSE AUS KÖLN\n"),
    ("filter", "ERROR disk full\nERROR no route to host\n"),
    ("router", "ERROR disk full\nERROR no route to host\n"),
    ("aggregator", "2 ERROR\n3 INFO\n1 WARN\n"),
    ("source", "1\n2\n3\n4\n5\n"),
])
def test_a_template_prints(torvyn, projects, template, printed):
    assert run_project(torvyn, projects(template)).out.decode() == printed


def test_the_routers_other_port_is_a_file(torvyn, projects):
    run_project(torvyn, projects("router"))
    assert (projects("router") / "target" / "warnings.log").read_text() == "WARN low on disk space\n"


def test_the_sink_says_at_the_end_what_came(torvyn, projects):
    outcome = run_project(torvyn, projects("sink"))
    assert lines_of(outcome, "count") == [f"1000 elements, {sum(len(f'hello {n}') + 1 for n in range(1000))} bytes"]


def test_the_full_pipeline_skips_what_is_broken(torvyn, projects):
    outcome = run_project(torvyn, projects("full-pipeline"))
    assert lines_of(outcome, "highest") == ["attic: 60.8", "cellar: 60.8", "garden: 60.8"]
    assert "1,000 pulled = 900 delivered + 100 skipped" in outcome.err


@pytest.mark.parametrize("template", ["transform", "source", "sink", "filter", "router", "aggregator"])
def test_a_component_imports_nothing_of_wasi(torvyn, projects, template):
    report = torvyn("inspect", projects(template) / "target" / f"rs-{template}.wasm", "--format", "json")
    assert report.code == 0
    assert "wasi:" not in report.out.decode()
    assert "torvyn:batching/batch-" in report.out.decode()


# ---- the other contract -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("template, pipeline, printed", [
    ("source", "{} from=8 to=9 ! stdout", "8\n9\n"),
    ("filter", "file app.log ! {} WARN ! stdout", "WARN low on disk space\n"),
    ("aggregator", "file app.log ! {} ! stdout", "2 ERROR\n3 INFO\n1 WARN\n"),
])
def test_the_per_element_form_prints_the_same(torvyn, built, tmp_path, template, pipeline, printed):
    (tmp_path / "app.log").write_bytes((rust_projects.TEMPLATES / "filter" / "data" / "app.log").read_bytes())
    outcome = torvyn("run", pipeline.format(built[f"{template}-each"]))
    assert (outcome.code, outcome.out.decode()) == (0, printed), outcome.err
    assert "torvyn:batching/batch-" not in torvyn("inspect", built[f"{template}-each"]).out.decode()


def test_the_per_element_router_and_sink_work_too(torvyn, built):
    nodes = {"in": generate(5), "route": stage(built["router-each"]), "count": stage(built["sink-each"])}
    result = run(torvyn, flow(nodes, "in -> route", "route.rest -> count", "route.errors -> count", "route.warnings -> count"))
    result.ends(0, delivered=5)
    assert result.lines_of("count") == ["5 elements, 40 bytes"]


def test_a_per_element_processor_gives_one_output_at_most(torvyn, built):
    upper = built["upper_each"]
    outcome = torvyn("run", f"stdin ! {upper} @on_error=skip ! stdout", stdin=b"a\nsame\nnone\nbad\nb\n")
    assert outcome.out == b"A\nsame\nB\n"
    assert "5 pulled = 3 delivered + 1 filtered + 1 skipped" in outcome.err
    torvyn("run", f"stdin ! {upper} ! stdout", stdin=b"twice\n").fails(1, "E0403", "2 outputs of one call", "without `per_element`")


# ---- processors ---------------------------------------------------------------------------------------------------------

def test_one_element_may_become_many_or_none(torvyn, built):
    outcome = torvyn("run", f"stdin ! {built['repeats']} times=2 words=true ! stdout", stdin=b"a b\nnone\nc\n")
    assert outcome.out == b"a\nb\na\nb\nc\nc\n"
    assert "3 pulled = 2 delivered + 1 filtered" in outcome.err


def test_an_error_is_about_one_element(torvyn, built):
    lines = b"".join(b"bad\n" if n % 7 == 3 else b"%d\n" % n for n in range(100))
    outcome = torvyn("run", f"stdin ! {built['repeats']} times=1 @on_error=skip ! stdout", stdin=lines)
    assert outcome.out == lines.replace(b"bad\n", b"")
    assert "86 delivered + 14 skipped" in outcome.err
    failed = torvyn("run", f"stdin ! {built['repeats']} times=1 ! stdout", stdin=lines)
    failed.fails(1, "error[E0403]", "invalid-input: it is bad", "element 3")
    assert failed.out == b"0\n1\n2\n"


def test_much_of_little_needs_no_memory_for_it(torvyn, built):
    """19 MB of each of three elements, in a component with 8 MiB."""
    nodes = {"in": generate(3, size=64), "node": stage(built["repeats"], {"times": "300000"}, max_memory="8MiB", timeout="60s"),
             "out": stage("null")}
    result = run(torvyn, flow(nodes)).ends(0, delivered=3)
    assert result.stages["node"]["elements_out"] == 900_000


def test_outputs_larger_than_a_buffer_leave_in_parts(torvyn, built, tmp_path):
    head = "[capabilities.torvyn]\nmax-buffer-size = \"4KiB\"\n"
    nodes = {"in": generate(50), "node": stage(built["repeats"], {"times": "100"}), "out": write("out.log")}
    run(torvyn, flow(nodes), head=head).ends(0, delivered=50)
    assert (tmp_path / "out.log").read_bytes() == b"".join(hello([n]) * 100 for n in range(50))


def test_one_output_that_no_buffer_holds_is_an_error_about_its_element(torvyn, built):
    outcome = torvyn("run", f"stdin ! {built['repeats']} times=1 large=20000000 ! stdout", stdin=b"a\nlarge\nb\n")
    outcome.fails(1, "E0403", "an output of 20000000 bytes is larger than the host's largest buffer", "element 1")
    assert outcome.out == b"a\n"


def test_a_run_can_be_had_whole(torvyn, built):
    pipeline = f"stdin ! {built['upper_run']} @on_error=skip ! stdout"
    assert torvyn("run", pipeline, stdin=b"a\nb\nbad\nc\n").out == b"A\nB\nC\n"


def test_what_travels_beside_an_element_is_told(torvyn, built, tmp_path):
    nodes = {"in": generate(2), "node": stage(built["tells"]), "out": write("out.log")}
    run(torvyn, flow(nodes, deadline="1h")).ends(0, delivered=2)
    assert (tmp_path / "out.log").read_text() == "".join(f"main {n} 8 text/plain true (32, 16) true\n" for n in range(2))


@pytest.mark.parametrize("name", ["upper", "upper_in_place", "upper_run", "upper_each"])
def test_a_million_elements_need_no_more_memory_than_a_hundred(torvyn, built, name):
    pipeline = f"generate count={{}} ! {built[name]} ! null"
    few, many = (torvyn.report(pipeline.format(count)) for count in (100, 1_000_000))
    assert many["flow"]["delivered"] == 1_000_000
    memory = [report["stages"][1]["memory_bytes"] for report in (few, many)]
    assert memory[1] <= memory[0] + 512 * 1024, memory
    assert sum(tier["allocated"] - tier["returned"] for tier in many["pools"]) == 0


# ---- settings -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings, words", [
    ("how=panic", ["no `at`: give at=…, a whole number from 0 on"]),
    ("at=soon", ['`at` is "soon", not a whole number from 0 on']),
    ("att=1", ["unknown setting `att`, did you mean `at`?"]),
])
def test_settings_that_do_not_fit_are_told(torvyn, built, settings, words):
    torvyn("run", f"generate count=1 ! {built['panics']} {settings} ! null").fails(1, "error[E0411]", *words)


def test_a_function_has_no_settings(torvyn, built):
    torvyn("run", f"generate count=1 ! {built['upper']} a=b ! null").fails(1, "error[E0206]")


# ---- the end of a component -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how, message", [
    ("panic", 'node panicked: I cannot shout this: "hello 2\\n"'),
    ("lines", "node panicked: one"),
    ("unwrap", "node panicked: called `Result::unwrap()` on an `Err` value: ParseIntError"),
    ("index", "node panicked: index out of bounds: the len is 8 but the index is 1002"),
])
def test_a_panic_arrives_with_its_message_and_place(torvyn, built, how, message):
    nodes = {"in": generate(5), "node": stage(built["panics"], {"at": "2", "how": how}), "out": stage("null")}
    result = run(torvyn, flow(nodes))
    result.fails(1, f"error[E0420]: {message}", "src/lib.rs:")
    assert "unreachable" not in result.err
    assert "panicking::" not in result.err
    [error] = result.errors
    assert re.fullmatch(r"at (panics/)?src/lib\.rs:\d+:\d+", error["guest_backtrace"][0])
    if how == "panic":
        lines = (rust_projects.SOURCES / "panics.rs").read_text().splitlines()
        [number] = [number for number, line in enumerate(lines, 1) if "I cannot shout this" in line]
        assert f"src/lib.rs:{number}:" in error["guest_backtrace"][0]
    if how == "lines":
        assert error["message"] == "node panicked: one\ntwo: hello 2\n"


def test_a_panic_in_init_is_told_too(torvyn, built):
    torvyn("run", f"generate count=1 ! {built['panics']} at=0 how=init ! null").fails(1, "E0420", "panicked: I cannot start")


def test_after_a_panic_a_flow_can_go_on(torvyn, built, tmp_path):
    node = stage(built["panics"], {"at": "2"}, on_trap="restart", on_error="skip")
    run(torvyn, flow({"in": generate(100), "node": node, "out": write("out.log")})).ends(0, delivered=99, skipped=1)
    assert (tmp_path / "out.log").read_bytes() == hello(n for n in range(100) if n != 2)


# ---- sources ------------------------------------------------------------------------------------------------------------

def test_a_source_is_told_of_its_elements_and_dropped_at_the_end(torvyn, built):
    outcome = torvyn("run", f"{built['acked']} ! stdout")
    assert outcome.out == b"".join(b"%d\n" % n for n in range(10))
    told = lines_of(outcome, "acked")
    assert told[-2:] == ["acked 10", "gone"], told
