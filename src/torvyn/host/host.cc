#include "torvyn/host/host.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <iterator>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/config/references.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/engine/engine.h"
#include "torvyn/host/masked_events.h"
#include "torvyn/linker/linker.h"
#include "torvyn/reactor/component_stage.h"
#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/scheduler.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/clock.h"

namespace torvyn::host {

using contracts::Contract;
using contracts::Role;
using observability::FlowReport;
using observability::FlowState;

namespace {

// Slots of the instance pool for one process: each reserves 4 GiB of address space, so this many take a quarter of it. What is not used
// costs nothing: a host with this many starts as fast as one with a few.
constexpr std::uint32_t pooled_instances_max = 8192;

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

reactor::StreamBounds bounds_of(const config::StreamConfig* stream, const config::RuntimeConfig& runtime) {
  const config::BackpressureConfig& otherwise = runtime.backpressure;
  const config::StreamConfig nothing;
  const config::StreamConfig& said = stream == nullptr ? nothing : *stream;
  // Where nothing is said, a stream has room for a whole run.
  std::uint32_t depth = otherwise.queue_depth;
  if (depth == config::BackpressureConfig{}.queue_depth) depth = std::max(depth, runtime.max_batch);
  return {.depth = said.queue_depth.value_or(depth),
          .bytes = said.queue_bytes.value_or(otherwise.queue_bytes),
          .low_watermark_ratio = said.low_watermark_ratio.value_or(otherwise.low_watermark_ratio),
          .full_policy = said.full_policy.value_or(otherwise.full_policy)};
}

reactor::FailurePolicy failure_policy(const linker::LinkedNode& node) {
  const config::NodeConfig& config = *node.config;
  reactor::FailurePolicy policy{.on_error = config.on_error,
                                .retries = config.retries,
                                .retry_backoff_ns = config.retry_backoff_ns,
                                .on_trap = config.on_trap,
                                .restarts = config.restarts,
                                .restart_window_ns = config.restart_window_ns};
  if (node.dead_letter_port) policy.dead_letter_port = static_cast<std::uint16_t>(*node.dead_letter_port);
  return policy;
}

std::string component_name(const linker::LinkedNode& node) {
  const std::string& name = node.config->component;
  if (node.component != nullptr || name.starts_with("builtin:")) return name;
  return "builtin:" + name;
}

std::string contract_name(const linker::LinkedNode& node) {
  if (node.component == nullptr) return {};
  return node.contract == Contract::batch ? "batch" : "element";
}

// What all flows of a host share.
struct Shared {
  explicit Shared(const HostOptions& given) : options(given) {}

  HostOptions options;
  std::unique_ptr<resources::BufferPool> pool;
  resources::ContentTypes content_types;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<reactor::Scheduler> scheduler;  // last: its threads end first
};

// A definition becomes a plan: as often as the flow is started.
class FlowMaker {
 public:
  FlowMaker(Shared& shared, const config::FlowConfig& flow, const RunLimits& limits)
      : shared_(shared), flow_(flow), limits_(limits), trace_id_(random_id<16>()) {}

  // Fills in what the settings refer to, and links.
  Status link() {
    std::vector<config::FilledReference> filled;
    for (config::NodeConfig& node : flow_.nodes) {
      TORVYN_LET(std::vector<config::FilledReference> more,
                 config::fill_references(node, shared_.options.base_directory, config::process_variable));
      std::ranges::move(more, std::back_inserter(filled));
    }
    if (!filled.empty()) masked_events_.emplace(*shared_.options.events, std::move(filled));
    TORVYN_LET(linked_, linker::link_flow(flow_, *shared_.engine, builtin_catalog(), shared_.options.base_directory));
    return {};
  }

  // The same without what was filled in.
  Error masked(Error error) const {
    if (!masked_events_) return error;
    return config::masked(std::move(error), masked_events_->filled());
  }
  FlowReport masked(FlowReport report) const {
    if (report.error) report.error = masked(*std::move(report.error));
    for (Error& error : report.skipped) error = masked(std::move(error));
    return report;
  }

  const config::FlowConfig& flow() const noexcept { return flow_; }
  linker::LinkedFlow& linked() noexcept { return linked_; }
  std::optional<std::uint64_t> timeout_ns() const { return limits_.timeout_ns ? limits_.timeout_ns : flow_.timeout_ns; }

  Result<reactor::FlowPlan> plan(reactor::Interrupt& interrupt) {
    const config::RuntimeConfig& runtime = shared_.options.runtime;
    reactor::FlowPlan plan;
    plan.name = flow_.name;
    plan.max_batch = runtime.max_batch;
    plan.max_batch_bytes = runtime.max_batch_bytes;
    plan.elements_max = limits_.elements_max;
    plan.errors_max = limits_.errors_max;
    plan.timeout_ns = timeout_ns();
    plan.deadline_ns = flow_.deadline_ns;
    plan.content_types = &shared_.content_types;
    for (const linker::LinkedNode& node : linked_.nodes) {
      reactor::PlannedStage planned;
      Result<std::vector<std::unique_ptr<reactor::Stage>>> stages = make_stages(node, interrupt);
      if (!stages)
        return fail(std::move(stages).error().at_node(flow_.name, node.config->name, node.config->component));
      planned.stage = std::move(stages->front());
      std::move(stages->begin() + 1, stages->end(), std::back_inserter(planned.more));
      planned.role = node.role;
      planned.node = node.config->name;
      planned.component = component_name(node);
      planned.contract = contract_name(node);
      if (!node.ports.empty()) planned.ports = node.ports;
      planned.failure = failure_policy(node);
      plan.stages.push_back(std::move(planned));
    }
    for (const linker::LinkedEdge& edge : linked_.edges)
      plan.edges.push_back({.from = edge.from,
                            .to = edge.to,
                            .port = static_cast<std::uint16_t>(edge.port),
                            .bounds = bounds_of(edge.stream, runtime)});
    return plan;
  }

  // As many as the node has instances.
  Result<std::vector<std::unique_ptr<reactor::Stage>>> make_stages(const linker::LinkedNode& node,
                                                                   reactor::Interrupt& interrupt) {
    std::vector<std::unique_ptr<reactor::Stage>> stages;
    if (node.component == nullptr) {
      TORVYN_LET(std::unique_ptr<reactor::Stage> stage, builtin_stage(node, interrupt));
      stages.push_back(std::move(stage));
      return stages;
    }
    const HostOptions& options = shared_.options;
    TORVYN_LET(const security::Sandbox sandbox,
               security::make_sandbox(security::grants_of(options.security, *node.config, {}), options.base_directory,
                                      config::process_variable));
    for (const config::Capability& grant : sandbox.grants)
      if (!security::opens_something(grant.name))
        options.events->event(Severity::warn, "W0700", node.config->name,
                              "the grant of `" + grant.name + "` has no effect: this version opens nothing for it");
    for (std::uint32_t i = 0; i < node.config->instances; ++i) stages.push_back(component_stage(node, sandbox));
    return stages;
  }

 private:
  Result<std::unique_ptr<reactor::Stage>> builtin_stage(const linker::LinkedNode& node, reactor::Interrupt& interrupt) {
    const HostOptions& options = shared_.options;
    const connectors::ConnectorContext context{.pool = shared_.pool.get(),
                                               .content_types = &shared_.content_types,
                                               .clock = &SystemClock::instance(),
                                               .interrupt = &interrupt,
                                               .base_directory = options.base_directory,
                                               .max_buffer_bytes = options.runtime.max_buffer_size_bytes,
                                               .stdin_fd = options.stdin_fd,
                                               .stdout_fd = options.stdout_fd};
    const auto position = node.role == Role::source ? connectors::Position::source : connectors::Position::sink;
    return connectors::make_builtin(*node.config, position, context);
  }

  std::unique_ptr<reactor::Stage> component_stage(const linker::LinkedNode& node, const security::Sandbox& sandbox) {
    const config::RuntimeConfig& runtime = shared_.options.runtime;
    engine::InstanceOptions instance;
    instance.flow = flow_.name;
    instance.node = node.config->name;
    instance.role = node.role;
    instance.contract = node.contract;
    if (!node.ports.empty()) {
      instance.ports = node.ports;
      // The way of dead letters is not the component's to take.
      if (node.dead_letter_port)
        instance.ports.erase(instance.ports.begin() + static_cast<std::ptrdiff_t>(*node.dead_letter_port));
    }
    instance.pool = shared_.pool.get();
    instance.content_types = &shared_.content_types;
    instance.events = masked_events_ ? &*masked_events_ : shared_.options.events;
    instance.clock = &SystemClock::instance();
    instance.max_memory_bytes = node.config->max_memory_bytes.value_or(runtime.max_memory_per_component_bytes);
    instance.sandbox = sandbox;
    instance.holdings = {.handles = node.config->max_handles.value_or(runtime.max_handles),
                         .buffer_bytes = node.config->max_host_buffers_bytes.value_or(runtime.max_host_buffers_bytes)};
    instance.max_log_bytes_per_s = node.config->max_log_bytes_per_s.value_or(runtime.max_log_bytes_per_s);
    instance.call_timeout_ns = node.config->timeout_ns.value_or(runtime.invocation_timeout_ns);
    instance.init_timeout_ns = runtime.component_init_timeout_ns;
    instance.teardown_timeout_ns = runtime.component_teardown_timeout_ns;
    instance.trace_id = trace_id_;
    instance.span_id = random_id<8>();
    return std::make_unique<reactor::ComponentStage>(node.component, std::move(instance), node.config->config);
  }

  Shared& shared_;
  config::FlowConfig flow_;
  RunLimits limits_;
  TraceId trace_id_;
  std::optional<MaskedEvents> masked_events_;  // where something was filled in
  linker::LinkedFlow linked_;                  // points into `flow_`
};

// What failed runs did counts with the last one's: the sums are the flow's.
void add_run(FlowReport& report, const FlowReport& before) {
  report.fates.pulled += before.fates.pulled;
  report.fates.created += before.fates.created;
  for (std::size_t fate = 0; fate < report.fates.fates.size(); ++fate)
    report.fates.fates[fate] += before.fates.fates[fate];
  report.duration_ns += before.duration_ns;
  report.cpu_ns += before.cpu_ns;
  report.restarts = before.restarts + 1;
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    observability::StageReport& stage = report.stages[i];
    const observability::StageReport& earlier = before.stages[i];
    stage.elements_in += earlier.elements_in;
    stage.elements_out += earlier.elements_out;
    stage.errors += earlier.errors;
    stage.restarts += earlier.restarts;
    stage.swaps += earlier.swaps;
    stage.swap_pause_ns = std::max(stage.swap_pause_ns, earlier.swap_pause_ns);
    stage.state_lost += earlier.state_lost;
    stage.time_ns += earlier.time_ns;
    add(stage.copies, earlier.copies);
  }
  for (std::size_t i = 0; i < report.streams.size(); ++i) {
    observability::StreamReport& stream = report.streams[i];
    const observability::StreamReport& earlier = before.streams[i];
    stream.transferred += earlier.transferred;
    stream.dropped += earlier.dropped;
    stream.depth_max = std::max(stream.depth_max, earlier.depth_max);
    stream.backpressure_events += earlier.backpressure_events;
    stream.backpressure_ns += earlier.backpressure_ns;
  }
}

class FlowRunOnDriver final : public FlowRun {
 public:
  FlowRunOnDriver(Shared& shared, std::unique_ptr<FlowMaker> maker) : shared_(shared), maker_(std::move(maker)) {}

  ~FlowRunOnDriver() override {
    if (started_ && !waited_for_) {
      cancel();
      static_cast<void>(wait());
    }
  }

  // What can be wrong with a plan shows before anything runs.
  Status make_plan() {
    TORVYN_LET(plan_, maker_->plan(interrupt_));
    return {};
  }

  FlowReport run() override {
    std::optional<Timer> timer;
    if (const auto timeout_ns = maker_->timeout_ns())
      timer.emplace(*timeout_ns, [this] { request_stop(StopReason::timeout); });
    FlowReport report = run_once(std::move(*plan_));
    const config::FlowConfig& flow = maker_->flow();
    std::uint64_t backoff_ns = flow.restart_backoff_ns;
    while (flow.restart_on_failure && report.state == FlowState::failed && !interrupt_.raised() &&
           (flow.restart_max == 0 || report.restarts < flow.restart_max)) {
      if (interrupt_.wait_ns(backoff_ns)) break;
      backoff_ns = std::min(2 * backoff_ns, restart_backoff_max_ns);
      Result<reactor::FlowPlan> plan = [this] {
        const std::scoped_lock lock(mutex_);
        return maker_->plan(interrupt_);
      }();
      if (!plan) break;
      FlowReport next = run_once(*std::move(plan));
      add_run(next, report);
      report = std::move(next);
    }
    report.pools = shared_.pool->stats();
    return maker_->masked(std::move(report));
  }

  Status start() override {
    const bool may_block =
        std::ranges::any_of(plan_->stages, [](const auto& stage) { return stage.stage->may_block(); });
    if (may_block || maker_->flow().restart_on_failure) {
      try {
        thread_ = std::thread([this] { ended(run()); });
      } catch (const std::system_error& error) {
        return fail(ErrorCode::capacity_exceeded, std::string("no thread for the flow: ") + error.what());
      }
      started_ = true;
      return {};
    }
    const config::FlowConfig& flow = maker_->flow();
    pooled_ = shared_.scheduler->make_flow(reactor::flow_share(flow.weight, flow.priority));
    reactor::FlowDriver& driver = new_driver(std::move(*plan_), pooled_.get());
    driver.set_waker(pooled_.get());
    started_ = true;
    const Status started = pooled_->start(driver, [this, &driver] {
      FlowReport report = driver.report();
      report.pools = shared_.pool->stats();
      ended(maker_->masked(std::move(report)));
    });
    if (!started) started_ = false;
    return started;
  }

  FlowReport wait() override {
    std::unique_lock lock(mutex_);
    has_ended_.wait(lock, [this] { return report_.has_value(); });
    lock.unlock();
    if (thread_.joinable()) thread_.join();
    waited_for_ = true;
    return *report_;
  }

  void request_stop(StopReason reason) noexcept override {
    // Said first, then the driver is looked for; new_driver does it the other way round: one of the two sees the other.
    const FlowState state = reason == StopReason::timeout ? FlowState::limited : FlowState::interrupted;
    FlowState running = FlowState::running;
    stop_.compare_exchange_strong(running, state);
    interrupt_.raise();
    if (reactor::FlowDriver* const driver = driver_.load()) driver->request_stop(state);
  }

  void cancel() noexcept override {
    cancelled_.store(true);
    interrupt_.raise();
    const std::scoped_lock lock(mutex_);
    if (reactor::FlowDriver* const driver = driver_.load()) driver->cancel();
  }

  Result<SwapResult> swap(std::string_view node, const std::filesystem::path& component, bool flush) override {
    std::vector<linker::LinkedNode>& nodes = maker_->linked().nodes;
    const auto found = std::ranges::find_if(nodes, [node](const auto& one) { return one.config->name == node; });
    if (found == nodes.end())
      return fail(ErrorCode::unknown_flow_or_node,
                  "flow `" + maker_->flow().name + "` has no node `" + std::string(node) + "`");
    TORVYN_LET(linker::LinkedNode replacement,
               linker::link_replacement(*found, shared_.options.base_directory / component, *shared_.engine));
    TORVYN_LET(std::vector<std::unique_ptr<reactor::Stage>> stages, maker_->make_stages(replacement, interrupt_));
    for (const auto& stage : stages)
      if (Status started = stage->start(); !started) return fail(maker_->masked(std::move(started).error()));

    std::promise<Result<std::uint64_t>> done;
    {
      const std::scoped_lock lock(mutex_);
      reactor::FlowDriver* const driver = driver_.load();
      if (driver == nullptr) return fail(ErrorCode::usage, "flow `" + maker_->flow().name + "` does not run");
      driver->request_swap({.node = static_cast<std::size_t>(found - nodes.begin()),
                            .stages = std::move(stages),
                            .component = component.string(),
                            .flush = flush,
                            .done = [&done](Result<std::uint64_t> result) { done.set_value(std::move(result)); }});
    }
    TORVYN_LET(const std::uint64_t pause_ns, done.get_future().get());
    const std::scoped_lock lock(mutex_);
    *found = std::move(replacement);
    return SwapResult{.pause_ns = pause_ns};
  }

  observability::FlowProgress progress() const noexcept override {
    const std::scoped_lock lock(mutex_);
    const reactor::FlowDriver* const driver = driver_.load();
    return driver == nullptr ? observability::FlowProgress{} : driver->progress();
  }

 private:
  // The wait before a restart is doubled up to here.
  static constexpr std::uint64_t restart_backoff_max_ns = 60'000'000'000;

  FlowReport run_once(reactor::FlowPlan plan) {
    const bool parallel = std::ranges::any_of(plan.stages, [](const auto& stage) { return !stage.more.empty(); });
    if (!parallel) return new_driver(std::move(plan), nullptr).run();
    const auto own = shared_.scheduler->make_flow_on_own_thread();
    reactor::FlowDriver& driver = new_driver(std::move(plan), own.get());
    if (const Status ran = own->run(driver); !ran) {
      FlowReport report;
      report.name = maker_->flow().name;
      report.state = FlowState::failed;
      report.error = ran.error();
      return report;
    }
    return driver.report();
  }

  reactor::FlowDriver& new_driver(reactor::FlowPlan plan, reactor::Executor* executor) {
    auto driver = std::make_unique<reactor::FlowDriver>(std::move(plan), SystemClock::instance(), interrupt_, executor);
    const std::scoped_lock lock(mutex_);
    // The one before stays for as long as a signal handler may be looking at it.
    before_ = std::exchange(current_, std::move(driver));
    driver_.store(current_.get());
    if (const FlowState stop = stop_.load(); stop != FlowState::running) current_->request_stop(stop);
    if (cancelled_.load()) current_->cancel();
    return *current_;
  }

  void ended(FlowReport report) {
    // Notified under the lock: whoever waits may destroy this as soon as it has it.
    const std::scoped_lock lock(mutex_);
    report_ = std::move(report);
    has_ended_.notify_all();
  }

  Shared& shared_;
  std::unique_ptr<FlowMaker> maker_;
  reactor::Interrupt interrupt_;
  std::optional<reactor::FlowPlan> plan_;
  std::shared_ptr<reactor::Scheduler::Flow> pooled_;
  mutable std::mutex mutex_;
  std::condition_variable has_ended_;
  std::unique_ptr<reactor::FlowDriver> before_;
  std::unique_ptr<reactor::FlowDriver> current_;
  std::atomic<reactor::FlowDriver*> driver_{nullptr};  // current_, for signal handlers
  std::atomic<FlowState> stop_{FlowState::running};
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
  bool started_ = false;
  bool waited_for_ = false;
  std::optional<FlowReport> report_;
};

class HostOverEngine final : public Host {
 public:
  explicit HostOverEngine(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

  Result<std::unique_ptr<FlowRun>> prepare(const config::FlowConfig& flow, const RunLimits& limits) override {
    auto maker = std::make_unique<FlowMaker>(*shared_, flow, limits);
    if (Status linked = maker->link(); !linked) return fail(maker->masked(std::move(linked).error()));
    const FlowMaker& made = *maker;
    auto run = std::make_unique<FlowRunOnDriver>(*shared_, std::move(maker));
    if (Status planned = run->make_plan(); !planned) return fail(made.masked(std::move(planned).error()));
    return run;
  }

 private:
  std::unique_ptr<Shared> shared_;
};

// Cores this process may use.
std::uint32_t usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
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
  engine::EngineOptions engine_options;
  engine_options.max_instances = std::min(runtime.max_instances, pooled_instances_max);
  engine_options.events = options.events;
  if (runtime.compile_cache) engine_options.cache_directory = options.cache_directory;
  TORVYN_LET(shared->engine, engine::WasmEngine::create(engine_options));
  const std::uint32_t workers = runtime.worker_threads == 0 ? usable_cores() : runtime.worker_threads;
  shared->scheduler = std::make_unique<reactor::Scheduler>(reactor::SchedulerOptions{.worker_threads = workers});
  return std::make_unique<HostOverEngine>(std::move(shared));
}

}  // namespace torvyn::host
