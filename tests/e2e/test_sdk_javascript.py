"""Stages in JavaScript, from a source file to a flow that runs."""

import subprocess

import pytest

import scripts
from script_claims import SDK_TESTS, ScriptClaims, write


class TestJavaScript(ScriptClaims):
    language = "javascript"
    growth_bytes_max = 128 << 20  # the engine lets its garbage grow to that before it collects
    broken_message = "TypeError: can't access property \"size\", dish.spoon is undefined"

    def test_the_sdk_passes_its_own_tests(self):
        done = subprocess.run(["node", "--test", "tests"], cwd=SDK_TESTS["javascript"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "# tests 0" not in done.stdout

    @pytest.mark.parametrize("text, message", [
        ("import { filter } from 'torvyn';\n\nexport const shout = filter((element => 1);\n", "shout.js:3\n"),
        ("const x = 1;\n", "shout.js:1: no stage here"),
        ("import { filter } from 'torvyn';\nexport const a = filter(() => 1);\nexport default filter(() => 1);\n", "shout.js:3: two stages, `a` (line 2)"),
        ("import { filter } from 'torvyn';\nimport './other.js';\nexport const a = filter(() => 1);\n", "other.js:"),
        ("import { filter } from 'torvyn';\nimport './none.js';\nexport const a = filter(() => 1);\n", "shout.js:2: cannot find './none.js'"),
        ("import fs from 'node:fs';\n", "shout.js:1: cannot import 'node:fs'"),
    ])
    def test_what_is_wrong_is_told_before_anything_is_made(self, tmp_path, text, message):
        write(tmp_path, "other.js", "const x = (\n")
        done = scripts.scan(write(tmp_path, "shout.js", text), cwd=tmp_path)
        assert done.returncode == 1
        assert message in done.stderr

    @pytest.mark.parametrize("text", [
        "import { processor as stage } from 'torvyn';\nexport const a = stage(() => 1);\n",
        "import * as torvyn from 'torvyn';\nexport default torvyn.processor(() => 1);\n",
    ])
    def test_functions_by_other_names(self, tmp_path, text):
        assert scripts.facts(scripts.scan(write(tmp_path, "shout.js", text)))["role"] == "processor"

    def test_a_module_that_fails_as_it_is_loaded(self, tmp_path):
        source = write(tmp_path, "shout.js", "import { processor } from 'torvyn';\n\nnull.x;\n\nexport const shout = processor(() => 1);\n")
        done = scripts.build(source, tmp_path / "a.wasm", check=False, cwd=tmp_path)
        assert done.returncode == 1
        assert "shout.js:3" in done.stderr
        assert not (tmp_path / "a.wasm").exists()

    def test_a_module_that_asks_for_random_numbers_as_it_is_loaded(self, tmp_path):
        source = write(tmp_path, "shout.js", "import { processor } from 'torvyn';\nconst seed = Math.random();\nexport const shout = processor(() => seed);\n")
        done = scripts.build(source, tmp_path / "a.wasm", check=False, cwd=tmp_path)
        assert done.returncode == 1
        assert "wasi:random" in done.stderr and "where elements are worked on" in done.stderr
