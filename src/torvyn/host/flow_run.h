// One flow: linked, run, asked to stop, looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::host {

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
  // Waits for a flow that was started to end. Thread: any but those of its stages.
  virtual observability::FlowReport wait() = 0;
  // The same, so long at most; nothing where it still runs then.
  virtual std::optional<observability::FlowReport> wait_for(std::uint64_t ns) = 0;
  // Whether a flow that was started has ended. Thread: any.
  virtual bool has_ended() const noexcept = 0;
  // How things stand. A flow that runs answers between two steps; where that takes longer than `wait_ns`, because a stage is in a long call,
  // the last known report is given, which may be an empty one. Thread: any but those of its stages.
  virtual observability::FlowReport report(std::uint64_t wait_ns) = 0;

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

}  // namespace torvyn::host
