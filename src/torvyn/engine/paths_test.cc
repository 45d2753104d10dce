// The direct path and the typed one come to the same: what a component gives, what was copied for it, and how it ends.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/engine/engine.h"
#include "torvyn/engine/hostile_script.h"
#include "torvyn/engine/test_guest.h"

namespace torvyn::engine {
namespace {

using contracts::Contract;
using contracts::Role;

struct Part {
  Role role;
  Contract contract;
};
class Paths : public GuestTest {
 protected:
  Paths() {
    options_.ports = {"output", "other"};
    options_.max_memory_bytes = std::uint64_t{4} << 20;
    options_.holdings = {.handles = 64, .buffer_bytes = std::uint64_t{1} << 20};
    // Far more than any script takes, so that none ends by the clock on one path and not on the other.
    options_.call_timeout_ns = 10'000'000'000;
  }

  static Engine& typed_engine() {
    static const std::unique_ptr<Engine> engine =
        WasmEngine::create({.max_instances = 16, .typed_only = true, .cache_directory = {}, .events = nullptr}).value();
    return *engine;
  }

  std::string outcome_text(const Instance& instance, const CallOutcome& outcome) {
    std::string text =
        fmt::format("status {} done {} charged {}", static_cast<int>(outcome.status), outcome.done, outcome.charged);
    if (outcome.status == CallStatus::ended) {
      text += fmt::format(" {}", code_string(instance.failure().code()));
      failure_ = instance.failure().message();
    }
    if (outcome.status == CallStatus::element_error)
      text += fmt::format(" {} {}", static_cast<int>(instance.error_kind()), instance.error_text());
    return text;
  }

  std::string failure_;  // in words, which may differ
  std::string run_text(const Run& run) const {
    std::string text;
    for (const Element& element : run)
      text += fmt::format(" [{} {} {} {}]", element.port, content_types_.text(element.meta.content_type),
                          content_types_.text(element.payload.content_type()), text_of(element));
    return text;
  }

  // All that can be seen of what a component does with a run, and at the end of its stream.
  std::string follow(Component& component, const Part& part, const std::vector<std::string>& inputs) {
    RecordedEvents events;
    options_.events = &events;
    options_.role = part.role;
    options_.contract = part.contract;
    next_sequence_ = 0;
    const std::unique_ptr<Instance> instance = component.instantiate(options_).value();
    std::string text;
    if (const Status initialised = instance->init({}); !initialised)
      return fmt::format("init {}", code_string(initialised.error().code()));
    Run in = run_of(inputs);
    Run out;
    CallOutcome outcome = instance->process(in, out);
    text += outcome_text(*instance, outcome) + run_text(out);
    for (int again = 0; part.role == Role::aggregator && outcome.status == CallStatus::ok && again < 3; ++again) {
      out.clear();
      outcome = instance->flush(out);
      text += " flush " + outcome_text(*instance, outcome) + run_text(out);
    }
    for (const resources::CopyCount& kind : instance->copies().counts())
      text += fmt::format(" copied {}/{}", kind.copies, kind.bytes);
    text += fmt::format(" held {} memory {}", instance->held_handles(), instance->memory_bytes());
    for (const std::string& line : events.lines()) text += "\n" + line;
    return text;
  }
};

// Mostly valid uses of the contract, in any order; now and then a forged handle, an address outside, a call from within `realloc`.
class RandomScript {
 public:
  RandomScript(std::uint32_t seed, const Part& part) : random_(seed), part_(part) {
    const bool batch = part.contract == Contract::batch;
    if (batch) {
      batches_ = {script_register_first};
      writers_ = {script_register_second};
    } else {
      buffers_ = {script_register_first};
      contexts_ = {script_register_second};
    }
    const std::uint32_t steps = 1 + below(20);
    for (std::uint32_t i = 0; i < steps; ++i) add_step(script_, 0);
    if (!batch) add_answer();
    if (!one_in(12)) script_.drop_lent(batch);
    if (part.role == Role::aggregator && one_in(2)) {
      script_.later();
      buffers_.clear();
      mutables_.clear();
      contexts_.clear();
      next_register_ = script_register_results;
      for (std::uint32_t i = 0; i < 4; ++i) add_step(script_, 0);
    }
  }

  const std::string& bytes() const { return script_.bytes(); }

 private:
  using Registers = std::vector<int>;

  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  bool one_in(std::uint32_t times) { return below(times) == 0; }

  ScriptWord any() {
    switch (below(8)) {
      case 0:
        return number(0xffff'ffff);
      case 1:
        return number(random_());
      case 2:
        return held(static_cast<int>(below(script_registers)));
      case 3:
        return held(script_register_memory);
      default:
        return number(below(64));
    }
  }

  // Where the next result goes.
  int keep() {
    const int kept = next_register_;
    if (++next_register_ == script_registers) next_register_ = script_register_results;
    return kept;
  }

  ScriptWord handle(const Registers& registers) {
    if (registers.empty() || one_in(60)) return any();
    return held(registers[below(static_cast<std::uint32_t>(registers.size()))]);
  }

  ScriptWord address(std::uint32_t alignment) {
    if (one_in(60)) return any();
    return scratch(static_cast<std::uint16_t>(one_in(60) ? below(512) : below(512 / alignment) * alignment));
  }

  const Registers* registers_of(char kind) const {
    switch (kind) {
      case 'b':
        return &buffers_;
      case 'm':
        return &mutables_;
      case 'c':
        return &contexts_;
      case 't':
        return &batches_;
      case 'w':
        return &writers_;
      default:
        return nullptr;
    }
  }

  ScriptWord argument(char kind) {
    if (const Registers* const registers = registers_of(kind); registers != nullptr) return handle(*registers);
    switch (kind) {
      case 'p':
      case 'o':
        return address(1);
      case 'q':
      case 'r':
        return address(4);
      case 'n':
        return one_in(60) ? any() : number(below(part_.contract == Contract::batch ? 3 : 200));
      default:
        return one_in(10) ? any() : number(below(5));
    }
  }

  // An import whose handles are there, or hardly ever another.
  void add_call(Script& script) {
    const std::uint32_t import = below(script_imports);
    const std::string_view parameters = script_import_list[import].parameters;
    const Registers* const first = registers_of(parameters.front());
    if (first != nullptr && first->empty() && !one_in(100)) return;
    // What is dropped or given away is not to be used again; add_drop and add_output see to it.
    if (script_import_list[import].name.starts_with("[resource-drop]") && !one_in(60)) return;
    if (import == script_mutable_buffer_freeze || import == script_allocate || import == script_clone_into_mutable)
      return;
    std::vector<ScriptWord> words;
    char before = 0;
    for (const char kind : parameters) {
      const bool numbers_as_bytes = before == 'o' && !one_in(20);
      words.push_back(numbers_as_bytes ? number(4 * below(3)) : argument(kind));
      before = kind;
    }
    script.call(static_cast<int>(import), words);
    if (gives_value(import)) keep();
  }

  static bool gives_value(std::uint32_t import) {
    return import == script_buffer_size || import == script_mutable_buffer_size || import == script_batch_count ||
           import == script_mutable_buffer_capacity || import == script_flow_context_deadline_ns ||
           import == script_has_capability;
  }

  // A mutable buffer, of the host's making or from another's bytes.
  void add_buffer(Script& script) {
    if (!buffers_.empty() && one_in(3)) {
      script.call(script_clone_into_mutable, {handle(buffers_), scratch(0)});
    } else {
      script.call(script_allocate, {number(one_in(30) ? random_() : below(300)), scratch(0)});
    }
    script.load(scratch(4));
    mutables_.push_back(keep());
  }

  void add_freeze(Script& script) {
    if (mutables_.empty()) return;
    script.call(script_mutable_buffer_freeze, {held(mutables_.back())});
    buffers_.push_back(keep());
    const int spent = mutables_.back();
    mutables_.pop_back();
    if (!one_in(8)) script.call(script_mutable_buffer_drop, {held(spent)});
  }

  void add_drop(Script& script) {
    if (mutables_.empty()) return;
    script.call(script_mutable_buffer_drop, {held(mutables_.back())});
    mutables_.pop_back();
  }

  void add_step(Script& script, int depth) {
    switch (below(16)) {
      case 0:
        script.load(address(4));
        keep();
        return;
      case 1:
        script.store(static_cast<std::uint16_t>(below(128) * 4), any());
        return;
      case 2:
        script.text(static_cast<std::uint16_t>(below(128) * 4), one_in(10) ? "\xff\xfe text" : "text/other");
        return;
      case 3:
      case 4:
        if (depth == 0) add_buffer(script);
        return;
      case 5:
        if (depth == 0) add_freeze(script);
        return;
      case 6:
        if (depth == 0 && one_in(3)) add_drop(script);
        return;
      case 7: {
        if (depth != 0) return;
        Script inner;
        inner.call(script_log, {number(below(5)), scratch(static_cast<std::uint16_t>(below(256))), number(below(9))});
        if (one_in(12)) {
          script.in_realloc(inner);
        } else {
          script.repeat(below(5), inner);
        }
        return;
      }
      case 8:
        if (one_in(30)) script.trap();
        return;
      case 9:
        if (one_in(4)) {
          script.grow(below(80));
          keep();
        }
        return;
      default:
        add_call(script);
    }
  }

  // Gives the buffer made last, where there is one of its own.
  void add_answer() {
    const ScriptWord text = address(1);
    const ScriptWord length = one_in(30) ? any() : number(below(20));
    const bool owns = buffers_.size() > 1;
    switch (below(4)) {
      case 0:
        script_.answer(script_answer_error, one_in(30) ? any() : number(below(5)), text, length);
        return;
      case 1:
        return;
      default:
        if (!owns && !one_in(20)) return;
        script_.answer(script_answer_output, owns ? held(buffers_.back()) : handle(buffers_), text, length);
    }
  }

  std::mt19937 random_;
  Part part_;
  Script script_;
  int next_register_ = script_register_results;
  Registers buffers_;
  Registers mutables_;
  Registers contexts_;
  Registers batches_;
  Registers writers_;
};

TEST_F(Paths, AreTheOnesTheyAreCalled) {
  const std::filesystem::path script = hostile_component_path("script");
  EXPECT_EQ(engine().load(script).value()->path(), "direct");
  EXPECT_EQ(typed_engine().load(script).value()->path(), "typed");
  const std::shared_ptr<Component> with_wasi = load(test_component_path("wasi-upper"));
  EXPECT_EQ(with_wasi->path(), "typed");
  EXPECT_EQ(with_wasi->info().typed_because.substr(0, 16), "it imports wasi:") << with_wasi->info().typed_because;
}

class PathsOf : public Paths, public testing::WithParamInterface<Part> {};

TEST_P(PathsOf, ComeToTheSameWhateverAComponentDoes) {
  constexpr std::uint32_t scripts = 1500;
  const std::shared_ptr<Component> direct = load(hostile_component_path("script"));
  const std::shared_ptr<Component> typed = typed_engine().load(hostile_component_path("script")).value();
  std::set<std::string> seen;
  for (std::uint32_t seed = 0; seed < scripts; ++seed) {
    const std::vector<std::string> inputs{RandomScript(seed, GetParam()).bytes(), "the second one"};
    const std::string by_direct = follow(*direct, GetParam(), inputs);
    const std::string direct_words = std::exchange(failure_, {});
    const std::string by_typed = follow(*typed, GetParam(), inputs);
    ASSERT_EQ(by_direct, by_typed) << "script " << seed << ", direct: " << direct_words << ", typed: " << failure_;
    seen.insert(by_direct);
  }
  // Else the scripts all did the same, and proved little.
  EXPECT_GT(seen.size(), scripts / 10);
}

INSTANTIATE_TEST_SUITE_P(Parts, PathsOf,
                         testing::Values(Part{Role::processor, Contract::element},
                                         Part{Role::processor, Contract::batch}, Part{Role::router, Contract::element},
                                         Part{Role::aggregator, Contract::element}),
                         [](const testing::TestParamInfo<Part>& part) {
                           return fmt::format("{}_{}", contracts::role_name(part.param.role), part.index);
                         });

}  // namespace
}  // namespace torvyn::engine
