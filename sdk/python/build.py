#!/usr/bin/env python3
"""Makes a component of a Python module with one stage in it. `torvyn build` runs this; nobody needs to by hand.

    build.py shout.py --output target/shout.wasm --work-dir target/shout --wit-dir wit/deps
    build.py shout.py --scan        # only finds the stage: no tools, nothing made

Prints one line of JSON: the stage's role and name, the component's world, and the author's files that went in. The module is never run
on this machine: what it is comes from its syntax tree, and it is first imported inside a sandbox.

Exit code 1: the module is wrong; stderr says where, as Python says it. 2: this was called wrongly, or a tool is missing.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

from passed_bytes import UnknownRuntime, release_passed_bytes

SDK = Path(__file__).resolve().parent
CONTRACT = "0.1.0"

# The worlds of each contract by role. The per-element ones can be asked for by name.
BATCH_WORLDS = {
    "processor": "torvyn:batching/managed-batch-transform",
    "batch_processor": "torvyn:batching/managed-batch-transform",
    "filter": "torvyn:batching/managed-batch-transform",
    "router": "torvyn:batching/batch-content-router",
    "source": "torvyn:batching/batch-data-source",
    "sink": "torvyn:batching/batch-data-sink",
    "aggregator": "torvyn:batching/batch-stream-aggregator",
}
ELEMENT_WORLDS = {
    "processor": ("torvyn:streaming/managed-transform", "torvyn:streaming/transform"),
    "batch_processor": (),
    "filter": ("torvyn:filtering/content-filter", "torvyn:streaming/managed-transform"),
    "router": ("torvyn:filtering/content-router",),
    "source": ("torvyn:streaming/data-source",),
    "sink": ("torvyn:streaming/data-sink",),
    "aggregator": ("torvyn:aggregation/stream-aggregator",),
}

# Runs componentize-py as its own launcher does. The launcher can't be used: it names the folder it was installed in first.
COMPONENTIZE = "import sys; from componentize_py import script; sys.argv[0] = 'componentize-py'; sys.exit(script())"


class Wrong(Exception):
    """The author's source is wrong; the text is for the author."""


class Missing(Exception):
    """Something this script needs is missing."""


class Stage(NamedTuple):
    role: str
    name: str
    line: int
    acknowledges: bool


def parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise Wrong("".join(traceback.format_exception_only(error)).rstrip()) from None
    except ValueError as error:  # null bytes
        raise Wrong(f"{path}:1: {error}") from None


def find_stage(path: Path, tree: ast.Module) -> Stage:
    """The one function or class under a decorator of the SDK's."""
    modules, names = set(), {}  # what `torvyn` and its decorators are called here
    stages = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == "torvyn"}
        elif isinstance(node, ast.ImportFrom) and node.module == "torvyn" and node.level == 0:
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                role = None
                if isinstance(decorator, ast.Attribute) and isinstance(decorator.value, ast.Name) and decorator.value.id in modules:
                    role = decorator.attr
                elif isinstance(decorator, ast.Name):
                    role = names.get(decorator.id)
                if role in BATCH_WORLDS:
                    methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                    stages.append(Stage(role, node.name, node.lineno, isinstance(node, ast.ClassDef) and "acknowledge" in methods))
    if not stages:
        raise Wrong(f"{path}:1: no stage here: `import torvyn` and put `@torvyn.processor`, or another role, before a function")
    if len(stages) > 1:
        both = f"`{stages[0].name}` (line {stages[0].line}) and `{stages[1].name}`"
        raise Wrong(f"{path}:{stages[1].line}: two stages, {both}: one module is one component, move one to a file of its own")
    return stages[0]


def find_inputs(path: Path, tree: ast.Module) -> dict[Path, ast.Module]:
    """The module and those it imports that lie beside it or below."""
    found = {path: tree}
    waiting = [path]
    while waiting:
        here = waiting.pop()
        for node in ast.walk(found[here]):
            wanted = []
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                wanted = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                folder = here.parents[node.level - 1]
                inside = folder.relative_to(path.parent).parts if folder.is_relative_to(path.parent) else ()
                base = ".".join((*inside, *(node.module or "").split("."))).strip(".")
                wanted = [base] + [f"{base}.{alias.name}".strip(".") for alias in node.names]
            for name in wanted:
                if name.split(".")[0] == "torvyn":  # the SDK, wherever a copy of it lies
                    continue
                for file in files_of(path.parent, name):
                    if file not in found:
                        found[file] = parse(file)
                        waiting.append(file)
    return found


def files_of(folder: Path, module: str) -> list[Path]:
    """The files below `folder` that importing `module` reads."""
    files = []
    at = folder
    for part in filter(None, module.split(".")):
        files += [file for file in (at / part / "__init__.py", at / f"{part}.py") if file.is_file()]
        at = at / part
    return files


def choose_world(stage: Stage, asked: str | None, path: Path) -> tuple[str, str]:
    """The world, and the module of torvyn_guest that fills it."""
    if asked is None:
        return BATCH_WORLDS[stage.role], "batch"
    asked = asked.partition("@")[0]
    for world, glue in [(BATCH_WORLDS[stage.role], "batch"), *((world, "element") for world in ELEMENT_WORLDS[stage.role])]:
        if asked in (world, world.partition("/")[2]):
            return world, glue
    fitting = ", ".join((BATCH_WORLDS[stage.role], *ELEMENT_WORLDS[stage.role]))
    raise Wrong(f"{path}:{stage.line}: `{stage.name}`, a {stage.role}, cannot fill the world {asked}; it can fill {fitting}")


def write_wit(folder: Path, packages: Path, world: str, stage: Stage) -> None:
    """The world of this component: the contract's, and what every component may use beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    found = [package for package in sorted(packages.iterdir()) if package.is_dir() and package.name.startswith("torvyn-")]
    if not found:
        raise Missing(f"{packages}: no contract packages here")
    for package in found:
        shutil.copytree(package, folder / "deps" / package.name)
    lines = [f"include {world}@{CONTRACT};", f"import torvyn:diagnostics/log@{CONTRACT};"]
    if stage.acknowledges:
        lines.append(f"export torvyn:acks/acks@{CONTRACT};")
    body = "".join(f"  {line}\n" for line in lines)
    (folder / "stage.wit").write_text(f"package torvyn:stage;\n\nworld stage {{\n{body}}}\n")


def find_modules(trees: list[ast.Module]) -> list[str]:
    """The modules that are imported anywhere, functions included: a component can import nothing once it runs."""
    names = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(node.module)
    return sorted(names)


def write_entry(folder: Path, path: Path, stage: Stage, glue: str, modules: list[str]) -> None:
    """The module that componentize-py looks for exports in."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "torvyn_entry.py").write_text(
        "import contextlib\n"
        "import importlib\n"
        f"author = importlib.import_module({path.stem!r})\n"
        f"for name in {modules!r}:\n"
        "    with contextlib.suppress(ImportError):\n"
        "        importlib.import_module(name)\n"
        f"from torvyn_guest.{glue} import exports_of\n"
        f"globals().update(exports_of(author.{stage.name}))\n")


def copy_modules(folder: Path, root: Path, inputs: list[Path]) -> None:
    """The author's modules: the interpreter in the sandbox leaves __pycache__ beside what it imports, and that is not for an author's folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for file in inputs:
        place = folder / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def componentize(path: Path, work: Path, output: Path) -> None:
    if importlib.util.find_spec("componentize_py") is None:
        raise Missing(f"componentize-py is not installed for {sys.executable}")
    output.parent.mkdir(parents=True, exist_ok=True)
    made = output.with_name(f".{output.name}.{os.getpid()}")
    # The SDK comes first: a project may hold another copy of it, for its tests.
    command = [sys.executable, "-c", COMPONENTIZE, "--quiet", "--wit-path", work / "wit", "--world", "stage", "--full-names", "componentize",
               "torvyn_entry", "--python-path", SDK, "--python-path", work / "entry", "--python-path", work / "app", "--output", made]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(readable(done.stderr, path))
        try:
            made.write_bytes(release_passed_bytes(made.read_bytes()))
        except UnknownRuntime as unknown:
            raise Missing(f"componentize-py is not of the version this SDK is made for: {unknown}") from None
        made.replace(output)
    finally:
        made.unlink(missing_ok=True)


def readable(text: str, path: Path) -> str:
    """The guest's traceback of an import that failed, without the ways of the tools around it."""
    found = re.search(r"AssertionError: (Traceback .*?)\n\n\nCaused by:", text, re.DOTALL)
    if not found:
        return text.rstrip()
    traceback_text = re.sub(r'  File "(/1/torvyn_entry\.py|/python/importlib/)[^\n]*\n(?:    [^\n]*\n)*', "", found[1])
    return traceback_text.replace('File "/2/', f'File "{path.parent}{os.sep}').replace(f'"{os.curdir}{os.sep}', '"')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--output", type=Path, help="the component")
    parser.add_argument("--work-dir", type=Path, help="a folder of this component's own, for what is generated")
    parser.add_argument("--wit-dir", type=Path, help="the folder that holds the contract packages, torvyn-streaming and so on")
    parser.add_argument("--world", help="a world other than the role's of the batch contract")
    parser.add_argument("--scan", action="store_true", help="find the stage and stop")
    arguments = parser.parse_args()
    if not arguments.scan and not (arguments.output and arguments.work_dir and arguments.wit_dir):
        parser.error("--output, --work-dir and --wit-dir are needed, or --scan")
    path = arguments.source
    try:
        tree = parse(path)
        stage = find_stage(path, tree)
        if "." in path.stem:
            raise Wrong(f"{path}:1: a module's name has no dots: it cannot be imported")
        world, glue = choose_world(stage, arguments.world, path)
        inputs = find_inputs(path, tree)
        if not arguments.scan:
            write_wit(arguments.work_dir / "wit", arguments.wit_dir, world, stage)
            write_entry(arguments.work_dir / "entry", path, stage, glue, find_modules(list(inputs.values())))
            copy_modules(arguments.work_dir / "app", path.parent, list(inputs))
            componentize(path, arguments.work_dir, arguments.output)
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    except (Missing, OSError) as missing:
        print(missing, file=sys.stderr)
        return 2
    print(json.dumps({"role": stage.role, "name": stage.name, "world": f"{world}@{CONTRACT}",
                      "inputs": sorted(str(file.resolve()) for file in inputs)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
