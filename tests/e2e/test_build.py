"""`torvyn build`: sources of every language become components, again only when something changed, and never in part."""

import os
import signal

import pytest

from conftest import component, wait_for
from test_manifest import HEAD, SHOUT

COMPONENT = '\n[[component]]\nname = "{name}"\npath = "{path}"\n'


@pytest.fixture
def project(torvyn, tmp_path):
    (tmp_path / "shout.c").write_text(SHOUT)
    (tmp_path / "Torvyn.toml").write_text(HEAD + COMPONENT.format(name="shout", path="shout.c"))
    return torvyn


def built(torvyn, *arguments) -> list[dict]:
    outcome = torvyn("build", *arguments, "--format", "json")
    assert outcome.code == 0, outcome.err + outcome.out.decode()
    return outcome.json()["components"]


def test_it_ends_with_a_line_for_each_component(project, tmp_path):
    outcome = project("build")
    assert outcome.code == 0, outcome.err
    assert "built target/shout.wasm: torvyn:streaming/transform" in outcome.err
    [one] = built(project)
    assert (one["name"], one["language"], one["up_to_date"]) == ("shout", "c", True)
    assert (tmp_path / "target" / "shout.wasm").stat().st_size == one["size_bytes"]


def test_content_counts_and_not_time(project, tmp_path):
    source = tmp_path / "shout.c"
    assert built(project)[0]["up_to_date"] is False
    os.utime(source, ns=(1, 1))
    assert built(project)[0]["up_to_date"] is True
    before = (tmp_path / "target" / "shout.wasm").read_bytes()
    source.write_text(SHOUT.replace("'*'", "'-'") + "\n")
    assert built(project)[0]["up_to_date"] is False
    assert (tmp_path / "target" / "shout.wasm").read_bytes() != before


def test_a_release_is_another_build(project):
    debug = built(project)[0]["size_bytes"]
    [release] = built(project, "--release")
    assert release["up_to_date"] is False
    assert release["size_bytes"] < debug


def test_the_compilers_words_are_shown_as_they_are(project, tmp_path):
    (tmp_path / "shout.c").write_text(SHOUT.replace("bytes.ptr[0] = '*';", "bytes.ptr[0] = '*'"))
    outcome = project("build")
    outcome.fails(1, "error[E0011]", "shout.c:14", "expected ';'", "bytes.ptr[0] = '*'")
    error = project("build", "--format", "json").json()["errors"][0]
    assert (error["file"], error["line"]) == ("shout.c", 14)


def test_one_component_can_be_chosen(project, tmp_path):
    (tmp_path / "other.c").write_text(SHOUT)
    with (tmp_path / "Torvyn.toml").open("a") as manifest:
        manifest.write(COMPONENT.format(name="other", path="other.c"))
    assert [one["name"] for one in built(project, "--component", "other")] == ["other"]
    assert [one["name"] for one in built(project, "--all")] == ["shout", "other"]
    project("build", "--component", "othr").fails(2, "error[E0210]", "did you mean `other`?")


def test_two_at_once_make_one_whole_component(project, tmp_path):
    processes = [project.start("build", "--format", "json") for _ in range(3)]
    outcomes = [project.finish(process) for process in processes]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0]
    assert sorted(outcome.json()["components"][0]["up_to_date"] for outcome in outcomes) == [False, True, True]


def test_a_build_that_is_killed_leaves_nothing_torn(project, tmp_path):
    command = f"cp {component('upper')} $TORVYN_OUTPUT; touch begun; test -f go-on || sleep 60"
    with (tmp_path / "Torvyn.toml").open("a") as manifest:
        manifest.write(f'build_command = "{command}"\n')
    process = project.start("build", start_new_session=True)
    wait_for((tmp_path / "begun").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "target" / "shout.wasm").exists()
    (tmp_path / "go-on").touch()
    assert built(project)[0]["size_bytes"] == component("upper").stat().st_size


def test_a_command_of_ones_own_builds_instead(project, tmp_path):
    with (tmp_path / "Torvyn.toml").open("a") as manifest:
        manifest.write(f'build_command = "cp {component("upper")} $TORVYN_OUTPUT"\n')
    [one] = built(project)
    assert (tmp_path / "target" / "shout.wasm").read_bytes() == component("upper").read_bytes()
    assert one["language"] == ""


def test_a_missing_tool_is_named_with_what_installs_it(project):
    outcome = project("build", env={"PATH": "/nonexistent"})
    outcome.fails(2, "error[E0010]", "no clang was found", "apt-get install clang-19")


def test_what_was_built_needs_no_tools(project):
    built(project)
    assert project("build", env={"PATH": "/nonexistent"}).code == 0


def test_run_builds_what_is_stale(project, tmp_path):
    with (tmp_path / "Torvyn.toml").open("a") as manifest:
        manifest.write('\n[flow.main.nodes.in]\ncomponent = "builtin:stdin"\n\n[flow.main.nodes.shout]\ncomponent = "shout"\n'
                       '\n[flow.main.nodes.out]\ncomponent = "builtin:stdout"\n')
    project("run", "--no-build").fails(2, "error[E0210]", "not built yet")
    assert project("run", stdin=b"hello\n").out == b"*ello\n"
    (tmp_path / "shout.c").write_text(SHOUT.replace("'*'", "'+'"))
    assert project("run", "--no-build", stdin=b"hello\n").out == b"*ello\n"
    assert project("run", stdin=b"hello\n").out == b"+ello\n"


def test_a_source_file_is_a_stage(torvyn, tmp_path):
    (tmp_path / "shout.c").write_text(SHOUT)
    outcome = torvyn("run", "stdin ! ./shout.c ! stdout", stdin=b"hello\n")
    assert (outcome.code, outcome.out) == (0, b"*ello\n"), outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shout.c"], "it is built into the cache"
    (tmp_path / "shout.c").write_text(SHOUT.replace("'*'", "'+'"))
    assert torvyn("run", "stdin ! ./shout.c ! stdout", stdin=b"hello\n").out == b"+ello\n"


# One processor in each language, as its SDK has it; what to break in it, and the line of the mistake.
STAGES = {
    "shout.c": ("""\
#include <torvyn/processor.h>

static bool shout(const torvyn_element* in, torvyn_output* out) {
  uint8_t* const to = torvyn_extend(out, in->size);
  for (size_t i = 0; i < in->size; ++i) {
    const bool is_lower = in->bytes[i] >= 'a' && in->bytes[i] <= 'z';
    to[i] = (uint8_t)(is_lower ? in->bytes[i] - 'a' + 'A' : in->bytes[i]);
  }
  torvyn_end(out);
  return true;
}

TORVYN_PROCESSOR(shout)
""", ("return true;", "return wrong;"), 10),
    "shout.cpp": ("""\
#include <string>
#include <string_view>
#include <torvyn/processor.hpp>

std::string shout(std::string_view text) {
  std::string loud(text);
  for (char& c : loud)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return loud;
}

TORVYN_PROCESSOR(shout)
""", ("return loud;", "return wrong;"), 9),
    "shout.rs": ("""\
use torvyn::prelude::*;

fn shout(input: &Element, out: &mut Output) -> Result<()> {
    out.emit(input.bytes().to_ascii_uppercase());
    Ok(())
}

torvyn::processor!(shout);
""", ("Ok(())", "wrong"), 5),
    "shout.go": ("""\
package main

import (
	"bytes"

	"torvyn.dev/torvyn"
)

func init() { torvyn.Processor(shout) }

func shout(in torvyn.Element, out *torvyn.Output) error {
	out.Emit(bytes.ToUpper(in.Bytes()))
	return nil
}

func main() {}
""", ("return nil", "return wrong"), 13),
    "shout.py": ("""\
import torvyn


@torvyn.processor
def shout(element):
    return element.bytes.upper()
""", ("return element", "return return"), 6),
    "shout.js": ("""\
import { processor } from 'torvyn';

export const shout = processor((element) => element.text.toUpperCase());
""", ("=> element", "=> => element"), 3),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_source_file_of_any_language_is_a_stage(maker, tmp_path, name):
    text, (right, wrong), line = STAGES[name]
    (tmp_path / name).write_text(text)
    outcome = maker("run", f"stdin ! ./{name} ! stdout", stdin=b"hello\nworld\n")
    assert (outcome.code, outcome.out) == (0, b"HELLO\nWORLD\n"), outcome.err
    again = maker("run", f"stdin ! ./{name} ! stdout", stdin=b"x\n")
    assert (again.code, again.out) == (0, b"X\n"), again.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [name], "it is built into the cache"

    (tmp_path / name).write_text(text.replace(right, wrong))
    outcome = maker("run", f"stdin ! ./{name} ! stdout", stdin=b"x\n")
    outcome.fails(1, "error[E0011]", f"--> {name}:{line}")
    error = maker("build", name, "--format", "json").json()["errors"][0]
    assert (error["code"], error["file"], error["line"]) == ("E0011", name, line)


def test_a_source_file_that_is_wrong_is_shown_where_it_lies(torvyn, tmp_path):
    (tmp_path / "shout.c").write_text(SHOUT.replace("return true;", "return true"))
    torvyn("run", "stdin ! ./shout.c ! stdout").fails(1, "error[E0011]", "--> shout.c:")
    torvyn("run", "stdin ! ./none.c ! stdout").fails(2, "error[E0210]", "there is no `none.c`")
