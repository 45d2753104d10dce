"""The SDKs for C and C++: their own tests, what authors may write, and the projects that `init` makes of the templates."""

import subprocess
from pathlib import Path

import pytest

from conftest import BINARY, ROOT, STUCK_S, Torvyn
from flows import HEAD, flow, generate, run, stage, write

SDK = ROOT / "sdk"
TEMPLATES = ROOT / "templates"
CONTRACTS = {"runs": "", "one": "#define TORVYN_PER_ELEMENT\n"}
EXTENSIONS = {"c": "c", "cpp": "cpp"}


@pytest.fixture
def built(torvyn, tmp_path):
    """Builds a component of a text, and says where it is."""

    def build(text: str, name: str = "stage", extension: str = "c", *arguments) -> Path:
        source = tmp_path / f"{name}.{extension}"
        source.write_text(text)
        outcome = torvyn("build", source, *arguments)
        assert outcome.code == 0, outcome.err
        assert "warning" not in outcome.err
        return tmp_path / f"{name}.wasm"

    return build


@pytest.fixture(params=CONTRACTS)
def contract(request) -> str:
    """What an author puts before the include: nothing, or what asks for the per-element contract."""
    return CONTRACTS[request.param]


def imports(torvyn: Torvyn, component: Path) -> str:
    outcome = torvyn("inspect", component, "--format", "json")
    assert outcome.code == 0, outcome.err
    return outcome.out.decode()


# ---- on the host machine ------------------------------------------------------------------------------------------------

HOST_TESTS = [(compiler, flags, path)
              for folder, compilers, flags in [("c", ("gcc", "clang-19"), "-std=c11"), ("cpp", ("g++", "clang++-19"), "-std=c++23")]
              for compiler in compilers for path in sorted((SDK / folder / "test").iterdir())]


@pytest.mark.parametrize("compiler, flags, path", HOST_TESTS, ids=[f"{one[0]}-{one[2].stem}" for one in HOST_TESTS])
def test_the_sdks_own_tests(tmp_path, compiler, flags, path):
    command = [compiler, flags, "-g", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-fsanitize=address,undefined",
               "-fno-sanitize-recover=all", f"-I{SDK}/c/include", f"-I{SDK}/cpp/include", path, "-o", tmp_path / "test"]
    subprocess.run(command, check=True, timeout=STUCK_S)
    subprocess.run([tmp_path / "test"], check=True, timeout=STUCK_S)


@pytest.mark.parametrize("header", sorted((SDK / "c/include/torvyn").glob("*.h")), ids=lambda path: path.stem)
@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang-19", "clang++-19"])
def test_every_header_compiles_alone(header, compiler):
    language = ["-xc++", "-std=c++23"] if "++" in compiler else ["-xc", "-std=c11", "-Wpedantic"]
    subprocess.run([compiler, *language, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{SDK}/c/include", "-"],
                   input=f"#include <torvyn/{header.name}>\n".encode(), check=True, timeout=STUCK_S)


# ---- processors ---------------------------------------------------------------------------------------------------------

WORDS_C = """#include <torvyn/processor.h>
static bool is(const torvyn_element* in, const char* word) { return torvyn_element_is(in, word); }
static bool obey(const torvyn_element* in, torvyn_output* out) {
  if (is(in, "nothing\\n")) return true;
  if (is(in, "wrong\\n")) {
    torvyn_emit(out, "void\\n", 5);
    return torvyn_fail(TORVYN_INVALID_INPUT, "wrong on line %d", 3);
  }
  if (is(in, "silent\\n")) return false;
  if (is(in, "same\\n")) {
    torvyn_forward(out);
    return true;
  }
  torvyn_write(out, in->bytes, in->size - 1);
  torvyn_print(out, "%c\\n", '!');
  return true;
}
TORVYN_PROCESSOR(obey)
"""
WORDS_CPP = """#include <torvyn/processor.hpp>
torvyn::Status obey(std::string_view line, torvyn::Output& out) {
  if (line == "nothing\\n") return {};
  if (line == "wrong\\n") {
    out.emit("void\\n");
    return torvyn::invalid_input("wrong on line " + std::to_string(3));
  }
  if (line == "silent\\n") return torvyn::internal("");
  if (line == "same\\n") {
    out.forward();
    return {};
  }
  line.remove_suffix(1);
  out.write(line).write("!\\n");
  return {};
}
TORVYN_PROCESSOR(obey)
"""
WORDS = {"c": WORDS_C, "cpp": WORDS_CPP}


@pytest.mark.parametrize("language", WORDS)
def test_a_processor_gives_nothing_one_or_its_input(torvyn, built, contract, language):
    component = built(contract + WORDS[language], extension=language)
    assert "wasi" not in imports(torvyn, component)
    outcome = torvyn("run", f"stdin ! {component} ! stdout", "--format", "json", stdin=b"a\nnothing\nsame\nb\n")
    assert outcome.out == b"a!\nsame\nb!\n"
    fates = outcome.json("err")["flow"]
    assert (fates["delivered"], fates["filtered"]) == (3, 1)


@pytest.mark.parametrize("language", WORDS)
def test_an_error_is_about_its_element_alone(torvyn, built, contract, language):
    component = built(contract + WORDS[language], extension=language)
    outcome = torvyn("run", f"stdin ! {component} ! stdout", stdin=b"a\nb\nwrong\nc\n")
    outcome.fails(1, "invalid-input", "wrong on line 3", "element 2")
    assert outcome.out == b"a!\nb!\n"
    outcome = torvyn("run", f"stdin ! {component} @on_error=skip ! stdout", stdin=b"a\nwrong\nb\nsilent\nwrong\nsame\n")
    assert outcome.out == b"a!\nb!\nsame\n"
    if language == "c":
        torvyn("run", f"stdin ! {component} ! stdout", stdin=b"silent\n").fails(1, "internal", "did not say why")


SEVERAL = """#include <torvyn/processor.h>
static bool split(const torvyn_element* in, torvyn_output* out) {
  for (size_t i = 0; i + 1 < in->size; ++i) {
    torvyn_set_content_type(out, in->bytes[i] == '{' ? "application/json" : "text/plain");
    torvyn_print(out, "%c\\n", in->bytes[i]);
    torvyn_end(out);
    if (in->bytes[i] == '=') torvyn_forward(out);
  }
  return true;
}
TORVYN_PROCESSOR(split)
"""
TYPES = """#include <torvyn/processor.h>
static bool name(const torvyn_element* in, torvyn_output* out) {
  const torvyn_meta meta = torvyn_meta_of(in);
  torvyn_print(out, "%llu %s %zu %zu %s %.*s", (unsigned long long)meta.sequence, meta.content_type, strlen(torvyn_trace_id(in)),
               strlen(torvyn_span_id(in)), torvyn_flow_id(in), (int)in->size, (const char*)in->bytes);
  return true;
}
TORVYN_PROCESSOR(name)
"""


def test_one_in_many_out_in_order(torvyn, built):
    component = built(SEVERAL)
    outcome = torvyn("run", f"stdin ! {component} ! stdout", stdin=b"ab=c\n\nd\n")
    assert outcome.out == b"a\nb\n=\nab=c\nc\nd\n"


def test_meta_and_content_types_pass(torvyn, built, contract):
    split, name = built(SEVERAL, "split"), built(contract + TYPES, "name")
    outcome = torvyn("run", f"stdin ! {split} ! {name} ! stdout", stdin=b"a{\nb\n")
    assert outcome.out == (b"0 text/plain 32 16 main a\n0 application/json 32 16 main {\n1 text/plain 32 16 main b\n")


def test_several_outputs_of_the_per_element_contract_are_an_error_that_says_so(torvyn, built):
    component = built("#define TORVYN_PER_ELEMENT\n" + SEVERAL)
    torvyn("run", f"stdin ! {component} ! stdout", stdin=b"ab\n").fails(1, "2 outputs", "build without TORVYN_PER_ELEMENT")


WHOLE_RUN = {
    "c": """#include <torvyn/processor.h>
static bool upper(const torvyn_batch* batch, torvyn_output* out) {
  for (uint32_t i = 0; i < batch->count; ++i) {
    const torvyn_element in = torvyn_batch_element(batch, i);
    torvyn_at(out, i);
    if (torvyn_element_is(&in, "hello 7\\n")) return torvyn_fail(TORVYN_INVALID_INPUT, "seven");
    if (i % 2 == 0) torvyn_forward(out);
    torvyn_write(out, in.bytes + in.size - 2, 2);
  }
  return true;
}
TORVYN_BATCH_PROCESSOR(upper)
""",
    "cpp": """#include <torvyn/processor.hpp>
torvyn::Status upper(const torvyn::Batch& batch, torvyn::Output& out) {
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    out.at(i);
    const std::string_view text = batch[i].text();
    if (text == "hello 7\\n") return torvyn::invalid_input("seven");
    if (i % 2 == 0) out.forward();
    out.write(text.substr(text.size() - 2));
  }
  return {};
}
TORVYN_BATCH_PROCESSOR(upper)
"""}


@pytest.mark.parametrize("language", WHOLE_RUN)
def test_a_whole_run_a_call(torvyn, built, language):
    component = built(WHOLE_RUN[language], extension=language)
    outcome = torvyn("run", f"generate count=9 ! {component} @on_error=skip ! stdout")
    assert outcome.code == 0, outcome.err
    # After the element in error a new run begins.
    expected = [line for n in range(9) if n != 7 for line in ([f"hello {n}"] if n in (0, 2, 4, 6, 8) else []) + [str(n)]]
    assert outcome.out.decode().split("\n")[:-1] == expected


def test_a_whole_run_changed_in_place(torvyn, built):
    component = built("#include <torvyn/processor.h>\n"
                      "static bool upper(const torvyn_batch* batch, torvyn_output* out) {\n"
                      "  for (uint32_t i = 0; i < batch->ends[batch->count - 1]; ++i) {\n"
                      "    if (batch->bytes[i] == 'h') batch->bytes[i] = 'H';\n  }\n"
                      "  torvyn_emit_batch(out, batch);\n  return true;\n}\nTORVYN_BATCH_PROCESSOR(upper)\n")
    outcome = torvyn("run", f"generate count=200 ! {component} ! stdout")
    assert outcome.out == b"".join(b"Hello %d\n" % n for n in range(200))


LARGE = """#include <torvyn/processor.h>
static uint64_t count = 1, size = 1;
static bool configure(torvyn_settings* settings) {
  return torvyn_setting_number(settings, "count", &count) && torvyn_setting_number(settings, "size", &size);
}
static bool blow_up(const torvyn_element* in, torvyn_output* out) {
  for (uint64_t i = 0; i < count; ++i) {
    memset(torvyn_extend(out, size), 'x', size);
    torvyn_end(out);
  }
  return true;
}
TORVYN_PROCESSOR(blow_up, .init = configure)
"""


def test_more_than_the_largest_buffer_goes_in_parts(torvyn, built):
    component = built(LARGE)
    report = torvyn.report(f"generate count=3 ! {component} count=21 size=1000000 ! null")
    assert report["stages"][1]["elements_out"] == 63
    # Collected, and then handed over in one piece, which is too much for one buffer.
    one = flow({"in": generate(40), "stage": stage(component, {"size": 600_000}), "out": stage("null")})
    result = run(torvyn, one, head='[capabilities.torvyn]\nmax-buffer-size = "1MiB"\n').ends(0, delivered=40)
    assert result.stages["stage"]["elements_out"] == 40


def test_an_output_that_no_buffer_holds_is_an_error_that_says_so(torvyn, built, contract):
    component = built(contract + LARGE)
    outcome = torvyn("run", f"generate count=2 ! {component} size=17000000 ! null")
    outcome.fails(1, "internal", "an output of 17000000 bytes is larger than the host's largest buffer", "element 0")
    report = torvyn.report(f"generate count=2 ! {component} size=17000000 @on_error=skip ! null")
    assert report["flow"]["skipped"] == 2


# ---- the end of an instance -----------------------------------------------------------------------------------------------

LAST_WORDS = {
    "panic": ("c", "#include <torvyn/processor.h>", 'torvyn_panic("no %s here", "tea");', "no tea here", "stage.c:5"),
    "assert": ("c", "#include <torvyn/processor.h>\n#include <assert.h>", "assert(in->size == 0);", "assertion `in->size == 0` failed", "stage.c:6"),
    "abort": ("c", "#include <torvyn/processor.h>", "abort();", "abort() was called", "stage.c:5"),
    "assert-cpp": ("cpp", "#include <torvyn/processor.hpp>\n#include <cassert>", "assert(in.text().empty());", "assertion `in.text().empty()` failed",
                   "stage.cpp:6"),
    "abort-cpp": ("cpp", "#include <torvyn/processor.hpp>\n#include <cstdlib>", "std::abort();", "abort() was called", "stage.cpp:6"),
    "at-cpp": ("cpp", "#include <torvyn/processor.hpp>\n#include <vector>", "std::vector<int> none; out.print(\"%d\", none.at(in.size_bytes()));", "vector",
               "stage.cpp:6"),
    "new-cpp": ("cpp", "#include <torvyn/processor.hpp>", "static char* kept; kept = new char[in.size_bytes() * 500000000]; kept[1] = 1; out.emit(kept);",
                "bad_alloc", "stage.cpp:5"),
    "value-cpp": ("cpp", "#include <torvyn/processor.hpp>", "torvyn::Result<int> none = torvyn::fatal(\"\"); out.print(\"%d\", none.value());",
                  "panicked", "stage.cpp:5"),
}


@pytest.mark.parametrize("name", LAST_WORDS)
def test_last_words_come_with_their_place(torvyn, built, name):
    language, head, statement, words, place = LAST_WORDS[name]
    if language == "c":
        body = f"static bool die(const torvyn_element* in, torvyn_output* out) {{\n  if (!torvyn_element_is(in, \"hello 3\\n\")) {{ torvyn_forward(out); return true; }}\n  {{\n{statement}\n  }}\n  return true;\n}}\n"
    else:
        body = f"void die(const torvyn::Element& in, torvyn::Output& out) {{\n  if (in.text() != \"hello 3\\n\") return out.forward();\n  {{\n{statement}\n  }}\n}}\n"
    component = built(f"{head}\n{body}TORVYN_PROCESSOR(die)\n", extension=language)
    assert "wasi" not in imports(torvyn, component)
    # One element a run: a run in which an instance ends is void as a whole.
    one = flow({"in": generate(5), "stage": stage(component), "out": stage("stdout")})
    (torvyn.cwd / "Torvyn.toml").write_text(HEAD + "[runtime]\nmax_batch = 1\n" + str(one))
    outcome = torvyn("run")
    outcome.fails(1, "error[E0420]", "panicked", words, place, "element 3")
    assert outcome.out == b"hello 0\nhello 1\nhello 2\n"


def test_ordinary_cpp_needs_no_wasi(torvyn, built):
    component = built("""#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <torvyn/aggregator.hpp>
#include <unordered_map>
#include <vector>
class Words {
 public:
  void ingest(std::string_view line) {
    lines_.emplace_back(line);
    counts_[std::string(line.substr(0, 5))]++;
    *last_ = line;
  }
  std::vector<std::string> flush() {
    std::ranges::sort(lines_, std::ranges::greater());
    std::vector<std::string> all(lines_);
    for (const auto& [word, count] : counts_) all.push_back(word + " " + std::to_string(count) + "\\n");
    all.push_back(*last_);
    return all;
  }
 private:
  std::vector<std::string> lines_;
  std::unordered_map<std::string, int> counts_;
  std::unique_ptr<std::string> last_ = std::make_unique<std::string>();
};
TORVYN_AGGREGATOR(Words)
""", extension="cpp")
    assert "wasi" not in imports(torvyn, component)
    outcome = torvyn("run", f"generate count=3 ! {component} ! stdout")
    assert outcome.out == b"hello 2\nhello 1\nhello 0\nhello 3\nhello 2\n"


# ---- the other roles ------------------------------------------------------------------------------------------------------

FILTERS = {
    "c": """#include <torvyn/filter.h>
static bool keep(const torvyn_element* in) {
  if (torvyn_element_is(in, "wrong\\n")) return torvyn_fail(TORVYN_INVALID_INPUT, "wrong");
  return in->size > 3;
}
TORVYN_FILTER(keep)
""",
    "cpp": """#include <torvyn/filter.hpp>
torvyn::Result<bool> keep(std::string_view line) {
  if (line == "wrong\\n") return torvyn::invalid_input("wrong");
  return line.size() > 3;
}
TORVYN_FILTER(keep)
"""}


@pytest.mark.parametrize("language", FILTERS)
def test_a_filter_keeps_drops_and_fails(torvyn, built, contract, language):
    component = built(contract + FILTERS[language], extension=language)
    outcome = torvyn("run", f"stdin ! {component} @on_error=skip ! stdout", "--format", "json", stdin=b"abc\na\nwrong\nb\nxyz\n")
    assert outcome.out == b"abc\nxyz\n"
    report = outcome.json("err")
    assert (report["flow"]["filtered"], report["flow"]["skipped"]) == (2, 1)
    assert report["stages"][1]["copies_by_kind"]["guest_write"]["copies"] == 0


ROUTERS = {
    "c": """#include <torvyn/router.h>
static bool route(const torvyn_element* in, torvyn_ports* ports) {
  if (torvyn_element_is(in, "hello 2\\n")) return torvyn_fail(TORVYN_INVALID_INPUT, "two");
  const char digit = (char)in->bytes[in->size - 2];
  if (digit % 2 == 0) torvyn_route(ports, "even");
  if (digit % 3 == 0) torvyn_route(ports, "third");
  if (digit == '9') torvyn_route(ports, "nowhere");
  return true;
}
TORVYN_ROUTER(route)
""",
    "cpp": """#include <torvyn/router.hpp>
#include <vector>
torvyn::Result<std::vector<std::string_view>> route(std::string_view line) {
  if (line == "hello 2\\n") return torvyn::invalid_input("two");
  const char digit = line[line.size() - 2];
  std::vector<std::string_view> ports;
  if (digit % 2 == 0) ports.push_back("even");
  if (digit % 3 == 0) ports.push_back("third");
  if (digit == '9') ports.push_back("nowhere");
  return ports;
}
TORVYN_ROUTER(route)
"""}


@pytest.mark.parametrize("language", ROUTERS)
def test_a_router_names_ports(torvyn, built, contract, language, tmp_path):
    component = built(contract + ROUTERS[language], extension=language)
    nodes = {"in": generate(9), "route": stage(component, on_error="skip"), "even": write(tmp_path / "even"), "third": write(tmp_path / "third")}
    ways = ["in -> route", "route.even -> even", "route.third -> third"]
    run(torvyn, flow(nodes, *ways)).ends(0, delivered=5, filtered=3, skipped=1)
    assert (tmp_path / "even").read_bytes() == b"hello 0\nhello 4\nhello 6\nhello 8\n"
    assert (tmp_path / "third").read_bytes() == b"hello 0\nhello 3\nhello 6\n"
    result = run(torvyn, flow({**nodes, "in": generate(10)}, *ways))
    assert result.code == 1 and "E0204" in result.err and "nowhere" in result.err


AGGREGATORS = {
    "c": """#include <torvyn/aggregator.h>
static uint64_t seen, results = 2;
static bool configure(torvyn_settings* settings) { return torvyn_setting_number(settings, "results", &results); }
static bool add(const torvyn_element* in, torvyn_output* out) {
  if (torvyn_element_is(in, "hello 4\\n")) return torvyn_fail(TORVYN_INVALID_INPUT, "four");
  if (++seen % 5 == 0) torvyn_print(out, "%llu so far\\n", (unsigned long long)seen);
  return true;
}
static bool report(torvyn_output* out) {
  torvyn_set_content_type(out, "text/plain");
  for (uint64_t i = 0; i < results; ++i) {
    torvyn_print(out, "result %llu of %llu\\n", (unsigned long long)i, (unsigned long long)seen);
    torvyn_end(out);
  }
  return true;
}
TORVYN_AGGREGATOR(add, .flush = report, .init = configure)
""",
    "cpp": """#include <torvyn/aggregator.hpp>
class Tally {
 public:
  void init(torvyn::Settings& settings) { results_ = settings.number("results", 2); }
  torvyn::Status ingest(std::string_view line, torvyn::Output& out) {
    if (line == "hello 4\\n") return torvyn::invalid_input("four");
    if (++seen_ % 5 == 0) out.emit(std::to_string(seen_) + " so far\\n");
    return {};
  }
  void flush(torvyn::Output& out) {
    for (std::uint64_t i = 0; i < results_; ++i) out.emit("result " + std::to_string(i) + " of " + std::to_string(seen_) + "\\n");
  }
 private:
  std::uint64_t seen_ = 0, results_ = 0;
};
TORVYN_AGGREGATOR(Tally)
"""}


@pytest.mark.parametrize("language", AGGREGATORS)
def test_an_aggregator_gives_results_meanwhile_and_at_the_end(torvyn, built, contract, language):
    component = built(contract + AGGREGATORS[language], extension=language)
    outcome = torvyn("run", f"generate count=13 ! {component} @on_error=skip ! stdout")
    assert outcome.code == 0, outcome.err
    assert outcome.out == b"5 so far\n10 so far\nresult 0 of 12\nresult 1 of 12\n"


@pytest.mark.parametrize("language", AGGREGATORS)
def test_an_aggregator_has_more_results_than_one_call_takes(torvyn, built, language):
    component = built(AGGREGATORS[language], extension=language)
    outcome = torvyn("run", f"generate count=1 ! {component} results=100000 ! stdout")
    assert outcome.out == b"".join(b"result %d of 1\n" % n for n in range(100_000))


SOURCES = {
    "c": """#include <torvyn/source.h>
static uint64_t calls, per_call = 3;
static bool waits, fails;
static bool configure(torvyn_settings* settings) {
  torvyn_setting_is_main(settings, "per_call");
  return torvyn_setting_number(settings, "per_call", &per_call) && torvyn_setting_flag(settings, "waits", &waits) &&
         torvyn_setting_flag(settings, "fails", &fails);
}
static bool give(torvyn_output* out) {
  calls++;
  if (waits && calls % 2 == 0) return true;
  if (fails && calls == 3) return torvyn_fail(TORVYN_FATAL, "the well is dry");
  for (uint64_t i = 0; i < per_call; ++i) {
    torvyn_print(out, "%llu.%llu\\n", (unsigned long long)calls, (unsigned long long)i);
    torvyn_end(out);
  }
  return calls < 5;
}
TORVYN_SOURCE(give, .init = configure)
""",
    "cpp": """#include <torvyn/source.hpp>
class Give {
 public:
  void init(torvyn::Settings& settings) {
    settings.set_main("per_call");
    per_call_ = settings.number("per_call", 3);
    waits_ = settings.flag("waits");
    fails_ = settings.flag("fails");
  }
  torvyn::Result<bool> pull(torvyn::Output& out) {
    calls_++;
    if (waits_ && calls_ % 2 == 0) return true;
    if (fails_ && calls_ == 3) return torvyn::fatal("the well is dry");
    for (std::uint64_t i = 0; i < per_call_; ++i) out.emit(std::to_string(calls_) + "." + std::to_string(i) + "\\n");
    return calls_ < 5;
  }
 private:
  std::uint64_t calls_ = 0, per_call_ = 0;
  bool waits_ = false, fails_ = false;
};
TORVYN_SOURCE(Give)
"""}


@pytest.mark.parametrize("language", SOURCES)
@pytest.mark.parametrize("settings, calls, per_call", [("", [1, 2, 3, 4, 5], 3), ("1000", [1, 2, 3, 4, 5], 1000), ("waits=true", [1, 3, 5], 3)])
def test_a_source_gives_several_waits_and_ends(torvyn, built, contract, language, settings, calls, per_call):
    component = built(contract + SOURCES[language], extension=language)
    outcome = torvyn("run", f"{component} {settings} ! stdout")
    assert outcome.code == 0, outcome.err
    assert outcome.out == b"".join(b"%d.%d\n" % (call, n) for call in calls for n in range(per_call))


@pytest.mark.parametrize("language", SOURCES)
def test_a_sources_error_comes_after_what_it_gave(torvyn, built, contract, language):
    component = built(contract + SOURCES[language], extension=language)
    outcome = torvyn("run", f"{component} fails=true ! stdout")
    outcome.fails(1, "E0410", "the well is dry")
    assert outcome.out == b"1.0\n1.1\n1.2\n2.0\n2.1\n2.2\n"


SINKS = {
    "c": """#include <torvyn/sink.h>
static uint64_t elements;
static bool push(const torvyn_element* in) {
  if (torvyn_element_is(in, "hello 4\\n")) return torvyn_fail(TORVYN_INVALID_INPUT, "four");
  if (elements % 50 == 0) torvyn_pause();
  elements++;
  return true;
}
static bool complete(void) {
  torvyn_log(TORVYN_INFO, "%llu elements", (unsigned long long)elements);
  return elements < 100 || torvyn_fail(TORVYN_INTERNAL, "too many");
}
static void teardown(void) { torvyn_log(TORVYN_WARN, "the end"); }
TORVYN_SINK(push, .complete = complete, .teardown = teardown)
""",
    "cpp": """#include <torvyn/sink.hpp>
class Sink {
 public:
  ~Sink() { torvyn::log(torvyn::Level::warn, "the end"); }
  torvyn::Status push(std::string_view line) {
    if (line == "hello 4\\n") return torvyn::invalid_input("four");
    if (elements_ % 50 == 0) torvyn::pause();
    elements_++;
    return {};
  }
  torvyn::Status complete() {
    torvyn::log(torvyn::Level::info, std::to_string(elements_) + " elements");
    if (elements_ < 100) return {};
    return torvyn::internal("too many");
  }
 private:
  std::uint64_t elements_ = 0;
};
TORVYN_SINK(Sink)
"""}


@pytest.mark.parametrize("language", SINKS)
def test_a_sink_takes_pauses_and_completes(torvyn, built, contract, language):
    component = built(contract + SINKS[language], extension=language)
    outcome = torvyn("run", f"generate count=10 ! {component} @on_error=skip", "--format", "json")
    outcome.fails(0, "[stage] 9 elements\n", "[stage] the end\n")
    assert outcome.json()["flow"]["skipped"] == 1
    torvyn("run", f"generate count=200 ! {component} @on_error=skip").fails(1, "too many")


# ---- settings ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", AGGREGATORS)
def test_a_setting_that_is_wrong_or_unknown_says_so(torvyn, built, contract, language):
    component = built(contract + AGGREGATORS[language], extension=language)
    torvyn("run", f"generate count=1 ! {component} results=many ! null").fails(1, "E0411", '`results` is "many", not a whole number')
    torvyn("run", f"generate count=1 ! {component} result=1 ! null").fails(1, "E0411", "unknown setting `result`; there are `results`")
    torvyn("run", f"generate count=1 ! {component} 3 ! null").fails(1, "E0411", '"3" is no setting')


def test_a_component_without_settings_refuses_them(torvyn, built, contract):
    component = built(contract + WORDS_C)
    torvyn("run", f"generate count=1 ! {component} loud=true ! null").fails(1, "E0411", "unknown setting `loud`: there are none")


# ---- building -------------------------------------------------------------------------------------------------------------


def test_a_world_of_ones_own(torvyn, tmp_path, built):
    (tmp_path / "wit").mkdir()
    (tmp_path / "wit" / "app.wit").write_text("package app:app;\nworld careful {\n  include torvyn:batching/managed-batch-transform@0.1.0;\n}\n")
    head = '#define TORVYN_OWN_WORLD\n#include "torvyn/careful.h"\n'
    component = built(head + WORDS_C, "stage", "c", "--wit", tmp_path / "wit")
    assert torvyn("run", f"stdin ! {component} ! stdout", stdin=b"a\n").out == b"a!\n"


def test_a_header_that_the_sdk_has_not(torvyn, tmp_path):
    (tmp_path / "stage.c").write_text("#include <torvyn/procesor.h>\n")
    torvyn("build", "stage.c").fails(2, "torvyn/procesor.h", "the SDK has: processor, filter, router, source, sink, aggregator")


def test_a_second_build_does_nothing(torvyn, tmp_path, built):
    built(WORDS_C)
    torvyn("build", "stage.c").fails(0, "up to date")


# ---- a million elements -----------------------------------------------------------------------------------------------------

# Reads metas and ids, forwards, emits, sets types, routes, fails and logs: everything that could be kept by mistake.
BUSY = {
    "c": """#include <torvyn/processor.h>
static bool busy(const torvyn_element* in, torvyn_output* out) {
  const torvyn_meta meta = torvyn_meta_of(in);
  if (meta.sequence % 1000 == 999) return torvyn_fail(TORVYN_INVALID_INPUT, "%llu", (unsigned long long)meta.sequence);
  if (meta.sequence % 64 == 0 && (strlen(torvyn_trace_id(in)) != 32 || strlen(torvyn_flow_id(in)) == 0)) torvyn_panic("no ids");
  torvyn_set_content_type(out, meta.sequence % 2 == 0 ? "text/plain" : "text/csv");
  if (meta.sequence % 3 == 0) {
    torvyn_forward(out);
  } else {
    torvyn_emit(out, in->bytes, in->size);
  }
  return true;
}
TORVYN_PROCESSOR(busy)
""",
    "cpp": """#include <torvyn/processor.hpp>
torvyn::Result<std::string> busy(const torvyn::Element& in) {
  const torvyn::Meta meta = in.meta();
  if (meta.sequence % 1000 == 999) return torvyn::invalid_input(std::to_string(meta.sequence) + " is an element that is not wanted here");
  return std::string(in.text()) + meta.content_type + "a text that is longer than what a string holds in itself";
}
TORVYN_PROCESSOR(busy)
"""}


def leaks_nothing(torvyn, pipeline: str, node: int, elements: int) -> None:
    """An instance has as much memory after all elements as after some, and keeps no handle."""
    memory = []
    for count in (elements // 20, elements):
        outcome = torvyn("run", pipeline.format(count=count), "--format", "json")
        assert outcome.code == 0, outcome.out
        assert "W0300" not in outcome.err
        report = outcome.json()
        assert report["stages"][0]["elements_out"] == count
        memory.append(report["stages"][node]["memory_bytes"])
    assert memory[0] == memory[1]
    assert memory[1] < 4 << 20


@pytest.mark.parametrize("language", BUSY)
def test_a_million_elements_leave_nothing_behind(torvyn, built, contract, language):
    component = built(contract + BUSY[language], extension=language)
    leaks_nothing(torvyn, f"generate count={{count}} ! {component} @on_error=skip ! null", 1, 1_000_000)


@pytest.mark.parametrize("texts", [FILTERS, SINKS, AGGREGATORS], ids=["filter", "sink", "aggregator"])
@pytest.mark.parametrize("language", EXTENSIONS)
def test_the_other_roles_leave_nothing_behind(torvyn, built, contract, language, texts):
    # A sink that pauses takes its time; one that has had too many elements fails at the end.
    text = texts[language].replace("torvyn_pause()", "(void)0").replace("torvyn::pause()", "(void)0").replace("< 100", "< 100000000")
    component = built(contract + text, extension=language)
    end = "" if texts is SINKS else " ! null"
    leaks_nothing(torvyn, f"generate count={{count}} ! {component} @on_error=skip{end}", 1, 200_000)


@pytest.mark.parametrize("language", EXTENSIONS)
def test_a_router_leaves_nothing_behind(torvyn, built, contract, language):
    component = built(contract + ROUTERS[language].replace("nowhere", "even"), extension=language)
    memory = []
    for count in (10_000, 200_000):
        nodes = {"in": generate(count), "route": stage(component, on_error="skip"), "even": stage("null"), "third": stage("null")}
        result = run(torvyn, flow(nodes, "in -> route", "route.even -> even", "route.third -> third"))
        assert result.code == 0 and "W0300" not in result.err
        memory.append(result.stages["route"]["memory_bytes"])
    assert memory[0] == memory[1] < 4 << 20


@pytest.mark.parametrize("language", EXTENSIONS)
def test_a_source_leaves_nothing_behind(torvyn, built, contract, language):
    component = built(contract + SOURCES[language].replace("< 5", "< 1000000"), extension=language)
    memory = []
    for limit in (10_000, 200_000):
        report = torvyn.report(f"{component} ! null", "--limit", limit)
        assert report["stages"][0]["elements_out"] == limit
        memory.append(report["stages"][0]["memory_bytes"])
    assert memory[0] == memory[1] < 4 << 20


# ---- the projects of init -----------------------------------------------------------------------------------------------------


def render(torvyn: Torvyn, language: str, template: str, name: str = "my-stage") -> Path:
    """A project as `init` writes it, but for the contract's WIT, which `build` has in itself."""
    words = {"name": name, "name_snake": name.replace("-", "_"), "name_pascal": name.title().replace("-", ""), "contract_version": "0.1.0",
             "language": language}
    project = torvyn.cwd / name
    for folder in ("common", template):
        for path in sorted((TEMPLATES / language / folder).rglob("*")):
            if path.is_dir():
                continue
            target, text = str(path.relative_to(TEMPLATES / language / folder)), path.read_text()
            for key, word in words.items():
                target, text = target.replace(f"__{key}__", word), text.replace(f"{{{{{key}}}}}", word)
            assert "{{" not in text and "__" not in target
            (project / target).parent.mkdir(parents=True, exist_ok=True)
            (project / target).write_text(text)
    torvyn.cwd = project
    return project


OUTPUT = {
    "source": (b"tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n", []),
    "sink": (b"", ["[my-stage] 5 elements, 40 bytes"]),
    "transform": (b"INFO STARTED\nWARN DISK IS 91 % FULL\nERROR NO ROUTE TO 192.0.2.7\nINFO REQUEST SERVED\nERROR TIMEOUT AFTER 30 S\n", []),
    "filter": (b"ERROR no route to 192.0.2.7\nERROR timeout after 30 s\n", []),
    "router": (b"INFO started\nWARN disk is 91 % full\nINFO request served\n", []),
    "aggregator": (b"3 numbers from 19 to 24.5, mean 21.6667\n", ["1 skipped"]),
    "full-pipeline": (b"", ["[report] kitchen 68.0 F", "[report] cellar 51.8 F", "[report] 5 readings"]),
}


@pytest.mark.parametrize("language", EXTENSIONS)
@pytest.mark.parametrize("template", OUTPUT)
def test_a_template_builds_runs_and_passes_its_test(torvyn, language, template):
    project = render(torvyn, language, template)
    outcome = torvyn("build")
    assert outcome.code == 0, outcome.err
    assert "warning" not in outcome.err
    stdout, words = OUTPUT[template]
    outcome = torvyn("run")
    outcome.fails(0, *words)
    assert outcome.out == stdout
    for component in (project / "target").glob("*.wasm"):
        assert "wasi" not in imports(torvyn, component)
    if template == "router":
        assert (project / "target" / "errors.log").read_bytes() == b"ERROR no route to 192.0.2.7\nERROR timeout after 30 s\n"

    command = ["make", "test", f"TORVYN={BINARY}"]
    done = subprocess.run(command, cwd=project, env={**torvyn.environment, "TMPDIR": str(project)}, capture_output=True, text=True, timeout=STUCK_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": good" in done.stdout
    assert "warning" not in done.stderr


@pytest.mark.parametrize("language", EXTENSIONS)
def test_a_templates_test_can_fail(torvyn, language):
    project = render(torvyn, language, "transform")
    source = project / "src" / f"my_stage.{EXTENSIONS[language]}"
    source.write_text(source.read_text().replace("- 'a' + 'A'", "- 'a' + 'B'"))
    done = subprocess.run(["make", "test", f"TORVYN={BINARY}"], cwd=project, env=torvyn.environment, capture_output=True, text=True, timeout=STUCK_S)
    assert done.returncode != 0
    assert "Assertion" in done.stderr or "assertion" in done.stderr


@pytest.mark.parametrize("language", EXTENSIONS)
def test_the_empty_template_is_a_manifest(torvyn, language):
    render(torvyn, language, "empty")
    torvyn("build").fails(2, "no component to build")
