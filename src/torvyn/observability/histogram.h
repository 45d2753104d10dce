// How long things took, in buckets that grow: 100 ns to 10 s within a few per cent, in fixed memory.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace torvyn::observability {

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

 private:
  static constexpr int sub_bits = 4;
  static constexpr int sub_count = 1 << sub_bits;
  static constexpr int bucket_count = 34 * sub_count;
  static int bucket_of(std::uint64_t ns) noexcept;
  static std::uint64_t middle_of(int bucket) noexcept;
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
};

}  // namespace torvyn::observability
