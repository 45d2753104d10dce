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

LatencyCounts Histogram::counts() const noexcept {
  LatencyCounts counts;
  std::size_t bound = 0;
  for (int bucket = 0; bucket < bucket_count; ++bucket) {
    const std::uint64_t middle_ns = middle_of(bucket);
    for (; bound < LatencyCounts::bounds_ns.size() && LatencyCounts::bounds_ns[bound] < middle_ns; ++bound)
      counts.at_or_below[bound] = counts.count;
    const std::uint64_t values = buckets_[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed);
    counts.count += values;
    counts.sum_ns += values * middle_ns;
  }
  for (; bound < LatencyCounts::bounds_ns.size(); ++bound) counts.at_or_below[bound] = counts.count;
  return counts;
}

void LatencyCounts::add(const LatencyCounts& more) noexcept {
  for (std::size_t i = 0; i < at_or_below.size(); ++i) at_or_below[i] += more.at_or_below[i];
  count += more.count;
  sum_ns += more.sum_ns;
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
