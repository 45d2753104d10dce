// Time as a value that tests can own.
#pragma once

#include <atomic>
#include <cstdint>

namespace torvyn {

// Nanoseconds. `monotonic_ns` never goes backwards and counts from an arbitrary point; `wall_ns` is Unix time.
// Thread: all members may be called from any thread at once.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t monotonic_ns() const noexcept = 0;
  virtual std::uint64_t wall_ns() const noexcept = 0;

 protected:
  Clock() = default;
  Clock(const Clock&) = default;
  Clock& operator=(const Clock&) = default;
};

// The machine's clocks. Stateless: the one instance outlives everything.
class SystemClock final : public Clock {
 public:
  static const SystemClock& instance() noexcept;
  std::uint64_t monotonic_ns() const noexcept override;
  std::uint64_t wall_ns() const noexcept override;
};

// The CPU time that the calling thread has used, in nanoseconds: time in which it was ready but others ran is not in it. A system call.
std::uint64_t thread_cpu_ns() noexcept;

// A clock that stands still until it is told. Shipped, because what depends on time is easy to test with it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::uint64_t wall_start_ns = 0) noexcept : wall_start_ns_(wall_start_ns) {}
  void advance_ns(std::uint64_t ns) noexcept { now_ns_.fetch_add(ns, std::memory_order_relaxed); }
  std::uint64_t monotonic_ns() const noexcept override { return now_ns_.load(std::memory_order_relaxed); }
  std::uint64_t wall_ns() const noexcept override { return wall_start_ns_ + monotonic_ns(); }

 private:
  std::uint64_t wall_start_ns_;
  std::atomic<std::uint64_t> now_ns_{0};
};

}  // namespace torvyn
