#include "torvyn/host/host.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/connectors/connectors.h"
#include "torvyn/engine/engine.h"
#include "torvyn/linker/linker.h"
#include "torvyn/reactor/component_stage.h"
#include "torvyn/reactor/flow_driver.h"
#include "torvyn/types/clock.h"

namespace torvyn::host {

using contracts::Contract;
using contracts::Role;
using observability::FlowReport;
using observability::FlowState;

namespace {

// Slots of the instance pool for one process: every slot reserves address space, and the kernel counts mappings.
constexpr std::uint32_t pooled_instances_max = 256;

template <std::size_t Bytes>
HexId<Bytes> random_id() {
  std::random_device device;
  std::array<std::uint8_t, Bytes> bytes{};
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return HexId<Bytes>(bytes);
}

// Calls once after a while, unless it is destroyed before.
class Timer {
 public:
  template <class Callback>
  Timer(std::uint64_t after_ns, Callback callback)
      : thread_([this, after_ns, callback] {
          std::unique_lock lock(mutex_);
          const bool cancelled =
              ended_.wait_for(lock, std::chrono::nanoseconds(after_ns), [this] { return cancelled_; });
          if (!cancelled) callback();
        }) {}
  ~Timer() {
    {
      const std::scoped_lock lock(mutex_);
      cancelled_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool cancelled_ = false;
  std::thread thread_;
};

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

class FlowRunOnDriver final : public FlowRun {
 public:
  FlowRunOnDriver(std::unique_ptr<reactor::Interrupt> interrupt, reactor::FlowPlan plan,
                  const resources::BufferPool& pool, std::optional<std::uint64_t> timeout_ns)
      : interrupt_(std::move(interrupt)),
        driver_(std::move(plan), SystemClock::instance(), *interrupt_),
        pool_(pool),
        timeout_ns_(timeout_ns) {}

  FlowReport run() override {
    std::optional<Timer> timer;
    if (timeout_ns_) timer.emplace(*timeout_ns_, [this] { request_stop(StopReason::timeout); });
    FlowReport report = driver_.run();
    report.pools = pool_.stats();
    return report;
  }

  void request_stop(StopReason reason) noexcept override {
    driver_.request_stop(reason == StopReason::timeout ? FlowState::limited : FlowState::interrupted);
  }

  observability::FlowProgress progress() const noexcept override { return driver_.progress(); }

 private:
  std::unique_ptr<reactor::Interrupt> interrupt_;
  reactor::FlowDriver driver_;
  const resources::BufferPool& pool_;
  std::optional<std::uint64_t> timeout_ns_;
};

class HostOverEngine final : public Host {
 public:
  HostOverEngine(const HostOptions& options, std::unique_ptr<engine::Engine> engine,
                 std::unique_ptr<resources::BufferPool> pool)
      : options_(options), pool_(std::move(pool)), engine_(std::move(engine)) {}

  Result<std::unique_ptr<FlowRun>> prepare(const config::FlowConfig& flow, const RunLimits& limits) override {
    TORVYN_LET(const linker::LinkedFlow linked,
               linker::link_flow(flow, *engine_, builtin_catalog(), options_.base_directory));
    auto interrupt = std::make_unique<reactor::Interrupt>();
    reactor::FlowPlan plan;
    plan.name = flow.name;
    plan.max_batch = options_.runtime.max_batch;
    plan.max_batch_bytes = options_.runtime.max_batch_bytes;
    plan.elements_max = limits.elements_max;
    plan.errors_max = limits.errors_max;
    const TraceId trace_id = random_id<16>();
    for (const linker::LinkedNode& node : linked.nodes) {
      Result<std::unique_ptr<reactor::Stage>> stage =
          node.component == nullptr ? builtin_stage(node, *interrupt) : component_stage(flow, node, trace_id);
      if (!stage) return fail(std::move(stage).error().at_node(flow.name, node.config->name, node.config->component));
      plan.stages.push_back({.stage = *std::move(stage),
                             .role = node.role,
                             .node = node.config->name,
                             .component = component_name(node),
                             .contract = contract_name(node),
                             .on_error = node.config->on_error});
    }
    const std::optional<std::uint64_t> timeout_ns = limits.timeout_ns ? limits.timeout_ns : flow.timeout_ns;
    return std::make_unique<FlowRunOnDriver>(std::move(interrupt), std::move(plan), *pool_, timeout_ns);
  }

 private:
  static std::string component_name(const linker::LinkedNode& node) {
    const std::string& name = node.config->component;
    if (node.component != nullptr || name.starts_with("builtin:")) return name;
    return "builtin:" + name;
  }

  static std::string contract_name(const linker::LinkedNode& node) {
    if (node.component == nullptr) return {};
    return node.contract == Contract::batch ? "batch" : "element";
  }

  Result<std::unique_ptr<reactor::Stage>> builtin_stage(const linker::LinkedNode& node, reactor::Interrupt& interrupt) {
    const connectors::ConnectorContext context{.pool = pool_.get(),
                                               .content_types = &content_types_,
                                               .clock = &SystemClock::instance(),
                                               .interrupt = &interrupt,
                                               .base_directory = options_.base_directory,
                                               .max_buffer_bytes = options_.runtime.max_buffer_size_bytes,
                                               .stdin_fd = options_.stdin_fd,
                                               .stdout_fd = options_.stdout_fd};
    const auto position = node.role == Role::source ? connectors::Position::source : connectors::Position::sink;
    return connectors::make_builtin(*node.config, position, context);
  }

  Result<std::unique_ptr<reactor::Stage>> component_stage(const config::FlowConfig& flow,
                                                          const linker::LinkedNode& node, const TraceId& trace_id) {
    const config::RuntimeConfig& runtime = options_.runtime;
    engine::InstanceOptions instance;
    instance.flow = flow.name;
    instance.node = node.config->name;
    instance.role = node.role;
    instance.contract = node.contract;
    instance.pool = pool_.get();
    instance.content_types = &content_types_;
    instance.events = options_.events;
    instance.clock = &SystemClock::instance();
    instance.max_memory_bytes = node.config->max_memory_bytes.value_or(runtime.max_memory_per_component_bytes);
    instance.holdings = {.handles = runtime.max_handles, .buffer_bytes = runtime.max_host_buffers_bytes};
    instance.max_log_bytes_per_s = runtime.max_log_bytes_per_s;
    instance.call_timeout_ns = node.config->timeout_ns.value_or(runtime.invocation_timeout_ns);
    instance.init_timeout_ns = runtime.component_init_timeout_ns;
    instance.teardown_timeout_ns = runtime.component_teardown_timeout_ns;
    instance.trace_id = trace_id;
    instance.span_id = random_id<8>();
    return std::make_unique<reactor::ComponentStage>(node.component, std::move(instance), node.config->config);
  }

  HostOptions options_;
  std::unique_ptr<resources::BufferPool> pool_;
  resources::ContentTypes content_types_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace

Result<std::unique_ptr<Host>> Host::create(const HostOptions& options) {
  const config::RuntimeConfig& runtime = options.runtime;
  const resources::PoolOptions pools{
      .kept = {runtime.pools.small_pool_size, runtime.pools.medium_pool_size, runtime.pools.large_pool_size,
               runtime.pools.huge_pool_size},
      .max_buffer_bytes = runtime.max_buffer_size_bytes,
      .fallback_alloc = runtime.pools.fallback_alloc,
  };
  TORVYN_LET(std::unique_ptr<resources::BufferPool> pool, resources::BufferPool::create(pools));
  engine::EngineOptions engine_options;
  engine_options.max_instances = std::min(runtime.max_instances, pooled_instances_max);
  engine_options.events = options.events;
  if (runtime.compile_cache) engine_options.cache_directory = options.cache_directory;
  TORVYN_LET(std::unique_ptr<engine::Engine> engine, engine::WasmEngine::create(engine_options));
  return std::make_unique<HostOverEngine>(options, std::move(engine), std::move(pool));
}

}  // namespace torvyn::host
