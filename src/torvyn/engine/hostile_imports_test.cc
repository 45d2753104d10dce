// Every function that a component may import, called as no honest component would: tests/hostile/script.c does what scripts say. Each attack
// ends the instance that made it, with a word about why; the one beside it works on, and every buffer comes back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "torvyn/engine/hostile_script.h"
#include "torvyn/engine/test_guest.h"

namespace torvyn::engine {
namespace {

using contracts::Contract;
using contracts::Role;
using testing::AnyOf;
using testing::HasSubstr;

constexpr std::uint16_t bytes_at = 1024;   // in the scratch memory
constexpr std::uint16_t result_at = 2048;  // likewise
constexpr int made = script_register_results;

bool is_batch(const ScriptImport& import) { return import.parameters.find_first_of("tw") != std::string_view::npos; }
bool takes_handle(char parameter) { return std::string_view("bmctw").contains(parameter); }

ScriptWord handle_of(char parameter) {
  if (parameter == 'm') return held(made);
  return held(parameter == 'b' || parameter == 't' ? script_register_first : script_register_second);
}

// A handle of another type that is good.
ScriptWord foreign_handle_of(char parameter) {
  return held(parameter == 'b' || parameter == 't' ? script_register_second : script_register_first);
}

int drop_of(char parameter) {
  switch (parameter) {
    case 'b':
      return script_buffer_drop;
    case 'm':
      return script_mutable_buffer_drop;
    case 'c':
      return script_flow_context_drop;
    case 't':
      return script_batch_drop;
    default:
      return script_batch_writer_drop;
  }
}

// Words that an import takes without complaint.
std::vector<ScriptWord> good_words(const ScriptImport& import) {
  std::vector<ScriptWord> words;
  std::uint64_t count = 0;
  for (const char parameter : import.parameters) {
    switch (parameter) {
      case 'i':
      case 'l':
        words.push_back(number(0));
        break;
      case 'n':
        words.push_back(number(count));
        break;
      case 'p':
      case 'q':
      case 'o':
        // Of numbers one, a 0: a payload that ends there, the first input.
        count = parameter == 'p' ? 0 : parameter == 'q' ? 1 : 4;
        words.push_back(scratch(bytes_at));
        break;
      case 'r':
        words.push_back(scratch(result_at));
        break;
      default:
        words.push_back(handle_of(parameter));
    }
  }
  return words;
}

// What must be there before the call: a mutable buffer, in its register.
Script before(const ScriptImport& import) {
  Script script;
  if (import.parameters.contains('m')) script.call(script_allocate, {number(64), scratch(0)}).load(scratch(4));
  return script;
}

class HostileImports : public GuestTest {
 protected:
  struct Ended {
    CallOutcome outcome;
    std::optional<Error> failure;
  };

  static const std::shared_ptr<Component>& scripted() {
    static const std::shared_ptr<Component> component = load(hostile_component_path("script"));
    return component;
  }

  std::unique_ptr<Instance> start_as(Role role, Contract contract) {
    options_.role = role;
    options_.contract = contract;
    Result<std::unique_ptr<Instance>> instance = scripted()->instantiate(options_);
    if (!instance) {
      ADD_FAILURE() << instance.error().to_string();
      std::abort();
    }
    EXPECT_TRUE((*instance)->init({}));
    return *std::move(instance);
  }

  Ended run(const Script& script, bool batch, Role role = Role::processor) {
    const auto instance = start_as(role, batch ? Contract::batch : Contract::element);
    Run in = run_of({script.bytes()});
    Run out;
    Ended ended{.outcome = instance->process(in, out), .failure = {}};
    if (ended.outcome.status == CallStatus::ended) ended.failure = instance->failure();
    return ended;
  }

  // The neighbour does its work as ever.
  void expect_health() {
    if (healthy_ == nullptr) {
      const InstanceOptions options = options_;
      healthy_ = start(component_path("upper"));
      options_ = options;
    }
    Run in = run_of({"work"});
    Run out;
    ASSERT_EQ(healthy_->process(in, out).status, CallStatus::ok);
    ASSERT_EQ(texts_of(out), std::vector<std::string>{"WORK"});
  }

  // `attack` ends the instance, for a reason of these kinds.
  void expect_end(const Script& attack, bool batch, const testing::Matcher<std::string>& kind,
                  const std::string& what) {
    const Ended ended = run(attack, batch);
    ASSERT_EQ(ended.outcome.status, CallStatus::ended) << what;
    EXPECT_THAT(ended.failure->detail().trap_kind, kind) << what << ": " << ended.failure->to_string();
    EXPECT_NE(ended.failure->message(), "") << what;
    expect_health();
  }

  std::unique_ptr<Instance> healthy_;
};

TEST_F(HostileImports, AreAnsweredWhereNothingIsWrong) {
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    Script script = before(import);
    std::vector<ScriptWord> words = good_words(import);
    if (i == script_batch_writer_forward_to) {
      script.text(0, "output");
      words[1] = scratch(0);
      words[2] = number(6);
    }
    script.call(i, words);
    // What a drop has given back is not given back twice.
    const bool batch = is_batch(import);
    if (i != script_buffer_drop && i != script_batch_drop)
      script.call(batch ? script_batch_drop : script_buffer_drop, {held(script_register_first)});
    if (i != script_flow_context_drop && i != script_batch_writer_drop)
      script.call(batch ? script_batch_writer_drop : script_flow_context_drop, {held(script_register_second)});
    const Ended ended = run(script, batch);
    EXPECT_EQ(ended.outcome.status, CallStatus::ok)
        << import.name << ": " << (ended.failure ? ended.failure->to_string() : "");
  }
}

TEST_F(HostileImports, TakeNoForgedHandle) {
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    if (!takes_handle(import.parameters.front())) continue;
    for (const std::uint64_t forged : {0ULL, 1ULL << 20, 0x7fffffffULL, 0xffffffffULL}) {
      std::vector<ScriptWord> words = good_words(import);
      words.front() = number(forged);
      expect_end(before(import).call(i, words), is_batch(import), std::string("bad-handle"),
                 fmt::format("{} with {:#x}", import.name, forged));
    }
  }
}

TEST_F(HostileImports, TakeNoStaleHandle) {
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    const char first = import.parameters.front();
    if (!takes_handle(first)) continue;
    Script script = before(import);
    script.call(drop_of(first), {handle_of(first)}).call(i, good_words(import));
    expect_end(script, is_batch(import), std::string("bad-handle"), fmt::format("{} after its drop", import.name));
  }
}

TEST_F(HostileImports, TakeNoHandleOfAnotherType) {
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    const char first = import.parameters.front();
    if (!takes_handle(first)) continue;
    std::vector<ScriptWord> words = good_words(import);
    words.front() = foreign_handle_of(first);
    expect_end(before(import).call(i, words), is_batch(import), std::string("bad-handle"),
               fmt::format("{} with a handle of another type", import.name));
  }
}

TEST_F(HostileImports, ReadNothingBeyondTheGuestsMemory) {
  struct Range {
    ScriptWord pointer;
    std::uint64_t length;
  };
  const std::vector<Range> ranges = {{number(0xfffffff0), 32},
                                     {number(0xffffffff), 1},
                                     {held(script_register_memory), 1},
                                     {scratch(0), 0xffffffff},
                                     {number(0), 0x80000000}};
  int attacks = 0;
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    for (std::size_t at = 0; at < import.parameters.size(); ++at) {
      const char parameter = import.parameters[at];
      if (parameter != 'p' && parameter != 'q' && parameter != 'o') continue;
      for (const Range& range : ranges) {
        std::vector<ScriptWord> words = good_words(import);
        words[at] = range.pointer;
        words[at + 1] = number(range.length);
        expect_end(before(import).call(i, words), is_batch(import), std::string("contract-violation"),
                   fmt::format("{} with {} at parameter {}", import.name, range.length, at));
        ++attacks;
      }
      if (parameter != 'q') continue;
      std::vector<ScriptWord> words = good_words(import);
      words[at] = scratch(bytes_at + 1);
      words[at + 1] = number(1);
      expect_end(before(import).call(i, words), is_batch(import), std::string("contract-violation"),
                 fmt::format("{} with numbers at an odd address", import.name));
    }
  }
  EXPECT_GE(attacks, 50);
}

TEST_F(HostileImports, WriteNoResultBeyondTheGuestsMemory) {
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    const std::size_t at = import.parameters.find('r');
    if (at == std::string_view::npos) continue;
    for (const ScriptWord& address : {number(0xfffffff8), held(script_register_memory), scratch(result_at + 1)}) {
      std::vector<ScriptWord> words = good_words(import);
      words[at] = address;
      expect_end(before(import).call(i, words), is_batch(import), AnyOf("contract-violation", "trap"),
                 fmt::format("{} with its result somewhere else", import.name));
    }
  }
}

TEST_F(HostileImports, CannotBeReachedFromRealloc) {
  // While the host asks for memory for what `read-all` gives, or `batch.read`, nothing may be called, not even what takes no handle.
  for (int i = 0; i < script_imports; ++i) {
    const ScriptImport& import = script_import_list[static_cast<std::size_t>(i)];
    const bool batch = is_batch(import);
    Script inner;
    inner.call(i, good_words(import));
    Script script = before(import);
    script.in_realloc(inner).call(batch ? script_batch_read : script_buffer_read_all,
                                  {held(script_register_first), scratch(result_at)});
    const Ended ended = run(script, batch);
    ASSERT_EQ(ended.outcome.status, CallStatus::ended) << import.name;
    EXPECT_THAT(ended.failure->message(), HasSubstr("cannot leave component instance")) << import.name;
    expect_health();
  }
}

TEST_F(HostileImports, RefuseWhatIsNoLevelOfALog) {
  for (const std::uint64_t level : {5ULL, 0xffffffffULL}) {
    Script script;
    script.call(script_log, {number(level), scratch(bytes_at), number(0)});
    expect_end(script, false, std::string("contract-violation"), "a level that is none");
  }
}

TEST_F(HostileImports, RefuseTextThatIsNoText) {
  const auto expect_refused = [&](int import, const std::vector<ScriptWord>& words, bool batch) {
    Script script = before(script_import_list[static_cast<std::size_t>(import)]);
    script.store(bytes_at, number(0xfffefdfc)).call(import, words);
    expect_end(script, batch, std::string("contract-violation"),
               std::string(script_import_list[static_cast<std::size_t>(import)].name));
  };
  expect_refused(script_log, {number(2), scratch(bytes_at), number(4)}, false);
  expect_refused(script_has_capability, {scratch(bytes_at), number(4)}, false);
  expect_refused(script_mutable_buffer_set_content_type, {held(made), scratch(bytes_at), number(4)}, false);
  expect_refused(script_batch_writer_set_content_type, {held(script_register_second), scratch(bytes_at), number(4)},
                 true);
}

// ---- how much -----------------------------------------------------------------------------------------------------------

TEST_F(HostileImports, HandOutAThousandHandlesAndTakeThemBackAtTheEnd) {
  const auto instance = start_as(Role::processor, Contract::element);
  Script many;
  many.repeat(1000, Script().call(script_allocate, {number(16), scratch(0)})).drop_lent(false);
  Run in = run_of({many.bytes()});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << instance->failure().to_string();
  EXPECT_EQ(instance->held_handles(), 1000U);
  expect_health();
  EXPECT_GE(pool_->stats().live, 1000U);
}

TEST_F(HostileImports, HandOutNoMoreHandlesThanAllowed) {
  options_.holdings.handles = 100;
  const auto instance = start_as(Role::processor, Contract::element);
  // One too many is told no, with a text, which it passes on.
  Script many;
  many.repeat(1000, Script().call(script_allocate, {number(16), scratch(0)}))
      .load(scratch(8))
      .load(scratch(12))
      .call(script_log, {number(2), held(made), held(made + 1)})
      .drop_lent(false);
  Run in = run_of({many.bytes()});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << instance->failure().to_string();
  EXPECT_LE(instance->held_handles(), 100U);
  EXPECT_GE(instance->held_handles(), 90U);
  EXPECT_THAT(events_.lines(), testing::Contains(AllOf(HasSubstr("100 handles"), HasSubstr("max_handles"))));
  options_.holdings = {};
  expect_health();
}

TEST_F(HostileImports, GiveNoMoreMemoryThanAllowed) {
  options_.holdings.buffer_bytes = 1 << 20;
  // It goes on asking, and is told no: that is an answer, not an end.
  Script many;
  many.repeat(100, Script().call(script_allocate, {number(64 << 10), scratch(0)})).drop_lent(false);
  const auto instance = start_as(Role::processor, Contract::element);
  Run in = run_of({many.bytes()});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << instance->failure().to_string();
  EXPECT_LE(instance->held_handles(), 16U);
  EXPECT_GE(instance->held_handles(), 8U);
  expect_health();
}

TEST_F(HostileImports, LeaveRoomForTheContentTypesOfOthers) {
  Script script;
  script.call(script_allocate, {number(16), scratch(0)}).load(scratch(4));
  for (int i = 1000; i < 2000; ++i)
    script.text(bytes_at, std::to_string(i))
        .call(script_mutable_buffer_set_content_type, {held(made), scratch(bytes_at), number(4)});
  const Ended ended = run(script, false);
  ASSERT_EQ(ended.outcome.status, CallStatus::ended);
  EXPECT_EQ(ended.failure->code(), ErrorCode::capacity_exceeded) << ended.failure->to_string();
  EXPECT_THAT(ended.failure->message(), HasSubstr("too many different ones"));
  EXPECT_EQ(content_types_.intern("1000"), 1U);
  EXPECT_NE(content_types_.intern("1255"), resources::content_type_rejected);
  for (int i = 0; i < 1000; ++i)
    ASSERT_NE(content_types_.intern("honest/" + std::to_string(i)), resources::content_type_rejected);
  expect_health();
}

TEST_F(HostileImports, KeepALogFloodToItsBound) {
  step_time_by_ns(0);
  options_.max_log_bytes_per_s = 16 << 10;
  Script flood;
  flood.repeat(2000, Script().call(script_log, {number(4), scratch(0), number(4096)})).drop_lent(false);
  ASSERT_EQ(run(flood, false).outcome.status, CallStatus::ok);
  std::size_t bytes = 0;
  for (const std::string& line : events_.lines()) bytes += line.size();
  EXPECT_LE(bytes, (16U << 10) + 1024U) << "and a word about the rest";
  EXPECT_GE(bytes, 8U << 10);
  expect_health();
}

// ---- the stack, and answers ----------------------------------------------------------------------------------------------

TEST_F(HostileImports, SurviveAGuestThatUsesItsStackUp) {
  expect_end(Script().recurse(1U << 30), false, AnyOf("stack-overflow", "memory-out-of-bounds"), "recursion");
  Script in_realloc;
  in_realloc.in_realloc(Script().recurse(1U << 30))
      .call(script_buffer_read_all, {held(script_register_first), scratch(result_at)});
  expect_end(in_realloc, false, AnyOf("stack-overflow", "memory-out-of-bounds"), "recursion while the host waits");
}

TEST_F(HostileImports, SurviveALengthThatNoMemoryHolds) {
  for (const auto& [pointer, length] : {std::pair{number(0), 0x10000000ULL}, std::pair{number(0xfffffff8), 2ULL},
                                        std::pair{scratch(2), 1ULL}, std::pair{scratch(0), 0xffffffffULL}}) {
    Script script;
    script.drop_lent(false).answer(script_answer_output, number(0), pointer, number(length));
    const Ended ended = run(script, false, Role::router);
    ASSERT_EQ(ended.outcome.status, CallStatus::ended) << length;
    EXPECT_EQ(ended.failure->detail().trap_kind, "contract-violation") << ended.failure->to_string();
    expect_health();
  }
}

// A list whose entries all stand for the same bytes is small in the guest and large where it is copied to.
TEST_F(HostileImports, DoNotCopyTheSameBytesWithoutEnd) {
  constexpr std::uint32_t names = 64;
  Script script;
  script.grow(512);  // 32 MiB of zeros
  for (std::uint32_t i = 0; i < names; ++i)
    script.store(static_cast<std::uint16_t>(8 * i), held(script_register_memory))
        .store(static_cast<std::uint16_t>(8 * i + 4), number(32U << 20));
  script.drop_lent(false).answer(script_answer_output, number(0), scratch(0), number(names));
  const Ended ended = run(script, false, Role::router);
  ASSERT_EQ(ended.outcome.status, CallStatus::ended);
  EXPECT_THAT(ended.failure->message(), HasSubstr("fuel")) << ended.failure->to_string();
  expect_health();
}

TEST_F(HostileImports, EndAtContentTypesThatAreNone) {
  constexpr std::uint16_t outputs = 6;
  constexpr std::uint16_t output_bytes = 32;
  const auto instance = start_as(Role::aggregator, Contract::element);
  Script script;
  script.drop_lent(false).later().grow(512);  // 32 MiB of zeros
  for (std::uint16_t i = 0; i < outputs; ++i) {
    const auto at = static_cast<std::uint16_t>(4096 + i * output_bytes);
    const int results = script_registers - made;
    const int buffer = made + (1 + 2 * i) % results;
    const int frozen = made + (2 + 2 * i) % results;
    script.call(script_allocate, {number(16), scratch(0)})
        .load(scratch(4))
        .call(script_mutable_buffer_freeze, {held(buffer)})
        .store(static_cast<std::uint16_t>(at + 24), held(frozen))
        .store(static_cast<std::uint16_t>(at + 16), held(script_register_memory))
        .store(static_cast<std::uint16_t>(at + 20), number(32U << 20));
  }
  script.answer(script_answer_output, number(0), scratch(4096), number(outputs));
  Run in = run_of({script.bytes()});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << instance->failure().to_string();
  EXPECT_EQ(instance->flush(out).status, CallStatus::ended);
  EXPECT_THAT(instance->failure().message(), HasSubstr("too much data"));
  EXPECT_TRUE(out.empty());
  expect_health();
}

TEST_F(HostileImports, RefuseAnAnswerThatIsNotTheGuestsToGive) {
  const auto expect_refused = [&](const Script& script, const std::string& what) {
    const Ended ended = run(script, false);
    ASSERT_EQ(ended.outcome.status, CallStatus::ended) << what;
    EXPECT_THAT(ended.failure->code(), AnyOf(ErrorCode::stale_handle, ErrorCode::component_trapped,
                                             ErrorCode::borrows_outstanding, ErrorCode::capacity_exceeded))
        << what << ": " << ended.failure->to_string();
    expect_health();
  };
  expect_refused(Script().drop_lent(false).answer(script_answer_output, number(77), number(0), number(0)),
                 "an output that is nobody's");
  expect_refused(Script().answer(script_answer_output, held(script_register_first), number(0), number(0)),
                 "what it was lent");
  expect_refused(Script()
                     .call(script_allocate, {number(64), scratch(0)})
                     .load(scratch(4))
                     .drop_lent(false)
                     .answer(script_answer_output, held(made), number(0), number(0)),
                 "a buffer that is still being written");
  expect_refused(Script()
                     .call(script_clone_into_mutable, {held(script_register_first), scratch(0)})
                     .load(scratch(4))
                     .call(script_mutable_buffer_freeze, {held(made)})
                     .drop_lent(false)
                     .answer(script_answer_output, held(made + 1), scratch(0), number(0x10000000)),
                 "a content type without an end");
  expect_refused(Script().drop_lent(false).answer(script_answer_nothing + 3, number(0), number(0), number(0)),
                 "a case that is none");
  expect_refused(Script().drop_lent(false).answer(script_answer_error, number(0), number(0xfffffff0), number(32)),
                 "an error whose text is nowhere");
  const Ended batch =
      run(Script().drop_lent(true).answer(script_answer_error, number(1U << 31), number(0), number(0)), true);
  ASSERT_EQ(batch.outcome.status, CallStatus::ended) << "an error about an element that was not in the run";
}

}  // namespace
}  // namespace torvyn::engine
