#include "torvyn/reactor/cpu_share.h"

#include <algorithm>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

CpuShare::CpuShare(double share) noexcept
    : budget_ns_(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share * static_cast<double>(window_ns)))) {
  TORVYN_ASSERT(share > 0 && share <= 1, "a share of a core that is none");
}

void CpuShare::pass_windows(std::uint64_t now_ns) noexcept {
  const std::uint64_t passed = (now_ns - window_began_ns_) / window_ns;
  window_began_ns_ += passed * window_ns;
  // Without a product that could overflow.
  used_ns_ = used_ns_ / budget_ns_ < passed ? 0 : used_ns_ - passed * budget_ns_;
}

void CpuShare::enter(std::uint64_t now_ns) noexcept { pass_windows(now_ns); }

bool CpuShare::leave(std::uint64_t cpu_ns, std::uint64_t now_ns) noexcept {
  used_ns_ += cpu_ns;
  pass_windows(now_ns);
  // As many windows as it takes until there is something left of one.
  const std::uint64_t windows = std::min(used_ns_ / budget_ns_, rest_max_ns / window_ns);
  rest_until_ns_ = windows == 0 ? 0 : window_began_ns_ + windows * window_ns;
  return windows != 0;
}

}  // namespace torvyn::reactor
