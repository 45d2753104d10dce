#include "torvyn/host/reload.h"

#include <algorithm>
#include <system_error>
#include <tuple>

#include "torvyn/connectors/connectors.h"

namespace torvyn::host {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;

namespace {

auto policy_of(const config::ErrorPolicy& policy) {
  return std::tie(policy.invalid_input, policy.unavailable, policy.internal, policy.deadline_exceeded,
                  policy.exhausted);
}

// All of a node but its component.
bool same_node(const NodeConfig& a, const NodeConfig& b) {
  const auto all = [](const NodeConfig& node) {
    return std::tie(node.name, node.interface, node.config, node.settings, node.retries, node.retry_backoff_ns,
                    node.dead_letter, node.on_trap, node.restarts, node.restart_window_ns, node.instances,
                    node.timeout_ns, node.max_memory_bytes, node.max_cpu, node.max_log_bytes_per_s, node.max_handles,
                    node.max_host_buffers_bytes, node.grants);
  };
  return all(a) == all(b) && policy_of(a.on_error) == policy_of(b.on_error);
}

bool same_edge(const EdgeConfig& a, const EdgeConfig& b) {
  const auto all = [](const EdgeConfig& edge) {
    return std::tie(edge.from_node, edge.from_port, edge.to_node, edge.to_port, edge.stream.queue_depth,
                    edge.stream.queue_bytes, edge.stream.full_policy, edge.stream.low_watermark_ratio);
  };
  return all(a) == all(b);
}

bool same_shape(const FlowConfig& a, const FlowConfig& b) {
  const auto all = [](const FlowConfig& flow) {
    return std::tie(flow.timeout_ns, flow.deadline_ns, flow.weight, flow.priority, flow.level, flow.restart_on_failure,
                    flow.restart_backoff_ns, flow.restart_max);
  };
  return all(a) == all(b) && std::ranges::equal(a.nodes, b.nodes, same_node) &&
         std::ranges::equal(a.edges, b.edges, same_edge);
}

bool is_builtin(const NodeConfig& node) { return connectors::find_builtin(node.component) != nullptr; }

}  // namespace

FlowDifference compare(const FlowOrigin& before, const FlowConfig& next, const std::filesystem::path& base_directory) {
  if (!same_shape(before.config, next)) return {.shape = true};
  const FileStamps stamps = stamps_of(next, base_directory);
  FlowDifference difference;
  for (std::size_t i = 0; i < next.nodes.size(); ++i) {
    const NodeConfig& old_node = before.config.nodes[i];
    const NodeConfig& node = next.nodes[i];
    const auto old_stamp = before.stamps.find(node.name);
    const auto stamp = stamps.find(node.name);
    const bool other_file =
        old_stamp != before.stamps.end() && stamp != stamps.end() && old_stamp->second != stamp->second;
    if (old_node.component == node.component && !other_file) continue;
    if (is_builtin(old_node) || is_builtin(node)) return {.shape = true};
    difference.components.push_back(node.name);
  }
  return difference;
}

FileStamps stamps_of(const FlowConfig& flow, const std::filesystem::path& base_directory) {
  FileStamps stamps;
  for (const NodeConfig& node : flow.nodes) {
    if (is_builtin(node)) continue;
    std::error_code error;
    const std::filesystem::path path = base_directory / node.component;
    const std::uint64_t bytes = std::filesystem::file_size(path, error);
    if (error) continue;
    const auto changed = std::filesystem::last_write_time(path, error);
    if (!error) stamps.emplace(node.name, FileStamp(bytes, changed.time_since_epoch().count()));
  }
  return stamps;
}

}  // namespace torvyn::host
