#include "torvyn/cli/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace torvyn::cli {
namespace {

class FakeRun final : public host::FlowRun {
 public:
  observability::FlowReport run() override { return {}; }
  void request_stop(host::StopReason reason) noexcept override {
    ++stops;
    last = reason;
  }
  observability::FlowProgress progress() const noexcept override { return {}; }
  int stops = 0;
  host::StopReason last = host::StopReason::timeout;
};

TEST(StopOnSignal, AsksTheFlowToStop) {
  FakeRun run;
  const StopOnSignal signals(run);
  EXPECT_EQ(signals.received(), 0);
  raise(SIGINT);
  EXPECT_EQ(run.stops, 1);
  EXPECT_EQ(run.last, host::StopReason::interrupt);
  EXPECT_EQ(signals.received(), SIGINT);
}

TEST(StopOnSignal, TakesAHangupForATermination) {
  FakeRun run;
  const StopOnSignal signals(run);
  raise(SIGHUP);
  EXPECT_EQ(signals.received(), SIGTERM);
  EXPECT_EQ(exit_code_of_signal(signals.received()), 143);
}

TEST(StopOnSignal, EndsAtOnceOnTheSecondSignal) {
  const auto twice = [] {
    FakeRun run;
    const StopOnSignal signals(run);
    raise(SIGINT);
    raise(SIGTERM);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(143), "");
}

TEST(StopOnSignal, LeavesIgnoredSignalsIgnoredAndPutsEverythingBack) {
  const auto previous = std::signal(SIGHUP, SIG_IGN);
  {
    FakeRun run;
    const StopOnSignal signals(run);
    raise(SIGHUP);
    raise(SIGPIPE);
    EXPECT_EQ(run.stops, 0);
  }
  EXPECT_EQ(std::signal(SIGHUP, previous), SIG_IGN);
  struct sigaction action{};
  sigaction(SIGINT, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace torvyn::cli
