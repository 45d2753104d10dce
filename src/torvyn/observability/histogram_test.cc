#include "torvyn/observability/histogram.h"

#include <gtest/gtest.h>

#include <cmath>

namespace torvyn::observability {
namespace {

TEST(Histogram, IsEmptyUntilSomethingIsRecorded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile_ns(0.5), 0U);
}

TEST(Histogram, GivesAnyValueBackWithinASixteenth) {
  for (std::uint64_t ns = 1; ns < Histogram::max_ns; ns = ns * 5 / 4 + 1) {
    Histogram histogram;
    histogram.record(ns);
    const auto got = static_cast<double>(histogram.quantile_ns(0.5));
    EXPECT_LE(std::abs(got - static_cast<double>(ns)), static_cast<double>(ns) / 16.0) << ns;
  }
}

TEST(Histogram, KeepsWhatIsOutOfRangeInItsEnds) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.quantile_ns(0), Histogram::min_ns);
  EXPECT_GT(histogram.quantile_ns(1), Histogram::max_ns / 10 * 9);
}

TEST(Histogram, WeighsARunByItsElements) {
  Histogram histogram;
  histogram.record(1'000, 99);
  histogram.record(1'000'000, 1);
  EXPECT_LT(histogram.quantile_ns(0.5), 1'100U);
  EXPECT_LT(histogram.quantile_ns(0.99), 1'100U);
  EXPECT_GT(histogram.quantile_ns(1.0), 900'000U);
}

TEST(Histogram, TellsHowManyWereAtOrBelowEachBound) {
  Histogram histogram;
  histogram.record(90);
  histogram.record(1'500, 3);
  histogram.record(60'000'000'000);
  const LatencyCounts counts = histogram.counts();
  EXPECT_EQ(LatencyCounts::bounds_ns.front(), 100U);
  EXPECT_EQ(LatencyCounts::bounds_ns.back(), Histogram::max_ns);
  EXPECT_EQ(counts.count, 5U);
  EXPECT_EQ(counts.at_or_below[0], 1U);
  EXPECT_EQ(counts.at_or_below[3], 1U);   // 1 µs
  EXPECT_EQ(counts.at_or_below[4], 4U);   // 2 µs
  EXPECT_EQ(counts.at_or_below[23], 4U);  // 5 s
  EXPECT_NEAR(static_cast<double>(counts.sum_ns), 10e9 + 4'590, 10e9 / 16);

  LatencyCounts twice = counts;
  twice.add(counts);
  EXPECT_EQ(twice.count, 10U);
  EXPECT_EQ(twice.at_or_below[4], 8U);
  EXPECT_EQ(twice.sum_ns, 2 * counts.sum_ns);
}

}  // namespace
}  // namespace torvyn::observability
