#include "torvyn/engine/ticker.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace torvyn::engine {
namespace {

using namespace std::chrono_literals;

// A ticker that counts its ticks.
class TickerTest : public testing::Test {
 protected:
  std::uint64_t ticks() const { return ticks_.load(); }

  // Waits until `wanted` more ticks were seen. False: they didn't come in ten seconds.
  bool sees_ticks(std::uint64_t wanted) const {
    const std::uint64_t before = ticks();
    for (const auto end = std::chrono::steady_clock::now() + 10s; ticks() < before + wanted;) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(100us);
    }
    return true;
  }

  std::atomic<std::uint64_t> ticks_{0};
  Ticker ticker_{[this] { ticks_.fetch_add(1); }};
};

TEST_F(TickerTest, TicksWhileAGuestRunsAndNotOtherwise) {
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(ticks(), 0U) << "nothing has run yet";
  ticker_.enter();
  EXPECT_TRUE(sees_ticks(20));
  ticker_.leave();
  const std::uint64_t at_rest = ticks();
  std::this_thread::sleep_for(100ms);
  EXPECT_LE(ticks(), at_rest + 1) << "one may have been on its way";
}

TEST_F(TickerTest, WakesFromItsSleepAgainAndAgain) {
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(60ms);  // long enough to park
    ticker_.enter();
    EXPECT_TRUE(sees_ticks(3)) << "round " << round;
    ticker_.leave();
  }
}

TEST_F(TickerTest, ParksWhenIdleInsteadOfWakingEveryMillisecond) {
  const auto waits = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
  };
  std::this_thread::sleep_for(60ms);
  const long before = waits();
  std::this_thread::sleep_for(500ms);
  EXPECT_LT(waits() - before, 50) << "threads of this process that went to sleep: awake, the ticker does 500 times";
}

TEST_F(TickerTest, TicksUntilTheLastOfSeveralGuestsLeaves) {
  ticker_.enter();
  ticker_.enter();
  ticker_.leave();
  EXPECT_TRUE(sees_ticks(5));
  ticker_.leave();
}

TEST_F(TickerTest, NoGuestEverRunsWithTheTickerAsleep) {
  // Many threads that come and go about when the ticker parks: after 16 idle ticks.
  std::vector<std::thread> guests;
  std::atomic<int> missed{0};
  for (int guest = 0; guest < 4; ++guest)
    guests.emplace_back([&, guest] {
      for (int call = 0; call < 12; ++call) {
        std::this_thread::sleep_for(std::chrono::milliseconds(14 + (guest + call) % 5));
        ticker_.enter();
        if (call % 3 == 0 && !sees_ticks(1)) missed.fetch_add(1);
        ticker_.leave();
      }
    });
  for (std::thread& guest : guests) guest.join();
  EXPECT_EQ(missed.load(), 0);
}

TEST(Ticker, EndsAtOnceWhetherParkedOrTicking) {
  const auto seconds_to_end = [](std::chrono::milliseconds wait, bool with_guest) {
    auto ticker = std::make_unique<Ticker>([] {});
    if (with_guest) ticker->enter();
    std::this_thread::sleep_for(wait);
    if (with_guest) ticker->leave();
    const auto before = std::chrono::steady_clock::now();
    ticker.reset();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  };
  EXPECT_LT(seconds_to_end(0ms, false), 1.0);
  EXPECT_LT(seconds_to_end(60ms, false), 1.0) << "parked";
  EXPECT_LT(seconds_to_end(5ms, true), 1.0);
}

}  // namespace
}  // namespace torvyn::engine
