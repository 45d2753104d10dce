"""Projects in Rust over sdk/rust: written as `torvyn init` writes them, and built as `torvyn build` does it, by cargo and then by
`torvyn build` for the core module.

Cargo works in a cache folder that all test runs share, so that the standard library, where it has to be built, is built once.
"""

import fcntl
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk" / "rust"
TEMPLATES = ROOT / "templates" / "rust"
SOURCES = ROOT / "tests" / "components" / "rust"
TARGET = "wasm32-unknown-unknown"
LINKERS = ["wasm-ld-19", "wasm-ld", "rust-lld"]
# A cold build of the standard library on a slow machine.
BUILD_S_MAX = 30 * 60


def cache_folder() -> Path:
    named = os.environ.get("TORVYN_CACHE_DIR")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torvyn"


CACHE = cache_folder() / "rust"


@dataclass
class Toolchain:
    cargo: str
    environment: dict[str, str]
    flags: list[str]


def sysroot_of(rustc: str) -> Path:
    return Path(subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip())


def find_toolchain() -> Toolchain | None:
    """Cargo with the target installed, else Debian's, which builds the standard library."""
    if shutil.which("rustc") and (sysroot_of("rustc") / "lib" / "rustlib" / TARGET / "lib").is_dir():
        rustc, cargo, environment, flags = "rustc", "cargo", {}, []
    else:
        linker = next(filter(shutil.which, LINKERS), None)
        rustc, cargo = "/usr/bin/rustc", "/usr/bin/cargo"
        if not linker or not Path(rustc).exists() or not Path(cargo).exists():
            return None
        if not (sysroot_of(rustc) / "lib/rustlib/src/rust/library/Cargo.toml").exists():
            return None
        environment = {"RUSTC": rustc, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": linker}
        flags = ["-Z", "build-std=std,panic_abort"]
    registry = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo") / "registry" / "src"
    source = sysroot_of(rustc) / "lib/rustlib/src/rust"
    remapped = {registry: "registry", source.resolve(): "rust", source: "rust"}
    rustflags = ["-C target-feature=+simd128", *(f"--remap-path-prefix={path}={name}" for path, name in remapped.items())]
    environment["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS"] = " ".join(rustflags)
    return Toolchain(cargo, environment, flags)


def toolchain() -> Toolchain:
    found = find_toolchain()
    if not found:
        pytest.skip("no Rust for wasm32-unknown-unknown: run tools/setup")
    return found


def copy_file(source: Path, target: Path, text: str | None = None) -> None:
    """Keeps the time of change: what is not newer is not compiled again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.read_text() if text is None else text)
    times = source.stat()
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def vendor_sdk(project: Path) -> None:
    for folder, subfolders, names in os.walk(SDK, followlinks=True):
        subfolders[:] = [name for name in subfolders if name != "target"]
        for name in names:
            path = Path(folder) / name
            copy_file(path, project / "vendor" / "torvyn" / path.relative_to(SDK))
    copy_file(SDK / "Cargo.lock", project / "Cargo.lock")


def write_project(project: Path, template: str, name: str) -> None:
    """As `torvyn init --language rust --template …` does."""
    version = re.search(r'^version = "(.*?)"', (SDK / "Cargo.toml").read_text(), re.MULTILINE)[1]
    words = {"name": name, "name_snake": name.replace("-", "_"), "contract_version": version, "language": "rust"}
    for path in sorted(file for file in (TEMPLATES / template).rglob("*") if file.is_file()):
        text = re.sub(r"\{\{(\w+)\}\}", lambda match: words[match[1]], path.read_text())
        copy_file(path, project / path.relative_to(TEMPLATES / template), text)
    vendor_sdk(project)


def write_workspace(project: Path, sources: dict[str, Path | tuple[Path, str]]) -> None:
    """A crate for each source: a file, or a file and a text to have in its stead."""
    full = TEMPLATES / "full-pipeline"
    members = ", ".join(f'"{name}"' for name in sources)
    manifest = re.sub(r"members = .*", f"members = [{members}]", (full / "Cargo.toml").read_text())
    copy_file(full / "Cargo.toml", project / "Cargo.toml", manifest)
    crate = (full / "source" / "Cargo.toml").read_text()
    for name, source in sources.items():
        path, text = source if isinstance(source, tuple) else (source, None)
        copy_file(full / "source" / "Cargo.toml", project / name / "Cargo.toml", crate.replace("{{name}}-source", name))
        copy_file(path, project / name / "src" / "lib.rs", text)
    vendor_sdk(project)


def cargo(project: Path, arguments: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run([toolchain().cargo, *arguments], cwd=project, env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BUILD_S_MAX, check=False)
    assert done.returncode == 0, done.stdout


def wrapper() -> Path:
    """Cargo makes its path part of what names a workspace's crates: those of tests are not those of a person's own projects."""
    path = CACHE / "projects" / "tests" / "rustc"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        made.write_text('#!/bin/sh\nexec "$@"\n')
        made.chmod(0o755)
        made.replace(path)
    return path


def build(project: Path, torvyn, names: list[str]) -> dict[str, Path]:
    """Makes target/NAME.wasm of each crate."""
    tools = toolchain()
    environment = {**tools.environment, "CARGO_TARGET_DIR": str(CACHE / "target"), "RUSTC_WORKSPACE_WRAPPER": str(wrapper())}
    made = {}
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cargo(project, ["build", "--release", "--target", TARGET, *tools.flags], environment)
        for name in names:
            core = CACHE / "target" / TARGET / "release" / f"{name.replace('-', '_')}.wasm"
            made[name] = project / "target" / f"{name}.wasm"
            outcome = torvyn("build", core, "-o", made[name])
            assert outcome.code == 0, outcome.err
    return made


def run_unit_tests(project: Path) -> None:
    """`cargo test`, natively: no WebAssembly, and nothing from a registry."""
    tools = toolchain()
    kept = {key: value for key, value in tools.environment.items() if key == "RUSTC"}
    environment = {**kept, "CARGO_TARGET_DIR": str(CACHE / "native"), "RUSTC_WORKSPACE_WRAPPER": str(wrapper())}
    cargo(project, ["test", "--workspace", "--exclude", "torvyn", "--offline"], environment)


def use_built(project: Path) -> None:
    """Has the manifest name what is built already, where `torvyn run` would build it."""
    text = (project / "Torvyn.toml").read_text()
    names = re.findall(r'\[\[component\]\]\nname = "(.*?)"', text)
    text = re.sub(r'\[\[component\]\]\n(?:\w+ = .*\n)+\n?', "", text)
    for name in names:
        text = text.replace(f'component = "{name}"', f'component = "target/{name}.wasm"')
    (project / "Torvyn.toml").write_text(text)
