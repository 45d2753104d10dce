#include "torvyn/types/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <thread>

namespace torvyn {
namespace {

constexpr std::uint64_t ms_in_ns = 1'000'000;
constexpr std::uint64_t year_2020_ns = 1'577'836'800'000 * ms_in_ns;
constexpr std::uint64_t year_2200_ns = 7'258'118'400'000 * ms_in_ns;

TEST(SystemClock, NeverGoesBackwards) {
  const Clock& clock = SystemClock::instance();
  std::uint64_t last_ns = clock.monotonic_ns();
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t now_ns = clock.monotonic_ns();
    ASSERT_GE(now_ns, last_ns);
    last_ns = now_ns;
  }
}

TEST(SystemClock, CountsNanoseconds) {
  const Clock& clock = SystemClock::instance();
  const std::uint64_t start_ns = clock.monotonic_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::uint64_t slept_ns = clock.monotonic_ns() - start_ns;
  EXPECT_GE(slept_ns, 20 * ms_in_ns);
  EXPECT_LT(slept_ns, 20'000 * ms_in_ns) << "a busy machine oversleeps, but not a thousand times";
}

TEST(SystemClock, TellsUnixTime) {
  const std::uint64_t now_ns = SystemClock::instance().wall_ns();
  EXPECT_GT(now_ns, year_2020_ns);
  EXPECT_LT(now_ns, year_2200_ns);
}

TEST(ManualClock, StandsStillUntilItIsAdvanced) {
  ManualClock clock;
  EXPECT_EQ(clock.monotonic_ns(), 0U);
  EXPECT_EQ(clock.monotonic_ns(), 0U);
  clock.advance_ns(5);
  clock.advance_ns(7);
  EXPECT_EQ(clock.monotonic_ns(), 12U);
}

TEST(ManualClock, MovesItsWallClockAlong) {
  ManualClock clock(year_2020_ns);
  EXPECT_EQ(clock.wall_ns(), year_2020_ns);
  EXPECT_EQ(clock.monotonic_ns(), 0U);
  clock.advance_ns(3);
  EXPECT_EQ(clock.wall_ns(), year_2020_ns + 3);
}

TEST(ManualClock, LosesNoAdvanceOfAnyThread) {
  ManualClock clock;
  const auto advance = [&clock] {
    for (int i = 0; i < 10'000; ++i) clock.advance_ns(1);
  };
  std::thread first(advance);
  std::thread second(advance);
  first.join();
  second.join();
  EXPECT_EQ(clock.monotonic_ns(), 20'000U);
}

}  // namespace
}  // namespace torvyn
