#include "torvyn/cli/signals.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>

namespace torvyn::cli {
namespace {

// Counts calls, for who waits for one.
struct Calls {
  std::atomic<int> count{0};
  std::function<void()> one_more() {
    return [this] {
      ++count;
      count.notify_all();
    };
  }
};

TEST(SignalWatch, AsksOnceToStop) {
  Calls stops;
  const SignalWatch signals(stops.one_more());
  EXPECT_EQ(signals.received(), 0);
  raise(SIGINT);
  EXPECT_EQ(signals.received(), SIGINT);
  stops.count.wait(0);
  EXPECT_EQ(stops.count, 1);
}

TEST(SignalWatch, ReloadsOnEveryHangupWhereItMay) {
  Calls stops;
  Calls reloads;
  const SignalWatch signals(stops.one_more(), reloads.one_more());
  raise(SIGHUP);
  reloads.count.wait(0);
  raise(SIGHUP);
  reloads.count.wait(1);
  EXPECT_EQ(reloads.count, 2);
  EXPECT_EQ(stops.count, 0);
  EXPECT_EQ(signals.received(), 0);
}

TEST(SignalWatch, TakesAHangupForATermination) {
  const SignalWatch signals([] {});
  raise(SIGHUP);
  EXPECT_EQ(signals.received(), SIGTERM);
  EXPECT_EQ(exit_code_of_signal(signals.received()), 143);
}

TEST(SignalWatch, EndsAtOnceOnTheSecondSignal) {
  const auto twice = [] {
    const SignalWatch signals([] {});
    raise(SIGINT);
    raise(SIGTERM);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(143), "");
}

TEST(SignalWatch, StopsNothingThatBeganAfterwards) {
  {
    const SignalWatch signals([] {});
    raise(SIGINT);
  }
  Calls stops;
  {
    const SignalWatch signals(stops.one_more());
    EXPECT_EQ(signals.received(), 0);
  }
  EXPECT_EQ(stops.count, 0);
}

TEST(SignalWatch, LeavesIgnoredSignalsIgnoredAndPutsEverythingBack) {
  const auto previous = std::signal(SIGHUP, SIG_IGN);
  Calls stops;
  {
    const SignalWatch signals(stops.one_more());
    raise(SIGHUP);
    raise(SIGPIPE);
    EXPECT_EQ(signals.received(), 0);
  }
  EXPECT_EQ(stops.count, 0);
  EXPECT_EQ(std::signal(SIGHUP, previous), SIG_IGN);
  struct sigaction action{};
  sigaction(SIGINT, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace torvyn::cli
