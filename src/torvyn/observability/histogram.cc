#include "torvyn/observability/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace torvyn::observability {

// Below `sub_count` every value has a bucket of its own; from there on a doubling is cut into `sub_count` equal steps.
int Histogram::bucket_of(std::uint64_t ns) noexcept {
  if (ns < sub_count) return static_cast<int>(ns);
  const int shift = static_cast<int>(std::bit_width(ns)) - 1 - sub_bits;
  const int bucket = (shift + 1) * sub_count + static_cast<int>((ns >> shift) - sub_count);
  return std::min(bucket, bucket_count - 1);
}

std::uint64_t Histogram::middle_of(int bucket) noexcept {
  if (bucket < sub_count) return static_cast<std::uint64_t>(bucket);
  const int shift = bucket / sub_count - 1;
  const std::uint64_t start = static_cast<std::uint64_t>(sub_count + bucket % sub_count) << shift;
  return start + ((std::uint64_t{1} << shift) >> 1);
}

void Histogram::record(std::uint64_t ns, std::uint64_t count) noexcept {
  std::atomic<std::uint64_t>& bucket = buckets_[static_cast<std::size_t>(bucket_of(std::clamp(ns, min_ns, max_ns)))];
  bucket.store(bucket.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t Histogram::quantile_ns(double q) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(q * static_cast<double>(total))));
  std::uint64_t seen = 0;
  for (int bucket = 0; bucket < bucket_count; ++bucket) {
    seen += buckets_[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed);
    if (seen >= rank) return middle_of(bucket);
  }
  return max_ns;
}

}  // namespace torvyn::observability
