// Capabilities as they are written in a manifest.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "torvyn/types/error.h"

namespace torvyn::config {

// What a component may be allowed to do, and how far: `filesystem-read:/data/input`.
struct Capability {
  std::string name;   // one of capability_names()
  std::string scope;  // behind the colon; empty = all there is

  bool operator==(const Capability&) const = default;
};

inline constexpr std::size_t capability_count = 21;

// All that there are, in the order of the documentation. Lives as long as the program.
std::span<const std::string_view> capability_names() noexcept;

// Reads `name`, `name:scope` and WASI's spelling, `wasi:filesystem/read:/data/input`.
// Errors: E0702, with the nearest name.
Result<Capability> parse_capability(std::string_view text);

// Whether who may do `allowed` may do `asked`: the same capability, and the same scope, or all of it. Of the filesystem, a folder has
// what is in it. What a scope of another capability includes (a pattern of hosts another) is not tried to be told here: no.
bool includes(const Capability& allowed, const Capability& asked);

}  // namespace torvyn::config
