// tests/hostile: that each of these components does what its table says, and that the engine is as it was afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "torvyn/engine/test_guest.h"

namespace torvyn::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

class Hostile : public GuestTest {
 protected:
  static constexpr std::uint64_t elements = 400;

  // Hands elements to a component, one a call, each to a new instance where the last one has ended, and gives the sequences of those that
  // met `expected`. The others must pass unchanged.
  std::set<std::uint64_t> sequences_that(CallStatus expected, const std::string& name, const std::string& config) {
    next_sequence_ = 0;
    std::set<std::uint64_t> sequences;
    const std::shared_ptr<Component> component = load(hostile_component_path(name));
    std::unique_ptr<Instance> instance = start(*component, config);
    for (std::uint64_t sequence = 0; sequence < elements; ++sequence) {
      const std::string text = "element " + std::to_string(sequence);
      Run in = run_of({text});
      Run out;
      const CallOutcome outcome = instance->process(in, out);
      if (outcome.status == CallStatus::ok) {
        EXPECT_THAT(texts_of(out), ElementsAre(text)) << name;
        EXPECT_EQ(out.at(0).meta.sequence, sequence) << name;
        continue;
      }
      EXPECT_EQ(outcome.status, expected) << name;
      EXPECT_THAT(out, IsEmpty()) << name;
      sequences.insert(sequence);
      if (outcome.status == CallStatus::ended) {
        last_failure_ = instance->failure();
        instance = start(*component, config);
      }
    }
    return sequences;
  }

  Error end_of(const std::string& name, const std::string& config, Run in) {
    const std::unique_ptr<Instance> instance = start(hostile_component_path(name), config);
    Run out;
    EXPECT_EQ(instance->process(in, out).status, CallStatus::ended) << name;
    return instance->failure();
  }

  std::optional<Error> last_failure_;
};

TEST_F(Hostile, WhatTheyDoNotSpoilPassesUnchanged) {
  for (const char* name : {"spin", "hog", "overflow", "leak"})
    EXPECT_THAT(sequences_that(CallStatus::ended, name, "1000000"), IsEmpty()) << name;
  for (const char* name : {"trap-random", "error-random", "giant", "route-unknown"})
    EXPECT_THAT(sequences_that(CallStatus::ended, name, "0"), IsEmpty()) << name;
  EXPECT_THAT(sequences_that(CallStatus::ended, "slow", "0"), IsEmpty());
}

TEST_F(Hostile, OneInNIsTheSameElementsForASeedWhoeverItIs) {
  const std::string config = R"({"n": "8", "seed": "3"})";
  const std::set<std::uint64_t> hit = sequences_that(CallStatus::ended, "trap-random", config);
  EXPECT_THAT(hit, SizeIs(AllOf(Ge(elements / 16), Le(elements / 4))));
  EXPECT_EQ(last_failure_->detail().trap_kind, "unreachable");
  EXPECT_EQ(sequences_that(CallStatus::element_error, "error-random", config), hit);
  EXPECT_EQ(sequences_that(CallStatus::ended, "route-unknown", config), hit);
  EXPECT_EQ(last_failure_->code(), ErrorCode::unknown_port);
  EXPECT_NE(sequences_that(CallStatus::ended, "trap-random", R"({"n": "8", "seed": "4"})"), hit);
}

TEST_F(Hostile, ErrorRandomReturnsTheKindItWasTold) {
  const auto instance = start(hostile_component_path("error-random"), R"({"n": "1", "kind": "fatal"})");
  Run in = run_of({"a"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::element_error);
  EXPECT_EQ(instance->error_kind(), ProcessErrorKind::fatal);
}

TEST_F(Hostile, SpinHogAndOverflowEndForTheirOwnReasons) {
  options_.call_timeout_ns = 30'000'000;
  EXPECT_EQ(end_of("spin", "0", run_of({"a"})).code(), ErrorCode::call_timed_out);
  options_.call_timeout_ns = 10'000'000'000;
  options_.max_memory_bytes = 4 << 20;
  next_sequence_ = 0;
  EXPECT_THAT(end_of("hog", "0", run_of({"a"})).message(), HasSubstr("more bytes of memory in vain"));
  next_sequence_ = 0;
  EXPECT_EQ(end_of("overflow", "0", run_of({"a"})).detail().trap_kind, "stack-overflow");
}

TEST_F(Hostile, LeakKeepsAHandleOfEachOutput) {
  const auto instance = start(hostile_component_path("leak"), "1");
  Run in = run_of({"a", "b", "c"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_EQ(instance->held_handles(), 2U);
}

TEST_F(Hostile, SlowTakesItsTimeAndIsHeldToItsLimit) {
  const auto instance = start(hostile_component_path("slow"), "20000");
  Run in = run_of({"a"});
  Run out;
  const auto before = std::chrono::steady_clock::now();
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(20));
  options_.call_timeout_ns = 20'000'000;
  EXPECT_EQ(end_of("slow", "3600000000", run_of({"a"})).code(), ErrorCode::call_timed_out)
      << "it computes: that counts";
}

TEST_F(Hostile, GiantGetsWhatThereCanBeAndNothingBeyond) {
  const auto instance = start(hostile_component_path("giant"), "1");
  Run in = run_of({"a"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << instance->failure().to_string();
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].payload.size(), pool_->max_buffer_bytes());
  EXPECT_EQ(instance->held_handles(), 0U);

  const auto greedy = start(hostile_component_path("giant"), R"({"n": "1", "bytes": "16777217"})");
  in = run_of({"a"});
  EXPECT_EQ(greedy->process(in, out).status, CallStatus::element_error);
  EXPECT_THAT(greedy->error_text(), HasSubstr("larger than a buffer can be"));
}

// ---- beginning anew -----------------------------------------------------------------------------------------------------

std::uint64_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::ptrdiff_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return std::distance(begin(files), end(files));
}

TEST_F(Hostile, AThousandInstancesThatTrapLeaveNothingBehindNextToOneThatWorks) {
  constexpr int restarts = 1000;
  const std::shared_ptr<Component> trap = load(test_component_path("trap"));
  std::atomic<bool> over{false};
  std::atomic<int> worked{0};
  Run to_work = run_of({"work"});
  std::thread worker([&, instance = start(component_path("upper"))] {
    while (!over) {
      Run in = to_work;
      Run out;
      ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
      ASSERT_THAT(texts_of(out), ElementsAre("WORK"));
      ++worked;
    }
  });

  // In buffers of their own, as a flow has them: those that stand, the one it trapped over, and the one behind it.
  const auto trap_once = [&] {
    next_sequence_ = 0;
    const std::unique_ptr<Instance> instance = start(*trap, "2");
    Run in = run_of({"a", "b", "c", "d"});
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    ASSERT_EQ(outcome.status, CallStatus::ended);
    ASSERT_EQ(outcome.done, 2U);
    ASSERT_EQ(instance->failure().code(), ErrorCode::component_trapped);
  };
  for (int i = 0; i < 100; ++i) ASSERT_NO_FATAL_FAILURE(trap_once());
  const std::ptrdiff_t open_files_before = open_files();
  // What the worker has in hand comes and goes, and what the allocator keeps for it; a leak of one small object an instance would be there
  // every time.
  constexpr std::uint64_t leak_bytes = std::uint64_t{restarts} * 32;
  std::uint64_t growth_bytes = leak_bytes;
  for (int time = 0; time < 3 && growth_bytes >= leak_bytes; ++time) {
    const std::uint64_t heap_bytes_before = heap_bytes();
    for (int i = 0; i < restarts; ++i) ASSERT_NO_FATAL_FAILURE(trap_once());
    const std::uint64_t heap_bytes_after = heap_bytes();
    growth_bytes = heap_bytes_after - std::min(heap_bytes_after, heap_bytes_before);
  }
  EXPECT_EQ(open_files(), open_files_before);

  over = true;
  worker.join();
  EXPECT_GT(worked, 0);
  EXPECT_LT(growth_bytes, leak_bytes);
  EXPECT_EQ(pool_->stats().live, 1U) << "what the worker was given";
}

}  // namespace
}  // namespace torvyn::engine
