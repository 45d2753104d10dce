"""The installed Torvyn, used as somebody would who never saw its source."""

import os
import re
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT, run

EXAMPLE = ROOT / "examples" / "installed"
LINES = "".join(f"line {n}\n" for n in range(100))


def shouts(program, prefix, **options):
    out = run(program, prefix / "share/torvyn/components/upper.wasm", input=LINES, **options)
    assert out == LINES.upper()


@pytest.mark.parametrize("link", ["torvyn::torvyn", "torvyn::shared"])
def test_a_project_finds_it_by_cmake(prefix, tmp_path, link):
    run("cmake", "-S", EXAMPLE, "-B", tmp_path, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DSHOUTER_LINK={link}")
    run("cmake", "--build", tmp_path)
    shouts(tmp_path / "shouter", prefix)
    needs = run("readelf", "--dynamic", tmp_path / "shouter")
    assert ("libtorvyn.so.0" in needs) == (link == "torvyn::shared")


def test_a_project_finds_one_subsystem_alone(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("""
cmake_minimum_required(VERSION 3.25)
project(alone LANGUAGES CXX)
find_package(torvyn 0.1 REQUIRED)
add_executable(alone alone.cc)
target_link_libraries(alone PRIVATE torvyn::config)
""")
    (tmp_path / "alone.cc").write_text("""
#include <cstdio>
#include "torvyn/config/runtime_config.h"
int main() { std::printf("%u\\n", torvyn::config::RuntimeConfig{}.max_batch); }
""")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    assert int(run(tmp_path / "build" / "alone")) > 0


def test_another_minor_version_is_not_taken_for_it(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES CXX)\nfind_package(torvyn 0.2 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"], text=True,
                          capture_output=True, check=False)
    assert done.returncode != 0
    assert "0.2" in done.stderr


def test_a_project_finds_it_by_pkg_config(prefix, library_folder, tmp_path):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(library_folder / "pkgconfig")}
    flags = run("pkg-config", f"--define-variable=prefix={prefix}", "--cflags", "--libs", "torvyn", env=environment).split()
    run("g++", "-std=c++23", EXAMPLE / "shouter.cc", "-o", tmp_path / "shouter", *flags)
    shouts(tmp_path / "shouter", prefix, env={**os.environ, "LD_LIBRARY_PATH": str(library_folder)})


def test_every_public_header_compiles_alone(prefix, tmp_path):
    headers = sorted((prefix / "include").rglob("*.h"))
    assert len(headers) > 50
    source = tmp_path / "all.cc"
    source.write_text("".join(f'#include "{header.relative_to(prefix / "include")}"\n' for header in headers) + "int main() {}\n")
    run("g++", "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-I", prefix / "include", source)


class TestSharedLibrary:
    def exports(self, library_folder) -> list[str]:
        lines = run("nm", "--dynamic", "--defined-only", "--demangle", library_folder / "libtorvyn.so").splitlines()
        return [line.split(" ", 2)[2] for line in lines]

    def test_shows_the_public_interface_and_nothing_else(self, library_folder):
        names = self.exports(library_folder)
        assert any(name.startswith("torvyn::host::Host::create(") for name in names)
        assert any(name.startswith("torvyn::host::Plugin::load(") for name in names)
        ours = re.compile(r"^(?:(?:typeinfo|typeinfo name|vtable|VTT|non-virtual thunk|virtual thunk|guard variable)(?: for| to) )?torvyn::|^torvyn_")
        assert [name for name in names if not ours.match(name)] == []
        inner = re.compile(r"(?:Wasm(?:Instance|Component)|EngineOverBridge|FlowMaker|PluginOnInstance|\(anonymous namespace\))")
        assert [name for name in names if inner.search(name)] == []

    def test_has_its_name(self, library_folder):
        assert "Library soname: [libtorvyn.so.0]" in run("readelf", "--dynamic", library_folder / "libtorvyn.so")
        assert (library_folder / "libtorvyn.so").resolve().name == "libtorvyn.so.0.1.0"

    def test_lives_beside_another_rust_library_and_another_fmt(self, prefix, library_folder, tmp_path):
        """Both bring functions that the library has too, by the same names; each side calls its own."""
        (tmp_path / "other.rs").write_text("""
use std::collections::HashMap;
#[unsafe(no_mangle)]
pub extern "C" fn other_sum(count: u32) -> u32 {
    let all: HashMap<u32, String> = (0..count).map(|n| (n, format!("{n}"))).collect();
    std::panic::catch_unwind(|| all.values().map(|text| text.parse::<u32>().unwrap()).sum()).unwrap_or(0)
}
// What the engine's own crate exports, with another meaning.
#[unsafe(no_mangle)]
pub extern "C" fn tvb_abi_version() -> u32 { 9999 }
""")
        run("/usr/bin/rustc", "--edition", "2024", "--crate-type", "staticlib", "-O", "-o", tmp_path / "libother.a", tmp_path / "other.rs")
        (tmp_path / "fmt.cc").write_text("""
#include <cstdlib>
#include <string>
// Another fmt: the same names, and each of its functions ends the program.
namespace fmt { inline namespace v9 {
struct string_view { const char* data; std::size_t size; };
template <typename T> struct basic_format_args { T* p; };
struct context;
[[gnu::used]] std::string vformat(string_view, basic_format_args<context>) { std::abort(); }
namespace detail { [[gnu::used]] void throw_format_error(const char*) { std::abort(); } }
}}
""")
        (tmp_path / "main.cc").write_text("""
#include <cstdio>
#include "torvyn/prelude.h"
extern "C" unsigned other_sum(unsigned);
extern "C" unsigned tvb_abi_version();
int main(int, char** argv) {
  const auto missing = torvyn::Plugin::load("nowhere.wasm");
  std::printf("%s\\n", missing.error().message().c_str());
  const auto plugin = torvyn::Plugin::load(argv[1]);
  if (!plugin) return 1;
  const auto answer = (*plugin)->process("hello");
  std::printf("%.*s %u %u\\n", 5, answer.outputs.front().text().data(), other_sum(10), tvb_abi_version());
}
""")
        run("g++", "-std=c++23", "-I", prefix / "include", tmp_path / "main.cc", tmp_path / "fmt.cc", tmp_path / "libother.a", "-o",
            tmp_path / "main", f"-L{library_folder}", "-ltorvyn", "-lpthread", "-ldl")
        out = run(tmp_path / "main", prefix / "share/torvyn/components/upper.wasm",
                  env={**os.environ, "LD_LIBRARY_PATH": str(library_folder)})
        assert out == "there is no component `nowhere.wasm`\nHELLO 45 9999\n"


class TestBinary:
    def test_runs_the_bundled_components(self, prefix, tmp_path):
        (tmp_path / "in.log").write_text(LINES)
        components = prefix / "share/torvyn/components"
        out = run(prefix / "bin/torvyn", "run", f"file in.log ! {components}/upper.wasm ! {components}/grep.wasm 'LINE 9' ! stdout", "--quiet",
                  cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)})
        assert out == "".join(f"LINE {n}\n" for n in (9, *range(90, 100)))

    # What writes projects and builds components is left out: it takes most of the time, and knows its templates by heart wherever it lies.
    def test_passes_what_the_built_one_passes(self, prefix):
        left_out = re.compile(r"test_(init|build|sdk_\w+)\.py")
        files = sorted(path for path in (ROOT / "tests" / "e2e").glob("test_*.py") if not left_out.fullmatch(path.name))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        said = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--numprocesses", str(os.cpu_count() or 2), *files, cwd=ROOT,
                   env={**environment, "TORVYN_BIN": str(prefix / "bin/torvyn"), "TORVYN_COMPONENTS_DIR": str(BUILD / "components"),
                        "PYTHONDONTWRITEBYTECODE": "1"})
        passed = re.search(r"^(\d+) passed", said.splitlines()[-1])
        assert passed and int(passed.group(1)) >= 900, said[-2000:]

    @pytest.mark.parametrize("file", ["share/man/man1/torvyn.1", "share/bash-completion/completions/torvyn", "share/zsh/site-functions/_torvyn",
                                      "share/fish/vendor_completions.d/torvyn.fish", "share/doc/torvyn/LICENSE", "share/doc/torvyn/THIRD_PARTY_LICENSES.md", "share/doc/torvyn/docs/security.md",
                                      "share/torvyn/wit/torvyn-streaming/types.wit"])
    def test_comes_with_what_belongs_to_it(self, prefix, file):
        found = list(prefix.glob(file)) or list(prefix.rglob(file.rsplit("/", 1)[1]))
        assert found and found[0].stat().st_size > 0, file


def test_it_builds_without_the_command_line():
    """CLI11 is not looked for; what a program links is the same."""
    build = BUILD / "no-cli"  # kept: a second run has little to do
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DTORVYN_BUILD_CLI=OFF", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_CXX_COMPILER=g++",
        f"-DTORVYN_COMPONENTS_DIR={BUILD / 'components'}", "-DCMAKE_DISABLE_FIND_PACKAGE_CLI11=ON")
    run("cmake", "--build", build, "--target", "torvyn_shared", timeout=3000)
    assert (build / "libtorvyn.so").exists()
    assert not (build / "torvyn").exists()


@pytest.mark.parametrize("program, says", [("plugin_c", "HELLO\n"), ("own_stages_c", "HELLO\nFROM\nINSIDE\n")])
def test_a_program_in_c_needs_nothing_but_the_shared_library(prefix, library_folder, tmp_path, program, says):
    run("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", prefix / "include", ROOT / "examples" / "embed" / f"{program}.c", "-o",
        tmp_path / program, f"-L{library_folder}", "-ltorvyn")
    out = run(tmp_path / program, prefix / "share/torvyn/components/upper.wasm", env={**os.environ, "LD_LIBRARY_PATH": str(library_folder)})
    assert out == says
