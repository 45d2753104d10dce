"""What goes wrong says what, where, why and what to do, with the right exit code, and the output so far is whole."""

import pytest

from conftest import component, misbehaving

# A module of no imports and no exports, in eight bytes.
CORE_MODULE = b"\0asm\x01\0\0\0"


class TestFiles:
    def test_missing_input(self, torvyn):
        torvyn("run", "file nowhere.log ! stdout").fails(2, "error[E0004]", "`nowhere.log`", "No such file or directory")

    def test_folder_as_input(self, torvyn, tmp_path):
        (tmp_path / "folder").mkdir()
        torvyn("run", "file folder ! stdout").fails(2, "error[E0004]", "`folder`", "Is a directory")

    def test_output_in_a_missing_folder(self, torvyn):
        torvyn("run", "generate count=1 ! file nowhere/out.log").fails(2, "error[E0004]", "nowhere/out.log")

    def test_missing_component(self, torvyn):
        outcome = torvyn("run", "generate count=1 ! ./nowhere.wasm ! stdout")
        outcome.fails(2, "error[E0210]", "nowhere.wasm")
        assert outcome.out == b""

    def test_misspelt_builtin(self, torvyn):
        torvyn("run", "generte count=1 ! stdout").fails(2, "error[E0210]", "did you mean `generate`?")


class TestWhatIsNoComponent:
    @pytest.fixture(params=["run", "inspect"])
    def refuse(self, request, torvyn, tmp_path):
        def call(content: bytes, *words: str) -> None:
            (tmp_path / "x.wasm").write_bytes(content)
            arguments = ["run", "generate count=1 ! ./x.wasm ! stdout"] if request.param == "run" else ["inspect", "x.wasm"]
            outcome = torvyn(*arguments)
            outcome.fails(1, "error[E0104]", "x.wasm", *words)
            assert outcome.out == b""
        return call

    def test_text(self, refuse):
        refuse(b"#!/bin/sh\necho hello\n", "text")

    def test_empty_file(self, refuse):
        refuse(b"", "empty")

    def test_half_a_component(self, refuse):
        whole = component("upper").read_bytes()
        refuse(whole[:len(whole) // 2])

    def test_a_damaged_component(self, refuse):
        whole = bytearray(component("upper").read_bytes())
        for index in range(8, 200):
            whole[index] ^= 0xff
        refuse(bytes(whole))

    def test_core_module_says_how_to_make_a_component(self, refuse):
        refuse(CORE_MODULE, "core module", "torvyn build")


class TestComponents:
    def test_without_an_interface_of_ours_names_what_it_exports(self, torvyn):
        outcome = torvyn("run", f"generate count=1 ! {misbehaving('no-interface')} ! stdout")
        outcome.fails(1, "error[E0102]", "exports", "test:worlds")

    def test_of_another_version(self, torvyn):
        torvyn("run", f"generate count=1 ! {misbehaving('other-version')} ! stdout").fails(1, "error[E0201]", "0.2.0", "0.1.0")

    def test_with_an_import_nobody_provides(self, torvyn):
        outcome = torvyn("run", f"generate count=1 ! {misbehaving('missing-import')} ! stdout")
        outcome.fails(1, "error[E0205]", "test:worlds/oracle", "missing-import.wasm")

    def test_that_takes_no_settings(self, torvyn):
        outcome = torvyn("run", f"generate count=1 ! {misbehaving('wasi-upper')} loud=yes ! stdout")
        outcome.fails(1, "error[E0206]", "lifecycle")

    def test_with_a_setting_it_refuses(self, torvyn):
        torvyn("run", f"generate count=1 ! {component('grep')} ! stdout").fails(1, "error[E0411]", "pattern")


class TestPlaces:
    def test_a_sink_first(self, torvyn):
        torvyn("run", f"stdout ! {component('upper')} ! null").fails(1, "error[E0203]", "stdout", "sink")

    def test_a_component_sink_first(self, torvyn):
        torvyn("run", f"{component('count-sink')} ! null").fails(1, "error[E0203]", "count-sink", "sink")

    def test_a_processor_last(self, torvyn):
        torvyn("run", f"generate count=1 ! {component('upper')}").fails(1, "error[E0203]", "upper")

    def test_a_source_in_the_middle(self, torvyn):
        torvyn("run", f"generate ! {component('hello-source')} ! null").fails(1, "error[E0203]", "hello-source")

    def test_nothing_but_a_source(self, torvyn):
        torvyn("run", "generate count=1 ! ").fails(2, "error[E0005]")


class TestMisbehaviour:
    """Elements before the one it happens at are out, and nothing of those after it is."""

    expected = b"".join(b"hello %d\n" % n for n in range(6))

    def run(self, torvyn, name: str, *words: str, settings: str = "", count: int = 100, tries: int = 1) -> None:
        for _ in range(tries):
            outcome = torvyn("run", f"generate count={count} ! {misbehaving(name)} at=6 {settings} ! stdout")
            outcome.fails(1, f"node {name}", "element 6 (8 bytes", "then", *words)
            assert outcome.out == self.expected

    def test_trap(self, torvyn):
        self.run(torvyn, "trap", "error[E0420]", "guest  give_up", "trap.c:", "6 delivered", "1 failed", "torvyn explain E0420")

    def test_assertion_shows_its_last_words(self, torvyn):
        self.run(torvyn, "assertion", "error[E0420]", "misbehave_at", "assert_wrongly")

    def test_stack_overflow(self, torvyn):
        self.run(torvyn, "overflow", "error[E0420]", "stack", "dig")

    def test_endless_loop(self, torvyn):
        self.run(torvyn, "spin", "error[E0401]", "100 ms", settings="@timeout=100ms")

    def test_hunger_for_memory(self, torvyn):
        self.run(torvyn, "hog", "error[E0", "memory", settings="@max_memory=16MiB")

    def test_double_return(self, torvyn):
        self.run(torvyn, "double-return", "error[E0303]")

    def test_forged_handle(self, torvyn):
        self.run(torvyn, "forge", "error[E0303]")

    def test_kept_borrow(self, torvyn):
        self.run(torvyn, "keeps-borrow", "error[E0304]")

    @pytest.mark.parametrize("kind", ["invalid-input", "unavailable", "internal", "deadline-exceeded"])
    def test_error_on_the_seventh_element(self, torvyn, kind):
        self.run(torvyn, "fail-at", "error[E0403]", kind, "on_error", settings=f"kind={kind}")

    def test_fatal_error(self, torvyn):
        self.run(torvyn, "fail-at", "error[E0410]", "as it was told", settings="kind=fatal @on_error=skip")

    def test_errors_can_be_skipped(self, torvyn):
        outcome = torvyn("run", f"generate count=100 ! {misbehaving('fail-at')} at=6 @on_error=skip ! stdout")
        outcome.fails(0, "100 pulled = 99 delivered + 1 skipped", "first error: fail-at, element 6, internal")
        assert outcome.out == b"".join(b"hello %d\n" % n for n in range(100) if n != 6)

    def test_too_many_skipped_errors_fail(self, torvyn, tmp_path):
        (tmp_path / "in.log").write_bytes(b"no log line\n" * 20)
        pipeline = f"file in.log ! {component('access-log')} @on_error=skip ! null"
        assert torvyn.report(pipeline, "--max-errors", "20")["flow"]["skipped"] == 20
        outcome = torvyn("run", pipeline, "--max-errors", "3", "--format", "json")
        assert outcome.code == 1
        assert outcome.json()["flow"]["skipped"] == 3
        assert outcome.json()["errors"][0]["element"] == 3

    def test_leaked_handles_are_warned_of(self, torvyn):
        pipeline = f"generate count=200 ! {misbehaving('leak')} ! null"
        torvyn("run", pipeline).fails(0, "warning[W0300]", "node leak")
        warnings = torvyn.report(pipeline)["warnings"]
        assert {"W0300"} == {warning["code"] for warning in warnings}
        assert warnings[0]["node"] == "leak"

    def test_the_report_is_data_too(self, torvyn):
        outcome = torvyn("run", f"generate count=100 ! {misbehaving('trap')} at=6 ! null", "--format", "json")
        report = outcome.json()
        assert outcome.code == report["exit_code"] == 1
        error = report["errors"][0]
        assert (error["code"], error["flow"], error["node"], error["element"]) == ("E0420", "main", "trap", 6)
        assert any("give_up" in frame for frame in error["guest_backtrace"])
        assert report["flow"]["state"] == "failed"
        assert report["flow"]["delivered"] == 6


class TestPipelineStrings:
    @pytest.mark.parametrize("pipeline, words", [
        ("file 'in.log ! stdout", ["quote"]),
        ("generate count=1 ! ! stdout", ["stage"]),
        ("generate count=1 count=2 ! stdout", ["`count`", "twice"]),
        ("generate ! stdout @on_eror=skip", ["did you mean `@on_error`?"]),
    ])
    def test_a_caret_shows_the_place(self, torvyn, pipeline, words):
        outcome = torvyn("run", pipeline)
        outcome.fails(2, "error[E0005]", "--> <pipeline>:1:", pipeline, "^", *words)

    def test_the_caret_stands_under_the_quote(self, torvyn):
        lines = torvyn("run", "file 'in.log ! stdout").err.splitlines()
        assert lines[4].index("^") == lines[3].index("'")

    def test_unknown_setting_of_a_builtin(self, torvyn):
        torvyn("run", "generate cuont=1 ! stdout").fails(1, "error[E0701]", "did you mean `count`?")
