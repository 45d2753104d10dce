#include "torvyn/host/host_life.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "torvyn/config/nearest.h"
#include "torvyn/host/flow_registry.h"
#include "torvyn/host/make_run.h"
#include "torvyn/host/reload.h"

namespace torvyn::host {

using config::FlowConfig;
using observability::FlowReport;
using observability::FlowState;

namespace {

// Until the flow has ended, or the deadline; where nobody else drives it, by driving it.
bool wait_until_ended(FlowRun& run, Shared& shared, std::optional<std::chrono::steady_clock::time_point> deadline) {
  using std::chrono::steady_clock;
  constexpr std::uint64_t slice_ns = 1'000'000;
  while (shared.options.callers_drive && !run.has_ended()) {
    if (deadline && steady_clock::now() >= *deadline) return false;
    const reactor::SomeWork some = shared.scheduler->run_some(slice_ns);
    // Somebody else may wake a flow meanwhile, who then also drives it, or waits for this thread to.
    if (!some.worked && !run.has_ended()) std::this_thread::sleep_for(std::chrono::nanoseconds(slice_ns / 4));
  }
  if (!deadline) {
    static_cast<void>(run.wait());
    return true;
  }
  const auto left_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(*deadline - steady_clock::now()).count();
  return run.wait_for(static_cast<std::uint64_t>(std::max<std::int64_t>(left_ns, 0))).has_value();
}

// Asked to end in good order, then cancelled. True: it did not have to be.
bool drain(FlowRun& run, Shared& shared, std::chrono::steady_clock::time_point deadline) {
  if (wait_until_ended(run, shared, deadline)) return true;
  run.cancel();
  static_cast<void>(wait_until_ended(run, shared, std::nullopt));
  return false;
}

// A day: beyond it, a time-out is as good as none, and points in time don't overflow.
std::chrono::steady_clock::time_point after(std::uint64_t ns) {
  constexpr std::uint64_t day_ns = 86'400'000'000'000;
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::min(ns, day_ns));
}

class HostWithLife final : public Host {
 public:
  explicit HostWithLife(std::unique_ptr<Shared> shared)
      : shared_(std::move(shared)), definitions_(shared_->options.flows) {}

  ~HostWithLife() override {
    // The threads that all of it stands on are the parent's.
    if (in_child()) {
      std::ignore = registry_.release();
      std::ignore = shared_.release();
      return;
    }
    std::ignore = shutdown(0);
  }

  HostState state() const noexcept override {
    if (in_child()) return HostState::stopped;
    const std::scoped_lock lock(mutex_);
    return state_;
  }

  Status start() override {
    TORVYN_TRY(check_process());
    const std::scoped_lock lock(mutex_);
    if (state_ != HostState::ready) return refused("be started", state_, "a host is started once, when it is ready");
    state_ = HostState::running;
    return {};
  }

  Result<std::vector<FlowReport>> run() override {
    TORVYN_TRY(start());
    if (Status started = start_defined(); !started) {
      std::ignore = shutdown(0);
      return fail(std::move(started).error());
    }
    for (;;) {
      const std::vector<FlowRegistry::Running> flows = registry_->running_after_starts();
      if (flows.empty()) break;
      for (const FlowRegistry::Running& flow : flows)
        static_cast<void>(wait_until_ended(*flow.run, *shared_, std::nullopt));
    }
    // Somebody else's shutdown may have been faster: then it is theirs to finish.
    if (!shutdown(0)) {
      std::unique_lock lock(mutex_);
      has_stopped_.wait(lock, [this] { return state_ == HostState::stopped; });
    }
    return registry_->reports();
  }

  Result<ShutdownResult> shutdown(std::uint64_t drain_timeout_ns) override {
    TORVYN_TRY(check_process());
    {
      const std::scoped_lock lock(mutex_);
      if (state_ == HostState::shutting_down || state_ == HostState::stopped)
        return refused("be shut down", state_, "a host is shut down once");
      state_ = HostState::shutting_down;
    }
    const auto deadline = after(drain_timeout_ns);
    const std::vector<FlowRegistry::Running> flows = registry_->running_after_starts();
    for (const FlowRegistry::Running& flow : flows) flow.run->request_stop(StopReason::interrupt);
    ShutdownResult result;
    for (const FlowRegistry::Running& flow : flows)
      ++(drain(*flow.run, *shared_, deadline) ? result.drained : result.cancelled);
    registry_->reap();
    const std::scoped_lock lock(mutex_);
    state_ = HostState::stopped;
    has_stopped_.notify_all();
    return result;
  }

  Result<FlowId> start_flow(std::string_view name, const RunLimits& limits) override {
    TORVYN_TRY(check_process());
    std::optional<FlowConfig> flow = definition(name);
    if (!flow) return fail(unknown_flow(name));
    return start_one({.config = *std::move(flow)}, limits, true);
  }

  Result<FlowId> start_flow(const FlowDefinition& flow, const RunLimits& limits) override {
    TORVYN_TRY(check_process());
    return start_one(flow, limits, false);
  }

  std::optional<FlowId> find_flow(std::string_view name) const override {
    if (in_child()) return std::nullopt;
    return registry_->find(name);
  }

  Status stop_flow(FlowId id) override {
    TORVYN_TRY(check_process());
    TORVYN_LET(const FlowRegistry::Found found, registry_->find_started(id));
    if (found.run != nullptr) found.run->request_stop(StopReason::interrupt);
    return {};
  }

  Status cancel_flow(FlowId id) override {
    TORVYN_TRY(check_process());
    TORVYN_LET(const FlowRegistry::Found found, registry_->find_to_cancel(id));
    if (found.run != nullptr) found.run->cancel();
    return {};
  }

  Result<FlowState> flow_state(FlowId id) const override {
    TORVYN_TRY(check_process());
    TORVYN_LET(const FlowRegistry::Found found, registry_->find(id));
    if (found.report) return found.report->state;
    if (found.run != nullptr && found.run->has_ended()) return found.run->wait().state;
    return FlowState::running;
  }

  Result<FlowReport> wait(FlowId id) override {
    TORVYN_TRY(check_process());
    TORVYN_LET(FlowRegistry::Found found, registry_->find_started(id));
    if (found.run == nullptr) return *std::move(found.report);
    static_cast<void>(wait_until_ended(*found.run, *shared_, std::nullopt));
    FlowReport report = found.run->wait();
    found.run.reset();
    registry_->reap();
    return report;
  }

  Result<FlowReport> report(FlowId id) override {
    TORVYN_TRY(check_process());
    TORVYN_LET(FlowRegistry::Found found, registry_->find_started(id));
    if (found.run != nullptr) return found.run->report(report_wait_ns);
    return *std::move(found.report);
  }

  Result<SwapResult> swap(FlowId id, std::string_view node, const std::filesystem::path& component,
                          bool flush) override {
    TORVYN_TRY(check_process());
    TORVYN_LET(const FlowRegistry::Found found, registry_->find_started(id));
    if (found.run == nullptr) return fail(ErrorCode::usage, "the flow has ended: there is nothing to swap");
    return found.run->swap(node, component, flush);
  }

  Result<reactor::SomeWork> run_some(std::uint64_t budget_ns) override {
    TORVYN_TRY(check_process());
    if (!shared_->options.callers_drive)
      return fail(ErrorCode::usage, "this host has worker threads, and needs no others",
                  "build it with `with_worker_threads(0)`");
    return shared_->scheduler->run_some(budget_ns);
  }

  std::vector<FlowStatus> list_flows() const override {
    return in_child() ? std::vector<FlowStatus>{} : registry_->list();
  }

  Readiness readiness() const override {
    if (in_child()) return {.state = HostState::stopped};
    Readiness readiness{.state = state()};
    const std::vector<FlowStatus> flows = registry_->list();
    for (const FlowConfig& flow : definitions()) {
      if (!flow.autostart) continue;
      const auto last = std::ranges::find(flows.rbegin(), flows.rend(), flow.name, &FlowStatus::name);
      const bool good = last != flows.rend() && last->state != FlowState::failed && last->state != FlowState::cancelled;
      if (!good) readiness.waiting_for.push_back(flow.name);
    }
    return readiness;
  }

  observability::SystemMetrics system_metrics() const override {
    observability::SystemMetrics metrics{.pools = {}};
    if (in_child()) return metrics;
    for (const FlowStatus& flow : registry_->list()) metrics.flows_active += flow.state == FlowState::running ? 1 : 0;
    for (const reactor::WorkerStats& worker : shared_->scheduler->stats()) {
      metrics.scheduler_wakeups += worker.wakeups;
      metrics.scheduler_idle_ns += worker.idle_ns;
    }
    metrics.pools = shared_->pool->stats();
    return metrics;
  }

  config::ObservabilityLevel level() const noexcept override { return shared_->level; }
  Status set_level(config::ObservabilityLevel level) override {
    TORVYN_TRY(check_process());
    shared_->level = level;
    if (shared_->audit != nullptr) shared_->audit->set_tells_uses(level == config::ObservabilityLevel::diagnostic);
    return {};
  }

  std::vector<std::string> defined_flows() const override {
    if (in_child()) return {};
    std::vector<std::string> names;
    for (FlowConfig& flow : definitions()) names.push_back(std::move(flow.name));
    return names;
  }

  Result<ReloadResult> reload(const config::Manifest& manifest, bool dry_run) override;

  Result<std::unique_ptr<FlowRun>> prepare(const FlowDefinition& flow, const RunLimits& limits) override {
    TORVYN_TRY(check_process());
    return make_run(*shared_, flow, limits, Audience::nobody);
  }

 private:
  struct Change {
    ReloadedFlow told;
    const FlowConfig* next = nullptr;                   // null: it is gone
    std::optional<FlowRegistry::Running> running = {};  // where it runs
    std::unique_ptr<FlowRun> prepared = {};
  };

  bool in_child() const noexcept { return ::getpid() != process_; }
  Status check_process() const {
    if (!in_child()) return {};
    return fail(ErrorCode::usage, "this host belongs to the process that made it, and its threads are not in this one",
                "make a host of its own after `fork`, or fork before the first one is made");
  }
  static std::unexpected<Error> refused(const std::string& what, HostState state, std::string hint) {
    return fail(ErrorCode::usage, "a host that is " + std::string(host_state_name(state)) + " cannot " + what,
                std::move(hint));
  }

  std::vector<FlowConfig> definitions() const {
    const std::scoped_lock lock(mutex_);
    return definitions_;
  }
  std::optional<FlowConfig> definition(std::string_view name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(definitions_, name, &FlowConfig::name);
    if (found == definitions_.end()) return std::nullopt;
    return *found;
  }
  Error unknown_flow(std::string_view name) const {
    const std::vector<std::string> names = defined_flows();
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string_view near = config::nearest(name, views);
    return Error(ErrorCode::unknown_flow_or_node, "there is no flow `" + std::string(name) + "`",
                 near.empty() ? std::string() : "did you mean `" + std::string(near) + "`?");
  }

  Status start_defined() {
    for (const std::string& name : defined_flows()) {
      const std::optional<FlowConfig> flow = definition(name);
      if (flow && flow->autostart) TORVYN_TRY(start_one({.config = *flow}, {}, true));
    }
    return {};
  }

  Result<FlowId> start_one(FlowDefinition flow, const RunLimits& limits, bool defined,
                           std::unique_ptr<FlowRun> prepared = nullptr) {
    FlowId id;
    {
      // Under the lock: a shutdown either sees the flow or is seen here.
      const std::scoped_lock lock(mutex_);
      if (state_ != HostState::running)
        return refused("start a flow", state_, "flows are started between `start` and `shutdown`");
      TORVYN_LET(id, registry_->reserve(flow.config.name));
    }
    FileStamps stamps = stamps_of(flow.config, shared_->options.base_directory);
    if (prepared == nullptr) {
      Result<std::unique_ptr<FlowRun>> made = make_run(*shared_, flow, limits, Audience::host);
      if (!made) {
        registry_->withdraw(id);
        return fail(std::move(made).error());
      }
      prepared = *std::move(made);
    }
    const std::shared_ptr<FlowRun> run = std::move(prepared);
    if (Status started = run->start(); !started) {
      registry_->withdraw(id);
      return fail(std::move(started).error());
    }
    const bool unwanted = registry_->entered(
        id, run, {.config = std::move(flow.config), .stamps = std::move(stamps), .defined = defined});
    if (unwanted) run->cancel();
    return id;
  }

  Result<std::vector<Change>> changes(const config::Manifest& manifest);
  void apply(Change& change, std::uint64_t drain_timeout_ns);
  void restart(Change& change, std::uint64_t drain_timeout_ns);

  const pid_t process_ = ::getpid();
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<FlowRegistry> registry_ = std::make_unique<FlowRegistry>();  // goes before what its flows stand on
  std::mutex reload_mutex_;
  mutable std::mutex mutex_;
  std::condition_variable has_stopped_;
  HostState state_ = HostState::ready;
  std::vector<FlowConfig> definitions_;
};

Result<std::vector<HostWithLife::Change>> HostWithLife::changes(const config::Manifest& manifest) {
  std::vector<Change> changes;
  for (const FlowConfig& next : manifest.flows) {
    Change change{.told = {.name = next.name}, .next = &next, .running = registry_->find_running(next.name)};
    const std::optional<FlowConfig> before = definition(next.name);
    if (change.running && change.running->origin->defined) {
      const FlowDifference difference = compare(*change.running->origin, next, shared_->options.base_directory);
      change.told.nodes = difference.components;
      if (difference.shape) {
        change.told.change = FlowChange::restarted;
      } else if (!difference.components.empty()) {
        change.told.change = FlowChange::swapped;
      }
    } else {
      change.running.reset();
      const bool same = before && !compare({.config = *before, .stamps = {}}, next, {}).any();
      if (!same) change.told.change = before ? FlowChange::redefined : FlowChange::added;
    }
    if (change.told.change != FlowChange::unchanged) {
      TORVYN_LET(change.prepared, make_run(*shared_, {.config = next}, {}, Audience::host));
    }
    changes.push_back(std::move(change));
  }
  for (const std::string& name : defined_flows()) {
    if (manifest.find_flow(name) != nullptr) continue;
    changes.push_back(
        {.told = {.name = name, .change = FlowChange::removed}, .running = registry_->find_running(name)});
  }
  return changes;
}

void HostWithLife::restart(Change& change, std::uint64_t drain_timeout_ns) {
  FlowRun& old = *change.running->run;
  old.request_stop(StopReason::interrupt);
  static_cast<void>(drain(old, *shared_, after(drain_timeout_ns)));
  change.told.change = FlowChange::restarted;
  change.told.nodes.clear();
  if (auto started = start_one({.config = *change.next}, {}, true, std::move(change.prepared)); !started)
    change.told.error = std::move(started).error();
}

void HostWithLife::apply(Change& change, std::uint64_t drain_timeout_ns) {
  switch (change.told.change) {
    case FlowChange::unchanged:
    case FlowChange::redefined:
      return;
    case FlowChange::added:
      if (!change.next->autostart) return;
      if (auto started = start_one({.config = *change.next}, {}, true, std::move(change.prepared)); !started)
        change.told.error = std::move(started).error();
      return;
    case FlowChange::removed:
      if (!change.running || !change.running->origin->defined) return;
      change.running->run->request_stop(StopReason::interrupt);
      static_cast<void>(drain(*change.running->run, *shared_, after(drain_timeout_ns)));
      return;
    case FlowChange::restarted:
      restart(change, drain_timeout_ns);
      return;
    case FlowChange::swapped:
      // Taken before: a file that changes meanwhile is another one at the next reload.
      FileStamps stamps = stamps_of(*change.next, shared_->options.base_directory);
      for (const std::string& name : change.told.nodes) {
        const auto node = std::ranges::find(change.next->nodes, name, &config::NodeConfig::name);
        // Not every stage can be swapped; what can't be takes its flow along.
        if (!change.running->run->swap(name, node->component, true)) return restart(change, drain_timeout_ns);
      }
      registry_->redefine(change.running->id, {.config = *change.next, .stamps = std::move(stamps), .defined = true});
      return;
  }
}

Result<ReloadResult> HostWithLife::reload(const config::Manifest& manifest, bool dry_run) {
  TORVYN_TRY(check_process());
  const std::scoped_lock reloading(reload_mutex_);
  if (const HostState now = state(); now != HostState::running)
    return refused("take another manifest", now, "`reload` is for a host that is running");
  TORVYN_LET(std::vector<Change> all, changes(manifest));
  if (!dry_run) {
    {
      const std::scoped_lock lock(mutex_);
      definitions_ = manifest.flows;
    }
    for (Change& change : all) apply(change, manifest.runtime.drain_timeout_ns);
    registry_->reap();
  }
  ReloadResult result{
      .flows = {},
      .needs_new_host = manifest.runtime != shared_->options.runtime || manifest.security != shared_->options.security};
  for (Change& change : all) result.flows.push_back(std::move(change.told));
  return result;
}

}  // namespace

std::unique_ptr<Host> make_host(std::unique_ptr<Shared> shared) {
  return std::make_unique<HostWithLife>(std::move(shared));
}

std::string_view host_state_name(HostState state) noexcept {
  switch (state) {
    case HostState::ready:
      return "ready";
    case HostState::running:
      return "running";
    case HostState::shutting_down:
      return "shutting-down";
    case HostState::stopped:
      return "stopped";
  }
  return "?";
}

std::string_view flow_change_name(FlowChange change) noexcept {
  switch (change) {
    case FlowChange::unchanged:
      return "unchanged";
    case FlowChange::added:
      return "added";
    case FlowChange::removed:
      return "removed";
    case FlowChange::swapped:
      return "swapped";
    case FlowChange::restarted:
      return "restarted";
    case FlowChange::redefined:
      return "redefined";
  }
  return "?";
}

}  // namespace torvyn::host
