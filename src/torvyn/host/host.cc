#include "torvyn/host/host.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "torvyn/connectors/connectors.h"
#include "torvyn/host/host_life.h"
#include "torvyn/host/shared.h"
#include "torvyn/security/audit_log.h"

namespace torvyn::host {
namespace {

// Cores this process may use.
std::uint32_t usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

// About as long as it takes to put a thread to sleep and to wake it again: some ten microseconds.
constexpr std::uint32_t looks_of_parallel_stages = 500;

// Null where none is kept: it is switched off, or goes to a file and nobody has said which.
Result<std::unique_ptr<security::AuditLog>> open_audit_log(const HostOptions& options) {
  const config::SecurityConfig& security = options.security;
  const bool to_file = security.audit_target == config::AuditTarget::file;
  if (!security.audit_enabled || (to_file && security.audit_path.empty())) return nullptr;
  TORVYN_LET(std::unique_ptr<security::AuditLog> log,
             security::AuditLog::open({.target = security.audit_target,
                                       .path = options.base_directory / security.audit_path,
                                       .size_bytes = security.audit_size_bytes,
                                       .keep = security.audit_keep,
                                       .stops_on_failure = security.audit_stops_on_failure,
                                       .stdout_fd = options.stdout_fd,
                                       .events = options.events}));
  log->set_tells_uses(options.level == config::ObservabilityLevel::diagnostic);
  return log;
}

}  // namespace

linker::BuiltinCatalog builtin_catalog() {
  linker::BuiltinCatalog catalog;
  catalog.find = [](std::string_view name) -> std::optional<linker::BuiltinRoles> {
    const connectors::BuiltinInfo* info = connectors::find_builtin(name);
    if (info == nullptr) return std::nullopt;
    return linker::BuiltinRoles{.source = info->positions.source, .sink = info->positions.sink};
  };
  for (const connectors::BuiltinInfo& info : connectors::builtins()) catalog.names.push_back(info.name);
  return catalog;
}

Result<std::unique_ptr<Host>> Host::create(const HostOptions& options) {
  const config::RuntimeConfig& runtime = options.runtime;
  const resources::PoolOptions pools{
      .kept = {runtime.pools.small_pool_size, runtime.pools.medium_pool_size, runtime.pools.large_pool_size,
               runtime.pools.huge_pool_size},
      .max_buffer_bytes = runtime.max_buffer_size_bytes,
      .fallback_alloc = runtime.pools.fallback_alloc,
  };
  auto shared = std::make_unique<Shared>(options);
  TORVYN_LET(shared->pool, resources::BufferPool::create(pools));
  TORVYN_LET(shared->audit, open_audit_log(shared->options));
  engine::EngineOptions engine_options;
  engine_options.max_memory_bytes = runtime.max_memory_bytes.value_or(0);
  engine_options.max_instances = std::min(runtime.max_instances, config::pooled_instances_max);
  engine_options.events = shared->options.events;
  if (runtime.compile_cache) engine_options.cache_directory = options.cache_directory;
  TORVYN_LET(shared->engine, engine::WasmEngine::create(engine_options));
  std::uint32_t workers = runtime.worker_threads == 0 ? usable_cores() : runtime.worker_threads;
  if (options.callers_drive) workers = 0;
  // Where they take turns, looking holds up the one that is looked for.
  if (std::min(workers, usable_cores()) > 1) shared->looks = looks_of_parallel_stages;
  shared->scheduler = std::make_unique<reactor::Scheduler>(reactor::SchedulerOptions{.worker_threads = workers});
  return make_host(std::move(shared));
}

}  // namespace torvyn::host
