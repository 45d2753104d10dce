// A host: one engine, one set of pools, any number of flows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "torvyn/config/flow_config.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/linker/linker.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::host {

// The built-in stages, as the linker knows them.
linker::BuiltinCatalog builtin_catalog();

struct HostOptions {
  config::RuntimeConfig runtime;
  config::SecurityConfig security;  // who is granted what
  std::filesystem::path
      cache_directory;  // of compiled code; empty = none. Ignored where runtime.compile_cache is false
  std::filesystem::path
      base_directory;  // relative paths of components and files are taken from here; empty = the current folder
  EventSink* events = nullptr;  // required; outlives the host
  int stdin_fd = 0;
  int stdout_fd = 1;
};

// When a run ends by itself.
struct RunLimits {
  std::optional<std::uint64_t> elements_max = {};  // pulled
  std::optional<std::uint64_t> timeout_ns = {};    // then sources stop, what is in flight is finished
  std::optional<std::uint64_t> errors_max = {};    // more skipped errors than this fail the flow
};

// Why a flow is asked to stop from outside.
enum class StopReason : std::uint8_t { timeout, interrupt };

struct SwapResult {
  std::uint64_t pause_ns = 0;  // for which the node was not called
};

// One flow, linked and ready.
class FlowRun {
 public:
  virtual ~FlowRun() = default;

  // Runs to the end on the calling thread. Called once. What goes wrong is in the report: `state` failed and `error`.
  virtual observability::FlowReport run() = 0;

  // The same beside other flows: on the host's workers, by its share of them, or on a thread of its own where one of its stages may have to
  // wait for something. Called once, instead of `run`.
  // Errors: E0305 no thread to be had.
  virtual Status start() = 0;
  // Waits for a flow that was started to end.
  virtual observability::FlowReport wait() = 0;

  // Ends the flow in good order: no more is pulled, what is in flight is finished, `flush`, `complete` and `teardown` are called.
  // Thread: any; async-signal-safe for a flow that `run` runs. The first reason counts.
  virtual void request_stop(StopReason reason) noexcept = 0;

  // Ends the flow now: a call that is under way is stopped, what is in flight is cancelled, nothing is made final.
  // Thread: any.
  virtual void cancel() noexcept = 0;

  // Puts another component in a node's place, with nothing lost, repeated or reordered, and waits until it has taken over. An aggregator gives
  // out what it holds first, which `flush` has to allow.
  // Errors: E0207 no such node; those of link_replacement and of starting the component; E0006 refused, see FlowDriver::request_swap.
  // Thread: any but the one that runs the flow.
  virtual Result<SwapResult> swap(std::string_view node, const std::filesystem::path& component, bool flush) = 0;

  // Thread: any, while `run` runs.
  virtual observability::FlowProgress progress() const noexcept = 0;
};

class Host {
 public:
  // Errors: E0007, E0300 where engine or pools cannot be set up.
  static Result<std::unique_ptr<Host>> create(const HostOptions& options);
  virtual ~Host() = default;

  // Loads, checks and links a flow; nothing runs. The host must outlive the run. References in settings (`${env:NAME}`, see
  // config/references.h) are filled in now; no error, event or report shows what was put there.
  // Errors: E0703 where one cannot be; of the topology (E0203, E0204, E0207), of its components (E0102, E0104, E0201, E0205, E0206, E0210), of built-in stages'
  // settings (E0700 to E0702).
  virtual Result<std::unique_ptr<FlowRun>> prepare(const config::FlowConfig& flow, const RunLimits& limits) = 0;
};

}  // namespace torvyn::host
