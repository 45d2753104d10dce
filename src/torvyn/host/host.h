// A host: one engine, one set of pools, any number of flows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/config/manifest.h"
#include "torvyn/config/node_ceilings.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/host/flow_builder.h"
#include "torvyn/host/flow_run.h"
#include "torvyn/linker/linker.h"
#include "torvyn/observability/prometheus.h"
#include "torvyn/reactor/scheduler.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"
#include "torvyn/types/ids.h"

namespace torvyn::host {

// The built-in stages, as the linker knows them.
linker::BuiltinCatalog builtin_catalog();

struct HostOptions {
  config::RuntimeConfig runtime;
  config::SecurityConfig
      security;  // who is granted what; an audit log is kept where it says in which file, or that it is no file
  config::NodeCeilings ceilings = {};  // of this machine: a node that asks for more is E0502
  std::filesystem::path
      cache_directory;  // of compiled code; empty = none. Ignored where runtime.compile_cache is false
  std::filesystem::path
      base_directory;  // relative paths of components and files are taken from here; empty = the current folder
  // No threads drive flows: the program's do, in `run_some`, `wait`, `run` and `shutdown`. `runtime.worker_threads` then says nothing. All flows are driven there, those too
  // whose stages may wait; a flow that is restarted after failures is E0006.
  bool callers_drive = false;
  EventSink* events = nullptr;                 // outlives the host; null = nobody listens
  std::vector<config::FlowConfig> flows = {};  // that `start_flow` finds by name
  config::ObservabilityLevel level = config::ObservabilityLevel::production;
  // Told of each flow that `start_flow`, `run` or `reload` has started, when it has ended. Short, on one of the host's threads, and may not call the
  // host.
  std::function<void(const observability::FlowReport&)> flow_ended = {};
  int stdin_fd = 0;
  int stdout_fd = 1;
};

// A host's life. It goes one way; a step that is not the next one is E0006.
enum class HostState : std::uint8_t {
  ready,          // made; nothing runs
  running,        // flows may be started
  shutting_down,  // no new flows; those there are come to their end
  stopped,        // every flow has ended
};
std::string_view host_state_name(HostState state) noexcept;  // "shutting-down"

// One of a host's flows.
struct FlowStatus {
  FlowId id;
  std::string name;
  observability::FlowState state = observability::FlowState::running;
  observability::FlowProgress progress;
  std::optional<observability::FateCounts> fates = {};  // once it has ended
  bool defined = false;                                 // by the manifest
};

// What keeps a host from doing all it is meant to do.
struct Readiness {
  HostState state = HostState::ready;
  std::vector<std::string> waiting_for = {};  // flows with `autostart` that neither run nor have come to a good end

  bool is_ready() const noexcept { return state == HostState::running && waiting_for.empty(); }
};

// What became of a host's flows when it was shut down.
struct ShutdownResult {
  std::size_t drained = 0;    // that ended by themselves in time
  std::size_t cancelled = 0;  // that had to be cancelled
};

// What a new definition means for a flow.
enum class FlowChange : std::uint8_t {
  unchanged,  // not touched
  added,      // started, where `autostart` says so
  removed,    // ended in good order
  swapped,    // other components in some nodes' places; the flow runs on
  restarted,  // ended in good order, and started anew
  redefined,  // it does not run: its next start takes the new definition
};
std::string_view flow_change_name(FlowChange change) noexcept;

struct ReloadedFlow {
  std::string name;
  FlowChange change = FlowChange::unchanged;
  std::vector<std::string> nodes = {};  // that were swapped
  std::optional<Error> error = {};      // why it could not be done; the flow then is as `change` left it
};

struct ReloadResult {
  std::vector<ReloadedFlow> flows;  // in the order of the new manifest, then those that are gone
  bool needs_new_host = false;      // `[runtime]` or `[security]` has changed too: that holds from the next host on
};

// Ended flows that a host remembers: enough for whoever asks how it went a moment later. The oldest is forgotten first.
inline constexpr std::size_t ended_flows_max = 256;

// How long `report` waits for a flow that runs: longer than a call usually takes, shorter than a person's patience.
inline constexpr std::uint64_t report_wait_ns = 250'000'000;

// Flows by name and id, from their start to their end.
//
// Thread: any, all members at once; but not from a stage of one of its flows. Lifetime: destroying a host cancels what still runs.
// A forked child may destroy a host, which then lets go of everything without ending it; there it is Stopped, has no
// flows, and whatever is asked of it is E0006.
class Host {
 public:
  // Errors: E0007, E0300 where engine or pools cannot be set up; E0510 where the audit log cannot be opened and has to be.
  static Result<std::unique_ptr<Host>> create(const HostOptions& options);
  virtual ~Host() = default;

  virtual HostState state() const noexcept = 0;

  // Ready → Running. Starts no flow.
  virtual Status start() = 0;

  // `start`, every flow of the manifest that has `autostart`, and then waits until all flows have ended, or `shutdown` was called on another
  // thread and is through. The reports are those of all flows the host still remembers, in the order they were started; the host is Stopped.
  // Errors: those of `start` and of the flows' starts; the host is Stopped then too.
  virtual Result<std::vector<observability::FlowReport>> run() = 0;

  // No new flows; sources stop, what is in flight is finished; what still runs after `drain_timeout_ns` is cancelled. Returns when all have
  // ended. From Ready it leads to Stopped at once.
  // Errors: E0006 where that has happened, or is under way.
  virtual Result<ShutdownResult> shutdown(std::uint64_t drain_timeout_ns) = 0;

  // Starts a flow of the manifest, or one that a program made. At any time one flow of a name runs.
  // Errors: E0207 no such flow; E0006 not Running, or a flow of that name runs; those of `prepare` and FlowRun::start.
  virtual Result<FlowId> start_flow(std::string_view name, const RunLimits& limits) = 0;
  virtual Result<FlowId> start_flow(const FlowDefinition& flow, const RunLimits& limits) = 0;
  Result<FlowId> start_flow(std::string_view name) { return start_flow(name, RunLimits{}); }
  Result<FlowId> start_flow(const FlowDefinition& flow) { return start_flow(flow, RunLimits{}); }

  // Of the flow's running instance, else of the one that ended last.
  virtual std::optional<FlowId> find_flow(std::string_view name) const = 0;

  // The others' errors: E0207 where the host knows no such flow, or not any more; see FlowRun for the rest.
  virtual Status stop_flow(FlowId id) = 0;    // in good order; does not wait
  virtual Status cancel_flow(FlowId id) = 0;  // at once; does not wait
  virtual Result<observability::FlowState> flow_state(FlowId id) const = 0;
  virtual Result<observability::FlowReport> wait(FlowId id) = 0;
  virtual Result<observability::FlowReport> report(FlowId id) = 0;  // how things stand, in report_wait_ns at most
  virtual Result<SwapResult> swap(FlowId id, std::string_view node, const std::filesystem::path& component,
                                  bool flush) = 0;

  // With `callers_drive`: drives flows on the calling thread, for about so long; a call of a component that has begun is finished. One thread at a
  // time; another one comes back at once, with `more`. Errors: E0006 the host has threads for it.
  virtual Result<reactor::SomeWork> run_some(std::uint64_t budget_ns) = 0;

  // Those that run and those it remembers, in the order they were started.
  virtual std::vector<FlowStatus> list_flows() const = 0;

  virtual Readiness readiness() const = 0;
  virtual observability::SystemMetrics system_metrics() const = 0;

  // How much is observed; it may be changed while flows run.
  virtual config::ObservabilityLevel level() const noexcept = 0;
  virtual Status set_level(config::ObservabilityLevel level) = 0;

  // Flows of the manifest, in its order.
  virtual std::vector<std::string> defined_flows() const = 0;

  // Takes another manifest: flows whose definition is the same are not touched; where components alone have changed (another path, or another
  // file behind it) they are swapped; what cannot be is restarted, and given `drain_timeout` for it. Flows that a program made stay.
  // With `dry_run` says what would be done. All of it is checked first: where something is wrong with the manifest or with one of its
  // components, nothing is changed. One at a time.
  // Errors: E0006 not Running; those of `prepare`.
  virtual Result<ReloadResult> reload(const config::Manifest& manifest, bool dry_run) = 0;

  // Loads, checks and links a flow that is not the host's to run; nothing runs. The host must outlive it. References in settings
  // (`${env:NAME}`, see config/references.h) are filled in now; no error, event or report shows what was put there.
  // Errors: E0703 where one cannot be; of the topology (E0203, E0204, E0207), of its components (E0102, E0104, E0201, E0205, E0206, E0210), of built-in stages'
  // settings (E0700 to E0702).
  virtual Result<std::unique_ptr<FlowRun>> prepare(const FlowDefinition& flow, const RunLimits& limits) = 0;
  Result<std::unique_ptr<FlowRun>> prepare(const config::FlowConfig& flow, const RunLimits& limits) {
    return prepare(FlowDefinition{.config = flow}, limits);
  }
};

}  // namespace torvyn::host
