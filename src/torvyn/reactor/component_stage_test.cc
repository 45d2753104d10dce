#include "torvyn/reactor/component_stage.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

#include "torvyn/reactor/test_flow.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {
namespace {

constexpr std::uint64_t ms = 1'000'000;

// Computes for as long as it is told: by the CPU time of the thread, however busy the machine is.
void compute_for_ns(std::uint64_t ns) {
  const std::uint64_t begin_ns = thread_cpu_ns();
  while (thread_cpu_ns() - begin_ns < ns) {
  }
}

// What the components of a test do in their calls.
struct Work {
  std::uint64_t init_ns = 0;
  std::uint64_t call_ns = 0;
};

class WorkingInstance final : public engine::Instance {
 public:
  explicit WorkingInstance(const Work& work) : work_(work) {}
  Status init(std::string_view) override {
    compute_for_ns(work_.init_ns);
    return {};
  }
  engine::CallOutcome pull(std::uint32_t, std::uint64_t, resources::Run&) noexcept override { return call(); }
  engine::CallOutcome notify_backpressure(bool) noexcept override { return call(); }
  bool wants_acks() const noexcept override { return true; }
  engine::CallOutcome acknowledge(std::uint64_t) noexcept override { return call(); }
  engine::CallOutcome process(std::span<Element>, resources::Run&) noexcept override { return call(); }
  engine::CallOutcome flush(resources::Run&) noexcept override { return call(); }
  engine::CallOutcome push(std::span<Element>) noexcept override { return call(); }
  Status complete() override { return {}; }
  Status teardown() override { return {}; }
  ProcessErrorKind error_kind() const noexcept override { return ProcessErrorKind::internal; }
  const std::string& error_text() const noexcept override { return text_; }
  Error failure() const override { return Error(ErrorCode::component_trapped, "a trap"); }
  void stop() noexcept override {}
  const resources::CopyLedger& copies() const noexcept override { return copies_; }
  std::uint64_t memory_bytes() const noexcept override { return 0; }
  std::uint32_t held_handles() const noexcept override { return 0; }
  security::CapabilityCounts capability_counts() const noexcept override { return {}; }

 private:
  engine::CallOutcome call() noexcept {
    compute_for_ns(work_.call_ns);
    return {};
  }

  const Work& work_;
  std::string text_;
  resources::CopyLedger copies_;
};

class WorkingComponent final : public engine::Component {
 public:
  explicit WorkingComponent(const Work& work) : work_(work) {}
  const engine::ComponentInfo& info() const noexcept override { return info_; }
  const std::string& name() const noexcept override { return name_; }
  bool from_cache() const noexcept override { return false; }
  const std::string& digest() const noexcept override { return name_; }
  std::string_view path() const noexcept override { return "test"; }
  Status check_imports() const override { return {}; }
  Result<std::unique_ptr<engine::Instance>> instantiate(const engine::InstanceOptions&) override {
    return std::make_unique<WorkingInstance>(work_);
  }

 private:
  const Work& work_;
  engine::ComponentInfo info_;
  std::string name_ = "working.wasm";
};

class ComponentStageTest : public testing::Test {
 protected:
  std::unique_ptr<ComponentStage> started(std::optional<double> max_cpu) {
    engine::InstanceOptions options;
    options.clock = &clock_;
    auto stage = std::make_unique<ComponentStage>(std::make_shared<WorkingComponent>(work_), options, "", max_cpu);
    EXPECT_TRUE(stage->start());
    return stage;
  }

  ManualClock clock_;
  Work work_;
  resources::Run out_;
};

TEST_F(ComponentStageTest, NeverRestsWithoutALimit) {
  work_.call_ns = 2 * ms;
  const auto stage = started({});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(stage->process({}, out_).rests);
  EXPECT_EQ(stage->rest_until_ns(), 0U);
}

TEST_F(ComponentStageTest, RestsAfterACallThatUsedItsShareUp) {
  work_.call_ns = 2 * ms;
  const auto stage = started(0.01);  // 1 ms of 100 ms
  const auto expect_rest = [&](const StageOutcome& outcome) {
    EXPECT_TRUE(outcome.rests);
    EXPECT_GE(stage->rest_until_ns(), clock_.monotonic_ns() + 200 * ms) << "two windows for 2 ms";
    clock_.advance_ns(stage->rest_until_ns() - clock_.monotonic_ns());
  };
  expect_rest(stage->process({}, out_));
  expect_rest(stage->pull({}, out_));
  expect_rest(stage->flush(out_));
  expect_rest(stage->push({}));
}

TEST_F(ComponentStageTest, CountsWhatItIsToldInBetween) {
  work_.call_ns = 2 * ms;
  const auto stage = started(0.01);
  stage->notify_backpressure(true);
  work_.call_ns = 0;
  EXPECT_TRUE(stage->pull({}, out_).rests);
  clock_.advance_ns(stage->rest_until_ns());
  work_.call_ns = 2 * ms;
  stage->acknowledge(1);
  work_.call_ns = 0;
  EXPECT_TRUE(stage->pull({}, out_).rests);
}

TEST_F(ComponentStageTest, GoesOnWithWhatItUsedWhenItBeginsAnew) {
  work_.init_ns = 2 * ms;
  const auto stage = started(0.01);
  EXPECT_FALSE(stage->process({}, out_).rests) << "its first start is bounded by a time limit of its own";
  EXPECT_TRUE(stage->restart());
  EXPECT_TRUE(stage->process({}, out_).rests) << "whoever begins anew again and again gets no more than the others";
}

}  // namespace
}  // namespace torvyn::reactor
