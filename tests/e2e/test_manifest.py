"""Flows and components of a Torvyn.toml."""

import pytest

from conftest import component

HEAD = """\
[torvyn]
name = "demo"
version = "0.1.0"
contract_version = "0.1.0"
"""

FLOW = """
[flow.{flow}.nodes.lines]
component = "builtin:file"
config = {{ path = "in.log" }}

[flow.{flow}.nodes.shout]
component = "{component}"

[flow.{flow}.nodes.out]
component = "builtin:stdout"
"""

SHOUT = r"""
#include "torvyn/transform.h"

#include <stdlib.h>

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  (void)error;
  torvyn_list_u8_t bytes;
  torvyn_streaming_types_method_buffer_read_all(input->payload, &bytes);
  torvyn_streaming_types_buffer_drop_borrow(input->payload);
  torvyn_streaming_types_flow_context_drop_borrow(input->context);
  bytes.ptr[0] = '*';
  torvyn_streaming_types_own_mutable_buffer_t made;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(bytes.len, &made, &why)) abort();
  torvyn_streaming_types_borrow_mutable_buffer_t writing = torvyn_streaming_types_borrow_mutable_buffer(made);
  if (!torvyn_streaming_types_method_mutable_buffer_append(writing, &bytes, &why)) abort();
  torvyn_list_u8_free(&bytes);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  torvyn_streaming_types_mutable_buffer_drop_own(made);
  return true;
}
"""


@pytest.fixture
def project(tmp_path):
    def write(*flows: str, text: str = "", shout: str = "") -> None:
        body = "".join(FLOW.format(flow=flow, component=shout or component("upper")) for flow in flows)
        (tmp_path / "Torvyn.toml").write_text(HEAD + text + body)
        (tmp_path / "in.log").write_bytes(b"hello\nworld\n")
    return write


def test_the_only_flow_is_run(torvyn, project):
    project("nightly")
    outcome = torvyn("run")
    assert (outcome.code, outcome.out) == (0, b"HELLO\nWORLD\n"), outcome.err


def test_a_flow_is_chosen_by_name(torvyn, project):
    project("hourly", "nightly")
    for arguments in (["run", "nightly"], ["run", "--flow", "nightly"]):
        outcome = torvyn(*arguments, "--format", "json")
        assert outcome.json("err")["flow"]["name"] == "nightly"
    torvyn("run").fails(2, "error[E0207]", "hourly, nightly")
    torvyn("run", "nightyl").fails(2, "error[E0207]", "did you mean `nightly`?")
    torvyn("run", "--flow", "nightly", "hourly").fails(2, "error[E0006]")
    project("hourly", "main")
    assert torvyn("run", "--format", "json").json("err")["flow"]["name"] == "main"


def test_no_manifest_says_what_to_do(torvyn):
    torvyn("run").fails(2, "error[E0001]", "-C DIR", "--manifest", "torvyn run 'file")
    torvyn("run", "nightly").fails(2, "error[E0001]")
    torvyn("run", "--manifest", "elsewhere.toml").fails(2, "error[E0001]", "elsewhere.toml")
    torvyn("build").fails(2, "error[E0001]")


def test_paths_are_taken_from_the_manifests_folder(torvyn, project, tmp_path):
    project("main")
    torvyn.cwd = tmp_path.parent
    for arguments in (["--manifest", f"{tmp_path.name}/Torvyn.toml"], ["-C", tmp_path.name]):
        outcome = torvyn("run", *arguments)
        assert (outcome.code, outcome.out) == (0, b"HELLO\nWORLD\n"), outcome.err


def test_edges_order_the_nodes(torvyn, project, tmp_path):
    project("main")
    edges = '\n[[flow.main.edges]]\nfrom = "shout"\nto = "out"\n\n[[flow.main.edges]]\nfrom = "lines"\nto = { node = "shout" }\n'
    with (tmp_path / "Torvyn.toml").open("a") as manifest:
        manifest.write(edges)
    outcome = torvyn("run")
    assert (outcome.code, outcome.out) == (0, b"HELLO\nWORLD\n"), outcome.err


def test_input_and_output_are_replaced(torvyn, project, tmp_path):
    project("main")
    assert torvyn("run", "--input", "-", stdin=b"other\n").out == b"OTHER\n"
    assert torvyn("run", "--input", "generate count=1").out == b"HELLO 0\n"
    outcome = torvyn("run", "--output", "out.log")
    assert (outcome.code, outcome.out) == (0, b"")
    assert (tmp_path / "out.log").read_bytes() == b"HELLO\nWORLD\n"
    # Paths on the command line are taken from where one stands, not from the manifest.
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "in.log").write_bytes(b"below\n")
    torvyn.cwd = tmp_path / "below"
    assert torvyn("run", "--manifest", "../Torvyn.toml", "--input", "in.log").out == b"BELOW\n"


@pytest.mark.parametrize("text, code, place, words", [
    ('[flow.main.nodes.a]\ncomponnet = "x.wasm"\n', "E0701", ":6:1", ["did you mean `component`?"]),
    ('[flow.main.nodes.a]\ncomponent = 7\n', "E0700", ":6:", []),
    ('[flow.main.nodes.a]\ncomponent = "x.wasm\n', "E0002", ":6:", []),
    ('[runtime]\ninvocation_timeout = "soon"\n', "E0702", ":6:", []),
])
def test_a_mistake_is_shown_where_it_is(torvyn, project, text, code, place, words):
    project(text=text)
    outcome = torvyn("run")
    outcome.fails(1, f"error[{code}]", f"Torvyn.toml{place}", text.splitlines()[1], "^", *words)
    error = torvyn("run", "--format", "json").json()["errors"][0]
    assert (error["code"], error["line"]) == (code, 6)
    assert error["file"].endswith("Torvyn.toml")


def test_errors_of_elements_are_skipped_where_the_manifest_says_so(torvyn, project, tmp_path):
    project("main", shout=str(component("access-log")))
    torvyn("run").fails(1, "error[E0403]", "node shout", "invalid-input")
    text = (tmp_path / "Torvyn.toml").read_text().replace("[flow.main.nodes.out]", 'on_error = { invalid-input = "skip" }\n\n[flow.main.nodes.out]')
    (tmp_path / "Torvyn.toml").write_text(text)
    torvyn("run").fails(0, "2 pulled = 2 skipped")


class TestOwnComponents:
    """`[[component]]`: built from source when the flow that names it is run."""

    component = '\n[[component]]\nname = "shouter"\npath = "shout.c"\n'

    @pytest.fixture(autouse=True)
    def write(self, project, tmp_path):
        project("main", text=self.component, shout="shouter")
        (tmp_path / "shout.c").write_text(SHOUT)

    def test_are_built_first(self, torvyn, tmp_path):
        torvyn("run", "--no-build").fails(2, "error[E0210]", "target/shouter.wasm", "torvyn build")
        outcome = torvyn("run")
        assert (outcome.code, outcome.out) == (0, b"*ello\n*orld\n"), outcome.err
        assert (tmp_path / "target" / "shouter.wasm").exists()
        assert torvyn("run", "--no-build").out == b"*ello\n*orld\n"

    def test_are_built_again_when_they_changed(self, torvyn, tmp_path):
        assert torvyn("run").out == b"*ello\n*orld\n"
        (tmp_path / "shout.c").write_text(SHOUT.replace("'*'", "'+'"))
        assert torvyn("run", "--no-build").out == b"*ello\n*orld\n"
        assert torvyn("run").out == b"+ello\n+orld\n"

    def test_can_be_named_in_a_pipeline(self, torvyn):
        assert torvyn("run", "file in.log ! shouter ! stdout").out == b"*ello\n*orld\n"

    def test_that_cannot_be_built_show_the_compilers_words(self, torvyn, tmp_path):
        (tmp_path / "shout.c").write_text(SHOUT.replace("return true;", "return true"))
        outcome = torvyn("run")
        outcome.fails(1, "error[E0011]", "shout.c:", "error: expected ';'")
        assert outcome.out == b""

    def test_are_built_by_build(self, torvyn, tmp_path):
        torvyn("build").fails(0, "built target/shouter.wasm: torvyn:streaming/transform, ", " KiB, direct")
        torvyn("build", "--all").fails(0, "up to date target/shouter.wasm")
        torvyn("build", "--component", "shouter").fails(0)
        torvyn("build", "--component", "shuoter").fails(2, "error[E0210]", "did you mean `shouter`?")


class TestBuild:
    def test_makes_a_component_of_a_source(self, torvyn, tmp_path):
        (tmp_path / "shout.c").write_text(SHOUT)
        outcome = torvyn("build", "shout.c", "-o", "made/here.wasm")
        outcome.fails(0, "built made/here.wasm: torvyn:streaming/transform, ")
        assert outcome.out == b""
        assert torvyn("run", "stdin ! made/here.wasm ! stdout", stdin=b"hello").out == b"*ello"
        report = torvyn("build", "shout.c", "-o", "made/here.wasm", "--format", "json").json()
        assert report["components"][0]["up_to_date"] is True
        assert report["components"][0]["world"] == "torvyn:streaming/transform@0.1.0"

    def test_shows_the_compilers_words_unchanged(self, torvyn, tmp_path):
        (tmp_path / "shout.c").write_text('#include "torvyn/transform.h"\nint x = ;\n')
        torvyn("build", "shout.c").fails(1, "shout.c:2:9: error: expected expression", "error[E0011]")

    def test_says_what_is_missing(self, torvyn, tmp_path):
        torvyn("build", "nowhere.c").fails(2, "nowhere.c")
        (tmp_path / "shout.c").write_text("int x;\n")
        torvyn("build", "shout.c").fails(2, "error[E0006]", "world")
        torvyn("build", "shout.c", "--world", "no-such-world").fails(2, "error[E0006]", "no-such-world")
        (tmp_path / "shout.c").write_text(SHOUT)
        torvyn("build", "shout.c", env={"TORVYN_CLANG": "/nowhere/clang"}).fails(2, "error[E0010]")
