"""Stages in Python, from a source file to a flow that runs."""

import subprocess
import sys

import pytest

import scripts
from flows import hello
from script_claims import SDK_TESTS, ScriptClaims, write


class TestPython(ScriptClaims):
    language = "python"
    broken_message = "KeyError: 'spoon'"

    def test_the_sdk_passes_its_own_tests(self):
        done = subprocess.run([sys.executable, "-m", "unittest", "discover", "-s", "tests", "-t", "."], cwd=SDK_TESTS["python"], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Ran 0 tests" not in done.stderr

    def test_logging_goes_to_the_host(self, torvyn, workshop):
        outcome = torvyn("run", f"generate count=1 ! {workshop.component('kitchen')} how=tell ! null")
        assert "[kitchen] logged 0" in outcome.err

    def test_finalizers_of_an_authors_own_work(self, torvyn, workshop):
        """Those of the handles that are lent for a call are left out: see torvyn_guest/batch.py."""
        outcome = torvyn("run", f"generate count=200 ! {workshop.component('kitchen')} how=finalize ! stdout")
        assert outcome.out == hello(range(200))

    @pytest.mark.parametrize("text, message", [
        ("import torvyn\n\ndef shout(element)\n    pass\n", 'shout.py", line 3'),
        ("x = 1\n", "shout.py:1: no stage here"),
        ("import torvyn\n@torvyn.filter\ndef a(e): ...\n@torvyn.sink\ndef b(e): ...\n", "shout.py:5: two stages, `a` (line 3) and `b`"),
        ("import torvyn\nimport other\n@torvyn.filter\ndef a(e): ...\n", 'other.py", line 1'),
    ])
    def test_what_is_wrong_is_told_before_anything_is_made(self, tmp_path, text, message):
        write(tmp_path, "other.py", "x = (\n")
        done = scripts.scan(write(tmp_path, "shout.py", text))
        assert done.returncode == 1
        assert message in done.stderr

    @pytest.mark.parametrize("text", [
        "from torvyn import processor as stage\n@stage\ndef a(e): ...\n",
        "import torvyn as t\n@t.processor\nclass A:\n    def process(self, e): ...\n",
    ])
    def test_decorators_by_other_names(self, tmp_path, text):
        assert scripts.facts(scripts.scan(write(tmp_path, "shout.py", text)))["role"] == "processor"

    def test_a_world_that_does_not_fit(self, tmp_path):
        done = scripts.build(write(tmp_path, "shout.py", "import torvyn\n@torvyn.sink\ndef a(e): ...\n"), tmp_path / "a.wasm", world="transform", check=False)
        assert done.returncode == 1
        assert "shout.py:3: `a`, a sink, cannot fill the world transform" in done.stderr

    def test_a_module_that_fails_as_it_is_imported(self, tmp_path):
        source = write(tmp_path, "shout.py", "import torvyn\n\nlimit = int('ten')\n\n@torvyn.processor\ndef shout(e): ...\n")
        done = scripts.build(source, tmp_path / "a.wasm", check=False)
        assert done.returncode == 1
        assert f'File "{source}", line 3, in <module>' in done.stderr
        assert done.stderr.rstrip().endswith("ValueError: invalid literal for int() with base 10: 'ten'")
        assert "torvyn_entry" not in done.stderr
        assert not (tmp_path / "a.wasm").exists()
