// What the machine allows a node at most, for nodes that no manifest was checked for: of pipelines, and of flows made in code.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// `[ceilings]`, as far as they bound what a node says of itself. What is not set bounds nothing.
struct NodeCeilings {
  std::optional<std::vector<Capability>> capabilities = {};  // the only ones, at most with these scopes
  std::optional<std::uint64_t> max_memory_bytes = {};
  std::optional<std::uint64_t> timeout_ns = {};
  std::optional<double> max_cpu = {};
  std::optional<std::uint64_t> max_log_bytes_per_s = {};
  std::optional<std::uint64_t> max_handles = {};
  std::optional<std::uint64_t> max_host_buffers_bytes = {};
};

// Errors: E0502 where the node asks for more.
Status check_ceilings(const NodeConfig& node, const NodeCeilings& ceilings);

}  // namespace torvyn::config
