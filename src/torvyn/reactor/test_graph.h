// Graphs of small stages for the tests of this folder: each stage is a function.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/test_flow.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

// What a stage does with one element. An answer other than `ok` ends the call there.
using ElementFunction = std::function<StageStatus(Element&, Run& out)>;

class FunctionStage : public Stage {
 public:
  explicit FunctionStage(ElementFunction function) : function_(std::move(function)) {}
  Status start() override {
    ++starts;
    return {};
  }
  Status restart() override {
    ++restarts;
    return {};
  }
  void finish(bool orderly) noexcept override { orderly ? ++orderly_ends : ++other_ends; }
  StageOutcome process(std::span<Element> in, Run& out) noexcept override { return each(in, out); }
  StageOutcome push(std::span<Element> in) noexcept override {
    Run none;
    return each(in, none);
  }
  Status complete() override {
    ++completes;
    return {};
  }
  StageOutcome flush(Run& out) noexcept override {
    if (on_flush) on_flush(out);
    return {.status = StageStatus::end_of_stream};
  }
  const ElementError& element_error() const noexcept override { return error; }
  Error failure() const override { return Error(ErrorCode::component_trapped, "it trapped"); }
  std::string_view path() const noexcept override { return "test"; }

  ElementError error{.kind = ProcessErrorKind::internal, .text = "no"};
  std::function<void(Run&)> on_flush;
  bool whole_run = false;  // a trap is charged to all of the call
  int starts = 0;
  int restarts = 0;
  int completes = 0;
  int orderly_ends = 0;
  int other_ends = 0;

 private:
  StageOutcome each(std::span<Element> in, Run& out) {
    const auto size = static_cast<std::uint32_t>(in.size());
    for (std::uint32_t i = 0; i < size; ++i) {
      Element kept = whole_run ? in[i] : Element{};  // a call that fails has moved from nothing
      const StageStatus status = function_(whole_run ? kept : in[i], out);
      if (status == StageStatus::failed && whole_run) {
        out.clear();
        return {.status = status, .done = 0, .charged = size};
      }
      if (status == StageStatus::pause) return {.status = status, .done = i + 1};
      if (status != StageStatus::ok) return {.status = status, .done = i};
    }
    return {.status = StageStatus::ok, .done = size};
  }

  ElementFunction function_;
};

// A sink that keeps the numbers it took.
class KeepingSink final : public FunctionStage {
 public:
  KeepingSink()
      : FunctionStage([this](Element& element, Run&) {
          numbers.push_back(fake_number(element));
          types.push_back(element.meta.content_type);
          return StageStatus::ok;
        }) {}
  std::vector<std::uint64_t> numbers;
  std::vector<ContentTypeId> types;
};

inline StageStatus pass_on(Element& element, Run& out) {
  out.push_back(std::move(element));
  return StageStatus::ok;
}

// Nodes are added in topological order.
class Graph {
 public:
  Graph() { plan_.name = "graph"; }

  std::size_t source(std::uint64_t elements, FakeSourceOptions options = {}) {
    options.pool = &test_pool();
    options.elements = elements;
    return add(std::make_unique<FakeSource>(std::move(options)), contracts::Role::source);
  }
  FunctionStage& stage(ElementFunction function, contracts::Role role = contracts::Role::processor) {
    auto made = std::make_unique<FunctionStage>(std::move(function));
    FunctionStage& stage = *made;
    add(std::move(made), role);
    return stage;
  }
  KeepingSink& sink() {
    auto made = std::make_unique<KeepingSink>();
    KeepingSink& stage = *made;
    add(std::move(made), contracts::Role::sink);
    return stage;
  }
  std::size_t add(std::unique_ptr<Stage> stage, contracts::Role role) {
    PlannedStage planned;
    planned.stage = std::move(stage);
    planned.role = role;
    planned.node = "node" + std::to_string(plan_.stages.size());
    plan_.stages.push_back(std::move(planned));
    return plan_.stages.size() - 1;
  }
  std::size_t last() const { return plan_.stages.size() - 1; }
  PlannedStage& node(std::size_t index) { return plan_.stages[index]; }
  FailurePolicy& failure(std::size_t index) { return plan_.stages[index].failure; }
  FlowPlan& plan() { return plan_; }
  PlannedEdge& edge(std::size_t from, std::size_t to, std::uint16_t port = 0) {
    return plan_.edges.emplace_back(PlannedEdge{.from = from, .to = to, .port = port});
  }

  // To its end, in turns of `quantum` elements, looking at the driver's state after each.
  observability::FlowReport run(std::uint32_t quantum = 64, Executor* executor = nullptr,
                                const std::function<void(FlowDriver&)>& between = {}) {
    const std::uint64_t live = test_pool().stats().live;
    driver = std::make_unique<FlowDriver>(std::move(plan_), clock, interrupt, executor);
    for (;;) {
      const Turn turn = driver->turn({.elements = quantum, .time_ns = never_ns});
      if (turn.next == Turn::Next::done) break;
      driver->check_invariants();
      if (between) between(*driver);
      if (turn.next == Turn::Next::wait && turn.wake_at_ns != never_ns && turn.wake_at_ns > clock.monotonic_ns())
        clock.advance_ns(turn.wake_at_ns - clock.monotonic_ns());
    }
    observability::FlowReport report = driver->report();
    EXPECT_EQ(test_pool().stats().live, live) << "buffers leaked";
    EXPECT_EQ(report.fates.accounted(), report.fates.pulled) << "an element has no fate, or two";
    return report;
  }

  ManualClock clock{1'000};
  Interrupt interrupt;
  std::unique_ptr<FlowDriver> driver;  // of the run, with its stages

 private:
  FlowPlan plan_;
};

}  // namespace torvyn::reactor
