#include "torvyn/config/node_ceilings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "torvyn/config/units.h"

namespace torvyn::config {
namespace {

std::string as_is(std::uint64_t value) { return std::to_string(value); }

template <class Number, class Limit, class Show>
Status bound(std::string_view key, const std::optional<Number>& value, const std::optional<Limit>& ceiling, Show show) {
  if (!value || !ceiling || *value <= *ceiling) return {};
  return fail(ErrorCode::beyond_ceiling,
              fmt::format("`{}` is {}, and this machine allows {} at most", key, show(*value), show(*ceiling)),
              "ask for less, or have the ceiling of the machine's configuration raised");
}

}  // namespace

Status check_ceilings(const NodeConfig& node, const NodeCeilings& ceilings) {
  TORVYN_TRY(bound("max_memory", node.max_memory_bytes, ceilings.max_memory_bytes, format_size));
  TORVYN_TRY(bound("timeout", node.timeout_ns, ceilings.timeout_ns, format_duration));
  TORVYN_TRY(bound("max_cpu", node.max_cpu, ceilings.max_cpu, [](double share) { return fmt::format("{}", share); }));
  TORVYN_TRY(bound("max_log", node.max_log_bytes_per_s, ceilings.max_log_bytes_per_s,
                   [](std::uint64_t bytes) { return format_size(bytes) + "/s"; }));
  TORVYN_TRY(bound("max_handles", node.max_handles, ceilings.max_handles, as_is));
  TORVYN_TRY(bound("max_host_buffers", node.max_host_buffers_bytes, ceilings.max_host_buffers_bytes, format_size));
  if (!ceilings.capabilities) return {};
  for (const Capability& asked : node.grants) {
    const bool allowed =
        std::ranges::any_of(*ceilings.capabilities, [&asked](const Capability& one) { return includes(one, asked); });
    if (allowed) continue;
    return fail(ErrorCode::beyond_ceiling,
                fmt::format("`{}{}{}` may not be granted on this machine", asked.name, asked.scope.empty() ? "" : ":",
                            asked.scope),
                "leave the grant out, or have the ceiling of the machine's configuration raised");
  }
  return {};
}

}  // namespace torvyn::config
