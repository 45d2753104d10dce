#include "torvyn/config/settings_reader.h"

#include <fmt/format.h>

#include "torvyn/config/fields.h"
#include "torvyn/config/names.h"

namespace torvyn::config {
namespace {

constexpr Choice<TracingExporter> tracing_exporters[] = {
    {"otlp-http", TracingExporter::otlp_http},
    {"stdout", TracingExporter::stdout_lines},
    {"file", TracingExporter::file},
    {"none", TracingExporter::none},
};
constexpr Choice<LogFormat> log_formats[] = {
    {"auto", LogFormat::automatic},
    {"human", LogFormat::human},
    {"json", LogFormat::json},
};
constexpr Choice<Severity> severities[] = {
    {"trace", Severity::trace}, {"debug", Severity::debug}, {"info", Severity::info},
    {"warn", Severity::warn},   {"error", Severity::error},
};
constexpr Choice<AuditTarget> audit_targets[] = {
    {"file", AuditTarget::file},
    {"stdout", AuditTarget::stdout_lines},
    {"event-sink", AuditTarget::event_sink},
};

void read_pools(const Value& table, PoolConfig& pools) {
  read_quantity(table, "small_pool_size", pools.small_pool_size);
  read_quantity(table, "medium_pool_size", pools.medium_pool_size);
  read_quantity(table, "large_pool_size", pools.large_pool_size);
  read_quantity(table, "huge_pool_size", pools.huge_pool_size);
  if (const Value* policy = table.find("exhaustion_policy")) pools.fallback_alloc = policy->text == "fallback-alloc";
}

void read_runtime(const Value& table, RuntimeConfig& runtime) {
  read_quantity(table, "worker_threads", runtime.worker_threads);
  read_quantity(table, "max_memory_per_component", runtime.max_memory_per_component_bytes);
  read_quantity(table, "max_memory", runtime.max_memory_bytes);
  read_quantity(table, "max_instances", runtime.max_instances);
  read_number(table, "max_cpu", runtime.max_cpu);
  read_quantity(table, "max_log", runtime.max_log_bytes_per_s);
  read_quantity(table, "max_handles", runtime.max_handles);
  read_quantity(table, "max_host_buffers", runtime.max_host_buffers_bytes);
  read_quantity(table, "fuel_per_invocation", runtime.fuel_per_invocation);
  read_quantity(table, "invocation_timeout", runtime.invocation_timeout_ns);
  read_quantity(table, "component_init_timeout", runtime.component_init_timeout_ns);
  read_quantity(table, "component_teardown_timeout", runtime.component_teardown_timeout_ns);
  read_quantity(table, "drain_timeout", runtime.drain_timeout_ns);
  read_quantity(table, "max_batch", runtime.max_batch);
  read_quantity(table, "max_batch_bytes", runtime.max_batch_bytes);
  read_quantity(table, "compile_cache", runtime.compile_cache);
  if (const Value* backpressure = table.find("backpressure"))
    read_stream(*backpressure, "default_queue_depth", runtime.backpressure);
  if (const Value* pools = table.find("pools")) read_pools(*pools, runtime.pools);
}

void read_observability(const Value& table, ObservabilityConfig& observability) {
  read_choice(table, "level", observability_levels, observability.level);
  read_quantity(table, "tracing_enabled", observability.tracing_enabled);
  read_choice(table, "tracing_exporter", tracing_exporters, observability.tracing_exporter);
  read_text(table, "tracing_endpoint", observability.tracing_endpoint);
  read_number(table, "sample_rate", observability.sample_rate);
  read_quantity(table, "error_promote", observability.error_promote);
  read_quantity(table, "latency_promote_threshold", observability.latency_promote_threshold_ns);
  read_quantity(table, "metrics_enabled", observability.metrics_enabled);
  read_quantity(table, "prometheus_enabled", observability.prometheus_enabled);
  read_quantity(table, "otlp_metrics_enabled", observability.otlp_metrics_enabled);
  read_quantity(table, "otlp_metrics_interval", observability.otlp_metrics_interval_ns);
  read_quantity(table, "ring_buffer_capacity", observability.ring_buffer_capacity);
  read_text(table, "listen", observability.listen);
}

Status read_api(const Document& document, const Value& table, ApiConfig& api) {
  read_quantity(table, "socket_mode", api.socket_mode);
  read_text(table, "socket_group", api.socket_group);
  read_text(table, "listen", api.listen);
  read_text(table, "token_file", api.token_file);
  read_text(table, "tls_cert", api.tls_cert);
  read_text(table, "tls_key", api.tls_key);
  if (!api.listen.empty() && !is_loopback(api.listen) && api.token_file.empty()) {
    return fail(
        document.error(ErrorCode::out_of_range,
                       fmt::format("`{}` can be reached from other machines, and there is no token", api.listen),
                       R"(add token_file = "…" to [api], or listen = "127.0.0.1:PORT")", table.find("listen")->place));
  }
  if (api.tls_cert.empty() != api.tls_key.empty()) {
    const bool has_cert = !api.tls_cert.empty();
    return fail(document.error(ErrorCode::out_of_range,
                               fmt::format("there is a `{}` and no `{}`", has_cert ? "tls_cert" : "tls_key",
                                           has_cert ? "tls_key" : "tls_cert"),
                               "TLS needs both", table.find(has_cert ? "tls_cert" : "tls_key")->place));
  }
  return {};
}

void read_log(const Value& table, LogConfig& log) {
  read_choice(table, "format", log_formats, log.format);
  read_text(table, "target", log.target);
  read_choice(table, "filter", severities, log.filter);
}

void read_security(const Document& document, const Value& table, SecurityConfig& security) {
  read_capabilities(table, "default_grants", security.default_grants);
  read_quantity(table, "strict_imports", security.strict_imports);
  read_quantity(table, "audit_enabled", security.audit_enabled);
  read_choice(table, "audit_target", audit_targets, security.audit_target);
  read_text(table, "audit_path", security.audit_path);
  read_quantity(table, "audit_size", security.audit_size_bytes);
  read_quantity(table, "audit_keep", security.audit_keep);
  if (const Value* action = table.find("audit_on_failure")) security.audit_stops_on_failure = action->text == "stop";
  const Value* const grants = table.find("grants");
  if (grants == nullptr) return;
  for (const Entry& entry : grants->entries) {
    ComponentGrants granted{.component = entry.key, .capabilities = {}, .where = document.at(entry.place)};
    read_capabilities(entry.value, "capabilities", granted.capabilities);
    security.grants.push_back(std::move(granted));
  }
}

}  // namespace

Status read_settings(const Document& document, Manifest& manifest) {
  const Value& root = document.root;
  if (const Value* table = root.find("runtime")) read_runtime(*table, manifest.runtime);
  if (const Value* capabilities = root.find("capabilities")) {
    if (const Value* asked = capabilities->find("torvyn"))
      read_quantity(*asked, "max-buffer-size", manifest.runtime.max_buffer_size_bytes);
  }
  if (const Value* table = root.find("observability")) read_observability(*table, manifest.observability);
  if (const Value* table = root.find("api")) TORVYN_TRY(read_api(document, *table, manifest.api));
  if (const Value* table = root.find("log")) read_log(*table, manifest.log);
  if (const Value* table = root.find("security")) read_security(document, *table, manifest.security);
  if (const Value* table = root.find("registry")) read_text(*table, "default", manifest.registry.default_registry);
  return {};
}

void join_memory_limits(Document& document) {
  const Value* const capabilities = document.root.find("capabilities");
  const Value* const torvyn = capabilities == nullptr ? nullptr : capabilities->find("torvyn");
  const Value* const asked = torvyn == nullptr ? nullptr : torvyn->find("max-memory");
  if (asked == nullptr) return;
  const Value limit = *asked;  // what follows may move it
  Value& runtime = table_in(document.root, "runtime", limit.place);
  if (Value* const allowed = runtime.find("max_memory_per_component")) {
    if (limit.quantity < allowed->quantity) *allowed = limit;
  } else {
    runtime.entries.push_back({"max_memory_per_component", limit.place, limit});
  }
}

}  // namespace torvyn::config
