#include "torvyn/reactor/cpu_share.h"

#include <gtest/gtest.h>

#include "torvyn/types/clock.h"

namespace torvyn::reactor {
namespace {

constexpr std::uint64_t ms = 1'000'000;

class CpuShareTest : public testing::Test {
 protected:
  // A call that computes for `cpu_ns` and lasts `lasts_ns`. True: the stage is to rest.
  bool call(CpuShare& share, std::uint64_t cpu_ns, std::uint64_t lasts_ns) {
    share.enter(clock_.monotonic_ns());
    clock_.advance_ns(lasts_ns);
    return share.leave(cpu_ns, clock_.monotonic_ns());
  }
  bool call(CpuShare& share, std::uint64_t cpu_ns) { return call(share, cpu_ns, cpu_ns); }

  void advance_to(std::uint64_t ns) { clock_.advance_ns(ns - clock_.monotonic_ns()); }

  ManualClock clock_;
};

TEST_F(CpuShareTest, AsksForNoRestWhereLessIsUsed) {
  CpuShare share(0.5);
  for (int i = 0; i < 49; ++i) EXPECT_FALSE(call(share, ms)) << i;
  EXPECT_EQ(share.rest_until_ns(), 0U);
}

TEST_F(CpuShareTest, RestsUntilTheNextWindowWhenItIsUsedUp) {
  CpuShare share(0.5);
  EXPECT_FALSE(call(share, 49 * ms));
  EXPECT_TRUE(call(share, 1 * ms));
  EXPECT_EQ(share.rest_until_ns(), 100 * ms);
  advance_to(100 * ms);
  EXPECT_FALSE(call(share, 49 * ms));
  EXPECT_EQ(share.rest_until_ns(), 0U);
}

TEST_F(CpuShareTest, TakesWhatACallUsedBeyondFromTheWindowsThatFollow) {
  CpuShare share(0.1);  // 10 ms of 100 ms
  EXPECT_TRUE(call(share, 35 * ms));
  EXPECT_EQ(share.rest_until_ns(), 300 * ms) << "10 ms of three windows, and 5 ms of the fourth";
  advance_to(300 * ms);
  EXPECT_FALSE(call(share, 4 * ms));
  EXPECT_TRUE(call(share, 1 * ms));
  EXPECT_EQ(share.rest_until_ns(), 400 * ms);
}

TEST_F(CpuShareTest, PaysForALongCallWithTheWindowsItWentThrough) {
  CpuShare share(0.5);
  EXPECT_TRUE(call(share, 1000 * ms));
  EXPECT_EQ(share.rest_until_ns(), 2000 * ms);
}

TEST_F(CpuShareTest, DoesNotCountWaitingAsUse) {
  CpuShare share(0.01);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(call(share, ms / 2, 1000 * ms)) << i;
}

TEST_F(CpuShareTest, GivesNoBurstAfterIdleTime) {
  CpuShare share(0.5);
  EXPECT_FALSE(call(share, ms));
  advance_to(100'000 * ms);
  EXPECT_TRUE(call(share, 60 * ms));
  EXPECT_EQ(share.rest_until_ns(), 100'100 * ms);
}

TEST_F(CpuShareTest, HoldsTheShareOverASecondWhateverTheLengthOfTheCalls) {
  for (const double part : {0.01, 0.1, 0.25, 0.5, 0.9, 1.0}) {
    for (const std::uint64_t cpu_ns : {ms / 10, 3 * ms, 40 * ms, 250 * ms}) {
      CpuShare share(part);
      const std::uint64_t began_ns = clock_.monotonic_ns();
      std::uint64_t used_ns = 0;
      while (clock_.monotonic_ns() - began_ns < 100'000 * ms) {
        used_ns += cpu_ns;
        if (call(share, cpu_ns)) advance_to(std::max(clock_.monotonic_ns(), share.rest_until_ns()));
      }
      const double lasted_ns = static_cast<double>(clock_.monotonic_ns() - began_ns);
      const double measured = static_cast<double>(used_ns) / lasted_ns;
      // A call that is under way is not cut off, and a window's budget need not be a multiple of it.
      EXPECT_LE(measured, part * 1.01 + 0.0025) << part << ' ' << cpu_ns;
      EXPECT_GE(measured, part * 0.9) << part << ' ' << cpu_ns << ": a rest is not longer than it must be";
    }
  }
}

TEST_F(CpuShareTest, OfAWholeCoreNeverRestsBeyondTheWindow) {
  CpuShare share(1.0);
  for (int i = 0; i < 1000; ++i) {
    const bool rests = call(share, 7 * ms);
    if (rests) {
      EXPECT_LE(share.rest_until_ns(), clock_.monotonic_ns() + CpuShare::window_ns);
    }
  }
}

TEST_F(CpuShareTest, KeepsItsRestsWithinBounds) {
  CpuShare share(1e-9);
  EXPECT_TRUE(call(share, 3'600'000 * ms, 0));
  EXPECT_EQ(share.rest_until_ns(), CpuShare::rest_max_ns);
}

}  // namespace
}  // namespace torvyn::reactor
