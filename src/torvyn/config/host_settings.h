// The settings of what surrounds the runtime, with their defaults: what is observed, who may do what, where logs go. Sizes in bytes,
// times in nanoseconds. What each means is in docs/configuration.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::config {

enum class TracingExporter : std::uint8_t { otlp_http, stdout_lines, file, none };

// `[observability]`.
struct ObservabilityConfig {
  ObservabilityLevel level = ObservabilityLevel::production;
  bool tracing_enabled = true;
  TracingExporter tracing_exporter = TracingExporter::none;
  std::string tracing_endpoint;
  double sample_rate = 0.01;
  bool error_promote = true;
  std::uint64_t latency_promote_threshold_ns = 10 * ms_in_ns;
  bool metrics_enabled = true;
  bool prometheus_enabled = true;
  bool otlp_metrics_enabled = false;
  std::uint64_t otlp_metrics_interval_ns = 15 * s_in_ns;
  std::uint32_t ring_buffer_capacity = 64;  // spans a flow
  std::string listen;                       // "HOST:PORT"; empty = nowhere

  bool operator==(const ObservabilityConfig&) const = default;
};

// `[api]`.
struct ApiConfig {
  std::uint32_t socket_mode = 0600;
  std::string socket_group;  // empty = the process's
  std::string listen;        // "HOST:PORT"; empty = the socket alone. Beyond loopback there is a `token_file`
  std::string token_file;
  std::string tls_cert;  // both of these or none
  std::string tls_key;

  bool operator==(const ApiConfig&) const = default;
};

enum class LogFormat : std::uint8_t { automatic, human, json };

// `[log]`.
struct LogConfig {
  LogFormat format = LogFormat::automatic;
  std::string target = "stderr";
  Severity filter = Severity::info;

  bool operator==(const LogConfig&) const = default;
};

enum class AuditTarget : std::uint8_t { file, stdout_lines, event_sink };

// `[security.grants.COMPONENT]`.
struct ComponentGrants {
  std::string component;  // its name in the manifest, its file's name or its digest
  std::vector<Capability> capabilities;
  SourceLocation where;  // of the table

  bool operator==(const ComponentGrants& other) const {
    return component == other.component && capabilities == other.capabilities;
  }
};

// `[security]`. What is not granted is denied: there is no other policy.
struct SecurityConfig {
  std::vector<Capability> default_grants = {{"clocks", ""}, {"random", ""}};
  bool strict_imports = false;
  bool audit_enabled = true;
  AuditTarget audit_target = AuditTarget::file;
  std::string audit_path;  // empty = one in the state folder
  std::uint64_t audit_size_bytes = 64 * mib;
  std::uint32_t audit_keep = 8;
  bool audit_stops_on_failure = false;  // `audit_on_failure`
  std::vector<ComponentGrants> grants;

  bool operator==(const SecurityConfig&) const = default;
};

// `[registry]`.
struct RegistryConfig {
  std::string default_registry;  // `default`; empty = none

  bool operator==(const RegistryConfig&) const = default;
};

}  // namespace torvyn::config
