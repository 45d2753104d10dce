// What the tests of this folder share: flows of fakes, described as data and run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/reactor/fake_stages.h"
#include "torvyn/reactor/flow_driver.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {

inline resources::BufferPool& test_pool() {
  static const auto pool = [] {
    resources::PoolOptions options;
    options.kept = {1024, 64, 16, 4};
    auto made = resources::BufferPool::create(options);
    if (!made) std::abort();
    return *std::move(made);
  }();
  return *pool;
}

inline config::ErrorPolicy policy_of(config::ErrorAction action) {
  return {.invalid_input = action, .unavailable = action, .internal = action, .deadline_exceeded = action};
}

// One of the stages between source and sink.
struct MiddleSpec {
  contracts::Role role = contracts::Role::processor;
  FakeStageOptions fake{};
  bool skip = false;
};

struct FlowSpec {
  FakeSourceOptions source{};
  std::vector<MiddleSpec> middle{};
  FakeSinkOptions sink{};
  bool source_skip = false;
  bool sink_skip = false;
  std::uint32_t max_batch = 64;
  std::uint64_t max_batch_bytes = std::uint64_t{1} << 20;
  std::optional<std::uint64_t> elements_max{};
  std::optional<std::uint64_t> errors_max{};
};

// What a flow did, seen from outside.
struct Ran {
  observability::FlowReport report;
  std::vector<FakeReceived> received;
  std::vector<FakeRun> runs;
  FakeJournal journal;

  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> numbers;
    for (const FakeReceived& one : received) numbers.push_back(one.number);
    return numbers;
  }
  std::uint64_t fate(observability::Fate fate) const { return report.fates[fate]; }
};

// The numbers from `first` to before `end`.
inline std::vector<std::uint64_t> counted(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = first; number < end; ++number) numbers.push_back(number);
  return numbers;
}

// Nodes are called "source", "stage1", "stage2", … and "sink". `before` is called with the driver before it runs, `beside` on a thread of
// its own while it does.
using WithDriver = std::function<void(FlowDriver&)>;
inline Ran run_flow(const FlowSpec& spec, const WithDriver& beside = {}, const WithDriver& before = {}) {
  const std::uint64_t live_before = test_pool().stats().live;
  Ran ran;
  {
    Interrupt interrupt;
    FlowPlan plan;
    plan.name = "test";
    plan.max_batch = spec.max_batch;
    plan.max_batch_bytes = spec.max_batch_bytes;
    plan.elements_max = spec.elements_max;
    plan.errors_max = spec.errors_max;
    const auto add = [&plan](std::unique_ptr<Stage> stage, contracts::Role role, std::string node, bool skip) {
      plan.stages.push_back(
          {.stage = std::move(stage),
           .role = role,
           .node = node,
           .component = node + ".wasm",
           .contract = "element",
           .failure = {.on_error = policy_of(skip ? config::ErrorAction::skip : config::ErrorAction::fail)}});
    };
    FakeSourceOptions source = spec.source;
    source.pool = &test_pool();
    source.journal = &ran.journal;
    add(std::make_unique<FakeSource>(std::move(source)), contracts::Role::source, "source", spec.source_skip);
    for (std::size_t i = 0; i < spec.middle.size(); ++i) {
      const std::string name = "stage" + std::to_string(i + 1);
      FakeStageOptions stage = spec.middle[i].fake;
      stage.name = name;
      stage.journal = &ran.journal;
      add(std::make_unique<FakeStage>(std::move(stage)), spec.middle[i].role, name, spec.middle[i].skip);
    }
    FakeSinkOptions sink_options = spec.sink;
    sink_options.journal = &ran.journal;
    auto sink = std::make_unique<FakeSink>(std::move(sink_options));
    const FakeSink& watched = *sink;
    add(std::move(sink), contracts::Role::sink, "sink", spec.sink_skip);

    FlowDriver driver(std::move(plan), SystemClock::instance(), interrupt);
    if (before) before(driver);
    {
      std::jthread other;
      if (beside) other = std::jthread([&] { beside(driver); });
      ran.report = driver.run();
    }
    ran.received = watched.received();
    ran.runs = watched.runs();
  }
  EXPECT_EQ(test_pool().stats().live, live_before) << "buffers leaked";
  EXPECT_EQ(ran.report.fates.accounted(), ran.report.fates.pulled) << "an element has no fate, or two";
  return ran;
}

}  // namespace torvyn::reactor
