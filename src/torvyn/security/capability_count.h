// How often capabilities were used and refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "torvyn/config/capability.h"

namespace torvyn::security {

struct CapabilityCount {
  std::uint64_t exercises = 0;  // something of it was done
  std::uint64_t denials = 0;    // or refused

  bool operator==(const CapabilityCount&) const = default;
};

// In the order of config::capability_names().
using CapabilityCounts = std::array<CapabilityCount, config::capability_count>;

inline void add(CapabilityCounts& to, const CapabilityCounts& more) noexcept {
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i].exercises += more[i].exercises;
    to[i].denials += more[i].denials;
  }
}

}  // namespace torvyn::security
