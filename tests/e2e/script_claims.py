"""What holds for stages of Python and of JavaScript alike: test_sdk_python.py and test_sdk_javascript.py run these claims."""

import subprocess
import sys
from pathlib import Path

import pytest

import scripts

STAGES = Path(__file__).parent / "stages"
SDK_TESTS = {language: scripts.SDK / language for language in ("python", "javascript")}
SUFFIX = {"python": "py", "javascript": "js"}


class Workshop:
    """Components, each built once a session: a component takes some ten seconds to build and as many to load first."""

    def __init__(self, language: str, folder: Path) -> None:
        self.language = language
        self.suffix = SUFFIX[language]
        self.folder = folder

    def component(self, name: str) -> Path:
        return self._made(STAGES / f"{name}.{self.suffix}")

    def of_template(self, name: str) -> Path:
        project = self.folder / "full-pipeline"
        if not project.exists():
            scripts.new_project("full-pipeline", self.language, project)
        return self._made(project / f"{name}.{self.suffix}")

    def _made(self, source: Path) -> Path:
        output = self.folder / f"{source.stem}.wasm"
        if not output.exists():
            scripts.build(source, output)
        return output


def stage(report: dict, node: str) -> dict:
    return next(each for each in report["stages"] if each["node"] == node)


class ScriptClaims:
    language: str
    broken_message: str  # of `broken` in the kitchen, as the language words it
    growth_bytes_max = 0  # of a component's memory, while 320 MB pass through it

    @pytest.fixture(scope="class")
    def workshop(self, tmp_path_factory):
        return Workshop(self.language, tmp_path_factory.mktemp(self.language))

    def words(self, tmp_path: Path, *words: str) -> Path:
        path = tmp_path / "words.txt"
        path.write_text("".join(f"{word}\n" for word in words))
        return path

    def cook(self, torvyn, workshop, words: Path, settings: str):
        return torvyn("run", f"file {words} ! {workshop.component('kitchen')} {settings} ! stdout")

    def test_a_function_of_one_element(self, torvyn, workshop, tmp_path):
        outcome = self.cook(torvyn, workshop, self.words(tmp_path, "one", "größer"), "how=upper")
        assert (outcome.code, outcome.out.decode()) == (0, "ONE\nGRÖSSER\n"), outcome.err
        assert "[kitchen] closed" in outcome.err

    def test_one_write_a_run(self, torvyn, workshop):
        report = torvyn.report(f"generate count=1000 ! {workshop.component('kitchen')} how=upper ! null")
        assert stage(report, "kitchen")["copies"] == 2 * -(-1000 // 64)
        assert stage(report, "kitchen")["contract"] == "batch"

    def test_several_outputs(self, torvyn, workshop, tmp_path):
        outcome = self.cook(torvyn, workshop, self.words(tmp_path, "one", "two"), "how=several")
        assert outcome.out.decode() == "oneäone\n{}\ntwoätwo\n{}\n", outcome.err

    def test_no_output_is_filtered(self, torvyn, workshop):
        report = torvyn.report(f"generate count=100000 ! {workshop.component('kitchen')} how=nothing ! null")
        assert report["flow"]["filtered"] == 100_000
        assert report["warnings"] == []

    def test_memory_stays_and_no_handle_is_kept(self, torvyn, workshop):
        flow = f"generate size=1600 count={{}} ! {workshop.component('kitchen')} how=upper @max_memory=256MiB ! null"
        few, many = (torvyn.report(flow.format(count)) for count in (20_000, 120_000))
        assert many["flow"]["delivered"] == 120_000
        assert stage(many, "kitchen")["memory_bytes"] - stage(few, "kitchen")["memory_bytes"] <= self.growth_bytes_max
        assert many["warnings"] == []

    def test_an_error_is_about_one_element(self, torvyn, workshop, tmp_path):
        words = self.words(tmp_path, "a", "b", "c", "d")
        outcome = self.cook(torvyn, workshop, words, "how=invalid at=2 @on_error=skip")
        assert (outcome.code, outcome.out) == (0, b"a\nb\n"), outcome.err
        assert "invalid-input" in outcome.err and "not to be eaten" in outcome.err
        outcome = self.cook(torvyn, workshop, words, "how=invalid at=2")
        outcome.fails(1, "not to be eaten", "element 2")

    def test_an_exception_arrives_with_its_place(self, torvyn, workshop, tmp_path):
        source = STAGES / f"kitchen.{workshop.suffix}"
        line = next(number for number, text in enumerate(source.read_text().splitlines(), 1) if "spoon" in text)
        outcome = self.cook(torvyn, workshop, self.words(tmp_path, "a", "b"), "how=broken at=1")
        outcome.fails(1, f"{self.broken_message} ({source.name}:{line}", "element 1")

    def test_endless_recursion_is_an_error_too(self, torvyn, workshop, tmp_path):
        outcome = self.cook(torvyn, workshop, self.words(tmp_path, "a", "b"), "how=deep at=1 @on_error=skip")
        assert (outcome.code, outcome.out) == (0, b"a\n"), outcome.err
        assert "recursion" in outcome.err

    def test_large_outputs_go_out_in_parts_and_too_large_ones_are_told(self, torvyn, workshop):
        report = torvyn.report(f"generate count=20 ! {workshop.component('kitchen')} how=large @max_memory=256MiB @on_error=skip ! null")
        assert (report["flow"]["delivered"], report["flow"]["skipped"]) == (19, 1)
        assert "more than the host's largest buffer holds" in report["flow"]["skipped_errors"][0]["message"]

    def test_an_element_can_be_kept(self, torvyn, workshop, tmp_path):
        outcome = self.cook(torvyn, workshop, self.words(tmp_path, "a", "b", "c"), "how=keep")
        assert outcome.out == b"a\na,b\na,b,c\n", outcome.err

    def test_what_is_printed_is_shown_and_numbers_are_random(self, torvyn, workshop):
        seen = set()
        for _ in range(2):
            outcome = torvyn("run", f"generate count=2 ! {workshop.component('kitchen')} how=tell ! stdout")
            assert "[kitchen] printed 0" in outcome.err and "[kitchen] printed 1" in outcome.err, outcome.err
            lines = outcome.out.decode().splitlines()
            assert [line.split(" ")[1].lower() for line in lines] == ["true", "true"]
            assert [line.split(" ")[-2:] for line in lines] == [["main", "32"]] * 2
            seen |= {line.split(" ")[0] for line in lines}
        assert len(seen) == 4, "drawn when the component was made"

    def test_wrong_settings_are_named(self, torvyn, workshop):
        kitchen = workshop.component("kitchen")
        torvyn("run", f"generate count=1 ! {kitchen} ! null").fails(1, "E0411", "the setting `how` is missing")
        torvyn("run", f"generate count=1 ! {kitchen} hwo=upper ! null").fails(1, "E0411", "unknown setting `hwo`; there are how, at")
        torvyn("run", f"generate count=1 ! {kitchen} how=refuse ! null").fails(1, "E0411", "no such dish", f"kitchen.{workshop.suffix}:")
        assert torvyn("run", f"generate count=1 ! {kitchen} upper ! stdout").out == b"HELLO 0\n"

    def test_a_source_ends_and_a_sink_completes(self, torvyn, workshop):
        outcome = torvyn("run", f"{workshop.of_template('readings')} count=5 ! {workshop.of_template('report')}")
        assert outcome.code == 0, outcome.err
        said = [line.removeprefix("[report] ") for line in outcome.err.splitlines() if line.startswith("[report]")]
        assert said == ["kitchen 20 F", "cellar 11 F", "kitchen 22 F", "cellar 13 F", "kitchen 24 F", "5 readings"]

    def test_a_source_of_many(self, torvyn, workshop):
        report = torvyn.report(f"{workshop.of_template('readings')} count=100000 ! null")
        assert report["flow"]["delivered"] == 100_000
        assert report["warnings"] == []

    def test_an_aggregator(self, torvyn, workshop, tmp_path):
        words = self.words(tmp_path, "b", "a", "", "b", "c", "b")
        outcome = torvyn("run", f"file {words} ! {workshop.component('totals')} tell_each=2 @on_error=skip ! stdout")
        assert (outcome.code, outcome.out) == (0, b"b again\na 1\nb 3\nc 1\n"), outcome.err

    def test_a_router(self, torvyn, workshop, tmp_path):
        words = self.words(tmp_path, "it", "was", "", "nighttime", "again", "the")
        (tmp_path / "Torvyn.toml").write_text(f"""
[torvyn]
name = "words"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main.nodes.in]
component = "builtin:file"
config = {{ path = "{words.name}" }}
[flow.main.nodes.route]
component = "{workshop.component('route')}"
on_error = "skip"
[flow.main.nodes.short]
component = "builtin:file"
config = {{ path = "short.txt" }}
[flow.main.nodes.long]
component = "builtin:file"
config = {{ path = "long.txt" }}
[[flow.main.edges]]
from = "in"
to = "route"
[[flow.main.edges]]
from = "route.short"
to = "short"
[[flow.main.edges]]
from = "route.long"
to = "long"
""")
        outcome = torvyn("run")
        assert outcome.code == 0, outcome.err
        assert (tmp_path / "short.txt").read_text() == "it\nwas\nthe\n"
        assert (tmp_path / "long.txt").read_text() == "was\nagain\nthe\n"

    def test_the_contract_of_one_element_a_call(self, torvyn, workshop, tmp_path):
        output = workshop.folder / "by-element" / "kitchen.wasm"
        if not output.exists():
            output.parent.mkdir()
            scripts.build(STAGES / f"kitchen.{workshop.suffix}", output, world="managed-transform")
        words = self.words(tmp_path, "a", "b", "c")
        outcome = torvyn("run", f"file {words} ! {output} how=upper ! stdout")
        assert (outcome.code, outcome.out) == (0, b"A\nB\nC\n"), outcome.err
        torvyn("run", f"file {words} ! {output} how=broken at=1 ! null").fails(1, self.broken_message, "element 1")
        torvyn("run", f"file {words} ! {output} how=several ! null").fails(1, "takes one at most")
        report = torvyn.report(f"generate count=3000 ! {output} how=upper ! null")
        assert stage(report, "kitchen")["contract"] != "batch"
        assert (report["flow"]["delivered"], report["warnings"]) == (3000, [])

    @pytest.mark.parametrize("template", ["source", "sink", "transform", "filter", "full-pipeline"])
    def test_a_project_passes_its_own_tests(self, template, tmp_path):
        project = scripts.new_project(template, self.language, tmp_path / "my-first")
        command = [sys.executable, "-m", "unittest"] if self.language == "python" else ["node", "--test"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Ran 0 tests" not in done.stderr and "# tests 0" not in done.stdout

    def test_a_component_is_built_again_from_elsewhere_only_by_its_inputs(self, workshop):
        facts = scripts.facts(scripts.scan(STAGES / f"totals.{workshop.suffix}"))
        assert facts["role"] == "aggregator" and facts["name"] == "Totals"
        assert facts["inputs"] == sorted(str(STAGES / f"{name}.{workshop.suffix}") for name in ("totals", "counting"))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path

