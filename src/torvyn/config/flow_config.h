// What a flow is made of, as plain data: the same whether it came from a Torvyn.toml or from one line on the command line.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/capability.h"

namespace torvyn::config {

// Where a piece of configuration was written; lines and columns count from 1, columns count bytes. `file` is the manifest's
// path as the user named it, or "<pipeline>" for a pipeline string. A line of 0 means "written nowhere": made by a program.
struct SourceLocation {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;  // bytes to underline
  std::shared_ptr<const std::string>
      text;  // the whole of what was read, shared by all its locations; null = not at hand
};

// What a node does about an element that its component reported an error for.
enum class ErrorAction : std::uint8_t {
  fail,   // the flow ends
  skip,   // the element is counted as skipped and the flow goes on
  retry,  // the element is offered again, `retries` times, with a growing wait; the node keeps its order meanwhile
  dead_letter,  // the element goes to the node's `dead_letter` node
};

// `on_error`: an action for each case of process-error. `fatal` always fails.
//
// A manifest names an action for some cases and, as `default`, one for the others; a plain action is a `default` alone. Without a
// `default` the others are as below. What follows the last retry is the `default` where it is another action than `retry`; else
// the dead-letter node, where the node has one and `default` is `retry` or some case is `dead-letter`; else failure. A `default`
// of `retry` gives `invalid-input` what follows the last retry at once, because the same input would be invalid again.
struct ErrorPolicy {
  ErrorAction invalid_input = ErrorAction::fail;
  ErrorAction unavailable = ErrorAction::retry;
  ErrorAction internal = ErrorAction::fail;
  ErrorAction deadline_exceeded = ErrorAction::fail;
  ErrorAction exhausted = ErrorAction::fail;  // what follows the last retry; never `retry`
};

// Where a node's stage is called.
enum class Placement : std::uint8_t {
  flow,      // on the thread that drives its flow, one stage after the other
  parallel,  // by workers beside it, while the flow goes on
};

// What a node does when its component's instance ends by a trap.
enum class TrapAction : std::uint8_t {
  fail,     // the flow ends
  restart,  // a fresh instance goes on, `restarts` times in `restart_window`
};

// What becomes of an element that a full stream has no room for.
enum class FullPolicy : std::uint8_t {
  block,        // it waits at its producer, which is not called meanwhile
  drop_oldest,  // it takes the place of the one that waited longest
  drop_newest,  // it is let go
  error,        // the flow fails
};

// How closely a flow is observed.
enum class ObservabilityLevel : std::uint8_t { off, production, diagnostic };

// How much a stream holds. What is not given is the runtime's default.
struct StreamConfig {
  std::optional<std::uint32_t> queue_depth;   // elements
  std::optional<std::uint64_t> queue_bytes;   // an element larger than this passes alone
  std::optional<FullPolicy> full_policy;      // `backpressure_policy`
  std::optional<double> low_watermark_ratio;  // of both; a full stream takes elements again from there
};

// `[flow.NAME.nodes.NODE]`, or one stage of a pipeline string.
struct NodeConfig {
  std::string name;       // unique in its flow
  std::string component;  // "builtin:file", a path, or a bare name to look up
  SourceLocation where;   // of the node (its header, or the first character of its stage)
  SourceLocation component_where;
  std::string interface;  // it is used by; empty = found from the component

  // For a component: the text handed to `init`; empty = none was given. Settings written as `key=value` or as an inline
  // table are rendered as one JSON object here, and stand in `settings` too, for built-in stages: scalars as their text,
  // lists and tables as JSON. References (`${env:NAME}`) stand in all of them as they were written, see references.h.
  std::string config;
  SourceLocation config_where;
  std::vector<std::pair<std::string, std::string>> settings;  // in the order written
  std::map<std::string, SourceLocation> settings_where;

  ErrorPolicy on_error;
  std::uint32_t retries = 3;
  std::uint64_t retry_backoff_ns = 10'000'000;  // before the first retry, doubled before each other
  std::string dead_letter;                      // the node that gets what `dead-letter` sends away; empty = none
  SourceLocation dead_letter_where;
  TrapAction on_trap = TrapAction::fail;
  std::uint32_t restarts = 3;
  std::uint64_t restart_window_ns = 60'000'000'000;
  std::uint32_t instances = 1;  // side by side, on as many threads; the order of elements is kept
  Placement placement = Placement::flow;
  std::optional<std::uint64_t> timeout_ns;        // per call of guest time
  std::optional<std::uint64_t> max_memory_bytes;  // of one instance, as the next four
  std::optional<double> max_cpu;                  // share of a core
  std::optional<std::uint64_t> max_log_bytes_per_s;
  std::optional<std::uint32_t> max_handles;
  std::optional<std::uint64_t> max_host_buffers_bytes;
  std::vector<Capability> grants;    // beside those of its component
  std::vector<Capability> required;  // what its component cannot do without, as its `requires` says
};

// `[[flow.NAME.edges]]`.
struct EdgeConfig {
  std::string from_node;
  std::string from_port = "output";
  std::string to_node;
  std::string to_port = "input";
  StreamConfig stream;
  SourceLocation where;       // of the edge
  SourceLocation from_where;  // of its two ends
  SourceLocation to_where;
};

// `[flow.NAME]`.
struct FlowConfig {
  std::string name = "main";
  std::string description;
  SourceLocation where;
  std::optional<std::uint64_t> timeout_ns;   // of the whole flow
  std::optional<std::uint64_t> deadline_ns;  // of each element, from its source on
  std::uint32_t weight = 1;                  // its share of the workers is weight × 2^(priority − 5)
  std::uint32_t priority = 5;                // 0 to 10
  bool autostart = true;                     // by a host that is a service
  std::optional<ObservabilityLevel> level;   // the runtime's where not given
  bool restart_on_failure = false;           // `restart`
  std::uint64_t restart_backoff_ns =
      1'000'000'000;              // before the first restart, doubled up to a minute before each other
  std::uint32_t restart_max = 0;  // 0 = no bound
  std::vector<NodeConfig> nodes;  // in file order
  std::vector<EdgeConfig> edges;  // empty: the nodes form one chain in file order
};

}  // namespace torvyn::config
