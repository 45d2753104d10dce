// What a flow driver is given: stages, how they are joined, and what to do when something goes wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/reactor/stream.h"
#include "torvyn/resources/content_types.h"

namespace torvyn::reactor {

// What a node does about errors and traps; see config::NodeConfig.
struct FailurePolicy {
  config::ErrorPolicy on_error = {};
  std::uint32_t retries = 3;
  std::uint64_t retry_backoff_ns = 10'000'000;
  config::TrapAction on_trap = config::TrapAction::fail;
  std::uint32_t restarts = 3;
  std::uint64_t restart_window_ns = 60'000'000'000;
  std::optional<std::uint16_t> dead_letter_port = {};  // requires an edge from it where an action is `dead_letter`
};

// A node: one stage, or several of a kind side by side.
struct PlannedStage {
  std::unique_ptr<Stage> stage = {};
  std::vector<std::unique_ptr<Stage>> more = {};  // the others where a stateless stage has `instances`
  bool parallel = false;  // it is called by the executor, beside the rest of its flow; so are several. Not for sources
  contracts::Role role = contracts::Role::processor;
  std::string node = {};
  std::string component = {};  // "builtin:file" or a path
  std::string contract = {};   // "element", "batch", or empty
  std::vector<std::string> ports = {"output"};
  FailurePolicy failure = {};
};

// A stream from an output port of a node to another node.
struct PlannedEdge {
  std::size_t from = 0;  // indices into FlowPlan::stages
  std::size_t to = 0;
  std::uint16_t port = 0;  // index into the ports of `from`
  StreamBounds bounds = {};
};

// Other stages for a node of a running flow.
struct SwapRequest {
  std::size_t node = 0;
  std::vector<std::unique_ptr<Stage>> stages;  // started; as many as the node has
  std::string component;                       // for the report
  bool flush = false;                          // aggregators: give out what is held, though the stream has not ended
  // Called once, on the driving thread: how long the node was not called for it, in ns; or why nothing came of it, and then the stages
  // are given back `finish`ed.
  std::function<void(Result<std::uint64_t>)> done;
};

// Requires: stages in topological order (edges lead from a lower index to a higher one); sources without input, sinks without output, every
// other node with both; every port but a dead-letter one has an edge.
struct FlowPlan {
  std::string name;
  std::vector<PlannedStage> stages;
  std::vector<PlannedEdge> edges;  // empty: a chain, as the stages stand
  std::uint32_t max_batch = 64;
  std::uint64_t max_batch_bytes = std::uint64_t{1} << 20;
  std::optional<std::uint64_t> elements_max;  // pulled by all sources together, then the flow ends in good order
  std::optional<std::uint64_t> errors_max;    // skipped errors beyond this fail the flow
  // From the start on; then sources stop and the flow ends in good order. Looked at between calls: a source that waits has to be stopped by
  // `request_stop`.
  std::optional<std::uint64_t> timeout_ns;
  std::optional<std::uint64_t> deadline_ns;  // of each element, from its source on
  // How often a parallel stage and the thread that drives the flow look for each other before they sleep: a sleep costs as much as a few
  // hundred looks.
  std::uint32_t looks = 0;
  // For the content types of dead letters; null: they keep the one they had. Outlives the flow.
  resources::ContentTypes* content_types = nullptr;
};

}  // namespace torvyn::reactor
