#include "torvyn/types/clock.h"

#include <ctime>

namespace torvyn {
namespace {

std::uint64_t read_clock_ns(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

const SystemClock& SystemClock::instance() noexcept {
  static const SystemClock clock;
  return clock;
}

std::uint64_t SystemClock::monotonic_ns() const noexcept { return read_clock_ns(CLOCK_MONOTONIC); }
std::uint64_t SystemClock::wall_ns() const noexcept { return read_clock_ns(CLOCK_REALTIME); }

std::uint64_t thread_cpu_ns() noexcept { return read_clock_ns(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace torvyn
