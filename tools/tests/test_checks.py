"""The checks themselves: each finds what it is there for, says what to do, and lets good code pass."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def write(path: Path, text: str, executable: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if executable:
        path.chmod(0o755)
    return path


# Layering

LIBRARY = "torvyn_library(\n  NAME {name}\n  SOURCES {name}.cc\n  HEADERS {headers}\n  TESTS {name}_test.cc)\n"


@pytest.fixture
def tree(tmp_path):
    """Three subsystems that keep to the order: types, config, engine."""
    source = tmp_path / "src" / "torvyn"
    write(source / "types/CMakeLists.txt", LIBRARY.format(name="types", headers="error.h"))
    write(source / "types/error.h", "#include <expected>\n#include <sys/types.h>\n")
    write(source / "types/table.h", "#include <fmt/format.h>\n")
    write(source / "config/CMakeLists.txt", LIBRARY.format(name="config", headers="manifest.h"))
    write(source / "config/manifest.h", '#include "torvyn/types/error.h"\n')
    write(source / "config/config.cc", '#include <toml++/toml.h>\n\n#include "torvyn/config/manifest.h"\n')
    write(source / "engine/CMakeLists.txt", LIBRARY.format(name="engine", headers="engine.h"))
    write(source / "engine/engine.h", '#include "torvyn/config/manifest.h"\n')
    write(source / "engine/engine.cc", '#include "torvyn_bridge.h"\n#include "torvyn_bridge_values.h"\n')
    return tmp_path


def check_layering(tree: Path) -> subprocess.CompletedProcess:
    return run(TOOLS / "check-layering", "--root", tree)


def test_layering_lets_the_order_pass(tree):
    result = check_layering(tree)
    assert result.returncode == 0, result.stdout
    assert "6 files keep to the order" in result.stdout


@pytest.mark.parametrize(
    ("file", "include", "message"),
    [
        ("types/error.h", '"torvyn/config/manifest.h"', "`types` lies below `config` and can't include it. Move"),
        ("config/config.cc", '"torvyn/engine/engine.h"', "`config` lies below `engine`"),
        ("config/config.cc", '"torvyn_bridge.h"', "`config` includes the bridge. Only contracts and engine do"),
        ("config/config.cc", '"torvyn_bridge_values.h"', "`config` includes the bridge. Only contracts and engine do"),
        ("config/config.cc", '"manifest.h"', 'include by full path: "torvyn/config/manifest.h"'),
        ("config/config.cc", '"torvyn/types/table.h"', "`table.h` is private to `types`"),
        ("config/config.cc", '"torvyn/tpyes/error.h"', "there is no subsystem `tpyes`"),
        ("config/config.cc", '"torvyn/torvyn.h"', "`torvyn/torvyn.h` is for programs that use torvyn"),
        ("config/manifest.h", "<toml++/toml.h>", "Third-party types stay in .cc files"),
        ("config/manifest.h", "<zlib.h>", "public header includes `zlib.h`"),
        ("engine/engine.h", '"torvyn_bridge.h"', "public header includes `torvyn_bridge.h`"),
    ],
)
def test_layering_finds(tree, file, include, message):
    path = tree / "src/torvyn" / file
    line = len(path.read_text().splitlines()) + 1
    path.write_text(path.read_text() + f"#include {include}\n")
    result = check_layering(tree)
    assert result.returncode == 1
    assert f"src/torvyn/{file}:{line}: " in result.stdout
    assert message in result.stdout


def test_layering_finds_a_subsystem_without_a_place(tree):
    write(tree / "src/torvyn/extras/extras.cc", "")
    result = check_layering(tree)
    assert result.returncode == 1
    assert "src/torvyn/extras: not a subsystem that the layering knows" in result.stdout


def test_layering_has_the_order_of_cmake():
    """The order is written down twice; here they are held together."""
    cmake = (ROOT / "CMakeLists.txt").read_text()
    in_cmake = cmake.split("set(subsystems")[1].split(")")[0].split() + ["cli"]
    in_check = (TOOLS / "check-layering").read_text().split("LAYERS = [")[1].split("]")[0]
    assert in_cmake == [name.strip().strip('"') for name in in_check.split(",")]


# Format


@pytest.fixture
def formatted(tmp_path):
    for name in (".clang-format", "rustfmt.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    write(tmp_path / "src/good.cc", "int half_of(int number) { return number / 2; }\n")
    write(tmp_path / "bridge/src/lib.rs", "pub fn half_of(number: i32) -> i32 {\n    number / 2\n}\n")
    return tmp_path


def check_format(root: Path, *options) -> subprocess.CompletedProcess:
    return run(TOOLS / "check-format", "--root", root, *options)


def test_format_lets_formatted_sources_pass(formatted):
    result = check_format(formatted)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 files are well formatted" in result.stdout


@pytest.mark.parametrize(
    ("file", "text"),
    [("src/bad.cc", "int  x ;\n"), ("components/c/bad.c", "int  x ;\n"), ("bridge/src/bad.rs", "pub fn f(){}\n")],
)
def test_format_finds_and_mends(formatted, file, text):
    write(formatted / file, text)
    result = check_format(formatted)
    assert result.returncode == 1
    assert file in result.stdout + result.stderr
    assert "run tools/check-format --fix" in result.stdout

    assert check_format(formatted, "--fix").returncode == 0
    assert (formatted / file).read_text() != text
    assert check_format(formatted).returncode == 0


def test_format_leaves_generated_and_built_files_alone(formatted):
    write(formatted / "components/c/gen/world.c", "int  x ;\n")
    write(formatted / "components/rust/target/out.rs", "pub fn f(){}\n")
    assert check_format(formatted).returncode == 0


# Tidy


@pytest.fixture
def tidied(tmp_path, monkeypatch):
    monkeypatch.setenv("TORVYN_CACHE_DIR", str(tmp_path / "cache"))
    return make_tidied(tmp_path / "clone")


def make_tidied(clone: Path) -> Path:
    write(clone / ".clang-tidy", "Checks: '-*,modernize-use-nullptr'\nWarningsAsErrors: '*'\n")
    write(clone / "src/torvyn/types/one.h", "#pragma once\ninline int* none() { return nullptr; }\n")
    one = write(clone / "src/torvyn/types/one.cc", '#include "torvyn/types/one.h"\n')
    two = write(clone / "src/torvyn/types/two.cc", "int* two() { return nullptr; }\n")
    test = write(clone / "src/torvyn/types/two_test.cc", "int* three() { return 0; }\n")
    entries = [
        {"directory": str(clone), "file": str(path), "command": f"g++ -I{clone}/src -c {path}"}
        for path in (one, two, test)
    ]
    write(clone / "build/compile_commands.json", json.dumps(entries))
    return clone


def check_tidy(root: Path) -> subprocess.CompletedProcess:
    return run(TOOLS / "check-tidy", "--root", root)


def test_tidy_looks_again_only_at_what_changed(tidied):
    assert "2 sources are clean (2 looked at" in check_tidy(tidied).stdout
    assert "2 sources are clean (0 looked at" in check_tidy(tidied).stdout

    header = tidied / "src/torvyn/types/one.h"
    header.write_text(header.read_text() + "int* other();\n")
    assert "2 sources are clean (1 looked at" in check_tidy(tidied).stdout

    settings = tidied / ".clang-tidy"
    settings.write_text(settings.read_text() + "HeaderFilterRegex: '.*'\n")
    assert "2 sources are clean (2 looked at" in check_tidy(tidied).stdout


def test_tidy_finds_each_time(tidied):
    (tidied / "src/torvyn/types/two.cc").write_text("int* two() { return 0; }\n")
    for _ in range(2):
        result = check_tidy(tidied)
        assert result.returncode == 1
        assert "two.cc:1:21: error: use nullptr [modernize-use-nullptr" in result.stdout
        assert "1 of 2 sources have findings" in result.stdout


def test_tidy_remembers_for_other_clones(tidied):
    assert "2 sources are clean (2 looked at" in check_tidy(tidied).stdout
    assert "2 sources are clean (0 looked at" in check_tidy(make_tidied(tidied.parent / "other")).stdout


def test_tidy_asks_for_a_build_first(tmp_path):
    result = check_tidy(tmp_path)
    assert result.returncode == 1
    assert "is not configured; run make first" in result.stdout


# Headers and torvyn_library


def configure(root: Path, library: str) -> subprocess.CompletedProcess:
    write(
        root / "CMakeLists.txt",
        f"""cmake_minimum_required(VERSION 3.25)
project(sample LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
find_package(GTest REQUIRED)
include({ROOT}/cmake/torvyn.cmake)
add_subdirectory(src/torvyn/types)
""",
    )
    write(root / "src/torvyn/types/CMakeLists.txt", library)
    write(root / "src/torvyn/types/types.cc", "")
    return run("cmake", "-G", "Ninja", "-S", root, "-B", root / "build")


def test_headers_finds_the_one_that_does_not_compile_alone(tmp_path):
    write(tmp_path / "src/torvyn/types/error.h", "#pragma once\n#include <string>\nstd::string text();\n")
    library = "torvyn_library(NAME types SOURCES types.cc HEADERS error.h)\n"
    assert configure(tmp_path, library).returncode == 0
    result = run(TOOLS / "check-headers", tmp_path / "build")
    assert result.returncode == 0, result.stdout
    assert "every public header compiles alone" in result.stdout

    write(tmp_path / "src/torvyn/types/error.h", "#pragma once\nstd::string text();\n")
    result = run(TOOLS / "check-headers", tmp_path / "build")
    assert result.returncode == 1
    assert "torvyn/types/error.h" in result.stdout
    assert "include in each what it uses" in result.stdout


def test_library_refuses_what_it_does_not_know(tmp_path):
    write(tmp_path / "src/torvyn/types/error.h", "")
    result = configure(tmp_path, "torvyn_library(SOURCE types.cc NAME types SOURCES types.cc HEADERS error.h)\n")
    assert result.returncode != 0
    assert "doesn't know: SOURCE;types.cc" in " ".join(result.stderr.split())


# The engine's build


FAKE_CARGO = """#!/usr/bin/env bash
if [[ $1 == --version ]]; then echo "cargo {version} (0000000 2026-01-01)"; exit; fi
mkdir -p "$CARGO_TARGET_DIR/release/deps"
pwd >"$CARGO_TARGET_DIR/release/libtorvyn_bridge.a"
echo "$CARGO_TARGET_DIR/release/libtorvyn_bridge.a: $PWD/src/lib.rs" >"$CARGO_TARGET_DIR/release/libtorvyn_bridge.d"
echo "built with $*" >&2
"""


def make_clone(folder: Path, version: str = "1.99.0") -> dict[str, str]:
    """A clone with a bridge, a cargo and a rustc that only pretend. Returns the environment to run it in."""
    write(folder / "tools/cargo-bridge", (TOOLS / "cargo-bridge").read_text(), executable=True)
    write(folder / "bridge/Cargo.toml", "")
    for tool in ("cargo", "rustc"):
        write(folder / "bin" / tool, FAKE_CARGO.replace("{version}", version), executable=True)
    environment = {key: value for key, value in os.environ.items() if key != "RUSTC"}
    return {**environment, "PATH": f"{folder}/bin:{os.environ['PATH']}", "TORVYN_CACHE_DIR": str(folder.parent / "cache")}


def test_cargo_bridge_copies_the_archive_and_what_it_depends_on(tmp_path):
    environment = make_clone(tmp_path / "a")
    archive = tmp_path / "a/build/libtorvyn_bridge.a"
    result = run(tmp_path / "a/tools/cargo-bridge", archive, env=environment)
    assert result.returncode == 0, result.stderr
    assert "built with rustc --release --locked --lib -- -C metadata=" + str(tmp_path / "a") in result.stderr
    assert "about ten minutes" in result.stdout
    assert archive.read_text() == f"{tmp_path}/a/bridge\n"
    assert Path(f"{archive}.d").read_text() == f"{archive}: {tmp_path}/a/bridge/src/lib.rs\n"


def test_cargo_bridge_gives_each_of_several_clones_its_own_archive(tmp_path):
    environments = {name: make_clone(tmp_path / name) for name in ("a", "b", "c")}
    builds = [
        subprocess.Popen([tmp_path / name / "tools/cargo-bridge", tmp_path / name / f"build{i}/bridge.a"], env=environment)
        for i in range(5)
        for name, environment in environments.items()
    ]
    assert [build.wait() for build in builds] == [0] * len(builds)
    for name in environments:
        for i in range(5):
            assert (tmp_path / name / f"build{i}/bridge.a").read_text() == f"{tmp_path}/{name}/bridge\n"


def use_as_debians(clone: Path, folder: Path) -> None:
    """Makes the clone's script take the tools in `folder` for Debian's."""
    script = clone / "tools/cargo-bridge"
    text = script.read_text()
    assert "/usr/bin/cargo" in text and "/usr/bin/rustc" in text
    script.write_text(text.replace("/usr/bin/cargo", f"{folder}/cargo").replace("/usr/bin/rustc", f"{folder}/rustc"))


def test_cargo_bridge_takes_debians_rust_where_the_one_on_path_is_too_old(tmp_path):
    environment = make_clone(tmp_path / "old", version="1.85.0")
    make_clone(tmp_path / "debian", version="1.95.0")
    use_as_debians(tmp_path / "old", tmp_path / "debian/bin")
    result = run(tmp_path / "old/tools/cargo-bridge", tmp_path / "old/build/bridge.a", env=environment)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "old/build/bridge.a").read_text() == f"{tmp_path}/old/bridge\n"


def test_cargo_bridge_says_so_where_every_rust_is_too_old(tmp_path):
    environment = make_clone(tmp_path / "old", version="1.94.1")
    use_as_debians(tmp_path / "old", tmp_path / "old/bin")
    result = run(tmp_path / "old/tools/cargo-bridge", tmp_path / "old/build/bridge.a", env=environment)
    assert result.returncode == 1
    assert "no Rust of at least 1.95 here (cargo on PATH: 1.94.1, Debian's: 1.94.1)" in result.stderr
    assert "make setup" in result.stderr
    assert "built with" not in result.stderr
