// Keeps a stage to its share of a core.
//
//   CpuShare share(0.25);  // 25 ms of every 100 ms
//   share.enter(clock.monotonic_ns());
//   const std::uint64_t before_ns = thread_cpu_ns();
//   …                      // the call
//   if (share.leave(thread_cpu_ns() - before_ns, clock.monotonic_ns())) rest_until(share.rest_until_ns());
#pragma once

#include <cstdint>

namespace torvyn::reactor {

// Time goes by in windows, and each allows the share's part of it. What a window allows and nobody used is gone with it: after a long idle
// time there is no burst. What a call used beyond is taken from the windows that follow, so that over a second the share holds whatever
// the length of the calls.
// Thread: one at a time.
class CpuShare {
 public:
  // Short, so that rests are short and a flow goes on evenly; long beside the cost of a look at the CPU time.
  static constexpr std::uint64_t window_ns = 100'000'000;
  // A rest lasts so long at most, whatever was used: what a call may take is the call's time limit to say.
  static constexpr std::uint64_t rest_max_ns = 3'600'000'000'000;

  // `share` of a core. Requires: above 0, at most 1.
  explicit CpuShare(double share) noexcept;

  // Before a call. `now_ns` never goes back.
  void enter(std::uint64_t now_ns) noexcept;
  // After it, with the CPU time it took. True: the share is used up until `rest_until_ns`.
  bool leave(std::uint64_t cpu_ns, std::uint64_t now_ns) noexcept;

  // When the next call may come, on the clock of `now_ns`. 0 = at once.
  std::uint64_t rest_until_ns() const noexcept { return rest_until_ns_; }

 private:
  void pass_windows(std::uint64_t now_ns) noexcept;

  std::uint64_t budget_ns_;  // of a window
  std::uint64_t window_began_ns_ = 0;
  std::uint64_t used_ns_ = 0;  // in this window, and before it what no window has paid for
  std::uint64_t rest_until_ns_ = 0;
};

}  // namespace torvyn::reactor
