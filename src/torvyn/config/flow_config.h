// What a flow is made of, as plain data: the same whether it came from a Torvyn.toml or from one line on the command line.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// What a node does about an error of its component.
enum class ErrorAction : std::uint8_t {
  fail,  // the flow ends
  skip,  // the element is counted as skipped and the flow goes on
};

// `on_error`: an action for each case of process-error. `fatal` always fails.
struct ErrorPolicy {
  ErrorAction invalid_input = ErrorAction::fail;
  ErrorAction unavailable = ErrorAction::fail;
  ErrorAction internal = ErrorAction::fail;
  ErrorAction deadline_exceeded = ErrorAction::fail;
};

// `[flow.NAME.nodes.NODE]`, or one stage of a pipeline string.
struct NodeConfig {
  std::string name;       // unique in its flow
  std::string component;  // "builtin:file", a path, or a bare name to look up
  SourceLocation where;   // of the node (its header, or the first character of its stage)
  SourceLocation component_where;

  // For a component: the text handed to `init`; empty = none was given. Settings written as `key=value` or as an inline
  // table are rendered as one JSON object here, and stand in `settings` too, for built-in stages: scalars as their text,
  // lists and tables as JSON.
  std::string config;
  std::vector<std::pair<std::string, std::string>> settings;  // in the order written
  std::map<std::string, SourceLocation> settings_where;

  ErrorPolicy on_error;
  std::optional<std::uint64_t> timeout_ns;        // per call of guest time
  std::optional<std::uint64_t> max_memory_bytes;  // of one instance
};

// `[[flow.NAME.edges]]`.
struct EdgeConfig {
  std::string from_node;
  std::string from_port = "output";
  std::string to_node;
  std::string to_port = "input";
  SourceLocation where;       // of the edge
  SourceLocation from_where;  // of its two ends
  SourceLocation to_where;
};

// `[flow.NAME]`.
struct FlowConfig {
  std::string name = "main";
  std::string description;
  SourceLocation where;
  std::optional<std::uint64_t> timeout_ns;  // of the whole flow
  std::vector<NodeConfig> nodes;            // in file order
  std::vector<EdgeConfig> edges;            // empty: the nodes form one chain in file order
};

}  // namespace torvyn::config
