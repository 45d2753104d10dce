// Metrics in Prometheus' text format, with the names of docs/metrics.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "torvyn/observability/flow_report.h"
#include "torvyn/resources/buffer_pool.h"

namespace torvyn::observability {

// What holds for the process, whatever flows there are.
struct SystemMetrics {
  std::uint64_t flows_active = 0;
  std::uint64_t components_active = 0;  // instances of WebAssembly components in flows that run
  std::uint64_t memory_bytes = 0;       // of guests
  std::uint64_t scheduler_wakeups = 0;
  std::uint64_t scheduler_idle_ns = 0;
  resources::PoolStats pools;
};

// The media type of what is written.
inline constexpr const char* prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

// Of each flow, the report of its last run; no two of a name. Counters begin anew with every run, as counters may.
std::string prometheus_text(std::span<const FlowReport> flows, const SystemMetrics& system);

}  // namespace torvyn::observability
