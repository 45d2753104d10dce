#include "torvyn/cli/signals.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>

namespace torvyn::cli {
namespace {

class FakeRun final : public host::FlowRun {
 public:
  observability::FlowReport run() override { return {}; }
  Status start() override { return {}; }
  observability::FlowReport wait() override { return {}; }
  void request_stop(host::StopReason reason) noexcept override {
    last = reason;
    ++stops;
    stops.notify_all();
  }
  void cancel() noexcept override {}
  Result<host::SwapResult> swap(std::string_view, const std::filesystem::path&, bool) override {
    return host::SwapResult{};
  }
  observability::FlowProgress progress() const noexcept override { return {}; }

  std::atomic<int> stops{0};
  std::atomic<host::StopReason> last{host::StopReason::timeout};
};

TEST(StopOnSignal, AsksAllFlowsToStop) {
  FakeRun first;
  FakeRun second;
  const std::array<host::FlowRun*, 2> runs = {&first, &second};
  const StopOnSignal signals(runs);
  EXPECT_EQ(signals.received(), 0);
  raise(SIGINT);
  EXPECT_EQ(signals.received(), SIGINT);
  for (FakeRun* const run : {&first, &second}) {
    run->stops.wait(0);
    EXPECT_EQ(run->stops, 1);
    EXPECT_EQ(run->last, host::StopReason::interrupt);
  }
}

TEST(StopOnSignal, TakesAHangupForATermination) {
  const StopOnSignal signals({});
  raise(SIGHUP);
  EXPECT_EQ(signals.received(), SIGTERM);
  EXPECT_EQ(exit_code_of_signal(signals.received()), 143);
}

TEST(StopOnSignal, EndsAtOnceOnTheSecondSignal) {
  const auto twice = [] {
    const StopOnSignal signals({});
    raise(SIGINT);
    raise(SIGTERM);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(143), "");
}

TEST(StopOnSignal, StopsNothingThatBeganAfterwards) {
  {
    const StopOnSignal signals({});
    raise(SIGINT);
  }
  FakeRun later;
  {
    const std::array<host::FlowRun*, 1> runs = {&later};
    const StopOnSignal signals(runs);
    EXPECT_EQ(signals.received(), 0);
  }
  EXPECT_EQ(later.stops, 0);
}

TEST(StopOnSignal, LeavesIgnoredSignalsIgnoredAndPutsEverythingBack) {
  const auto previous = std::signal(SIGHUP, SIG_IGN);
  FakeRun run;
  {
    const std::array<host::FlowRun*, 1> runs = {&run};
    const StopOnSignal signals(runs);
    raise(SIGHUP);
    raise(SIGPIPE);
    EXPECT_EQ(signals.received(), 0);
  }
  EXPECT_EQ(run.stops, 0);
  EXPECT_EQ(std::signal(SIGHUP, previous), SIG_IGN);
  struct sigaction action{};
  sigaction(SIGINT, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace torvyn::cli
