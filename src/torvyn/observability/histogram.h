// How long things took, in buckets that grow: 100 ns to 10 s within a few per cent, in fixed memory.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace torvyn::observability {

// How many values were at or below each of these, and their sum: what is told of a histogram outside. Three bounds a decade, from 100 ns to 10 s.
struct LatencyCounts {
  static constexpr std::array<std::uint64_t, 25> bounds_ns = [] {
    std::array<std::uint64_t, 25> bounds{};
    std::uint64_t decade = 100;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      constexpr std::array<std::uint64_t, 3> steps = {1, 2, 5};
      bounds[i] = decade * steps[i % 3];
      if (i % 3 == 2) decade *= 10;
    }
    return bounds;
  }();

  std::array<std::uint64_t, bounds_ns.size()> at_or_below{};
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;  // off by at most 1/32

  // One more run of the same.
  void add(const LatencyCounts& more) noexcept;
};

// Log-linear: 16 steps a doubling, so a quantile is off by at most 1/16. Values below the first bucket or above the last are kept in them.
// Thread: one records at a time; any may read, and sees each bucket whole.
class Histogram {
 public:
  static constexpr std::uint64_t min_ns = 1;
  static constexpr std::uint64_t max_ns = std::uint64_t{10} * 1'000'000'000;

  // Records `count` values of `ns` each.
  void record(std::uint64_t ns, std::uint64_t count = 1) noexcept;

  // The value that the share `q` (0 to 1) of all values is at or below, as the middle of its bucket; 0 where nothing was recorded.
  std::uint64_t quantile_ns(double q) const noexcept;
  std::uint64_t count() const noexcept;
  // A value counts for the bound that the middle of its bucket is at or below.
  LatencyCounts counts() const noexcept;

 private:
  static constexpr int sub_bits = 4;
  static constexpr int sub_count = 1 << sub_bits;
  static constexpr int bucket_count = 34 * sub_count;
  static int bucket_of(std::uint64_t ns) noexcept;
  static std::uint64_t middle_of(int bucket) noexcept;
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
};

}  // namespace torvyn::observability
