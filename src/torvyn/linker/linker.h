// A flow's definition and its compiled components → a checked graph of stages, ready to be instantiated.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/engine/engine.h"
#include "torvyn/types/error.h"

namespace torvyn::linker {

// The places a built-in stage may take.
struct BuiltinRoles {
  bool source = false;
  bool sink = false;
  std::optional<contracts::Role> only = {};  // of a stage with one role, whichever that is
};

// What the linker must know of the stages that are not components.
struct BuiltinCatalog {
  std::function<std::optional<BuiltinRoles>(std::string_view name)> find;
  std::vector<std::string_view> names;  // for "did you mean"
};

struct LinkedNode {
  const config::NodeConfig* config = nullptr;
  contracts::Role role = contracts::Role::processor;
  contracts::Contract contract = contracts::Contract::element;
  std::shared_ptr<engine::Component> component;  // null for a built-in stage
  std::vector<std::string> ports;                // its output ports, see pipeline::Graph
  std::optional<std::size_t> dead_letter_port;   // index into them
};

// A stream between two of the nodes below.
struct LinkedEdge {
  std::size_t from = 0;  // indices into LinkedFlow::nodes
  std::size_t to = 0;
  std::size_t port = 0;                          // index into the ports of `from`
  const config::StreamConfig* stream = nullptr;  // null: nothing was said, as of a dead-letter way
};

// Nodes in topological order: each after those it receives from. Edges: those written, in file order, then those to dead-letter
// nodes. Points into the FlowConfig it was made of.
struct LinkedFlow {
  std::vector<LinkedNode> nodes;
  std::vector<LinkedEdge> edges;
};

// Finds every node's stage (a built-in name, else a path, relative to `base_directory`), compiles what is a component, finds the role each
// plays, and checks shape, imports and settings.
//
// A component that could play several roles plays the one its place asks for; where it exports both contracts, the batch form.
//
// Errors, with node and place: E0210 nothing by that name; E0004, E0102, E0104, E0201 of the component; E0203, E0204, E0207 of the
// shape; E0203 also `instances` of a source, sink or aggregator, which may keep state, a parallel source, and `on_trap`, `restarts`, `restart_window`
// or `instances` of a built-in stage; E0205 an import nobody provides; E0206 settings for a component without `lifecycle`.
Result<LinkedFlow> link_flow(const config::FlowConfig& flow, engine::Engine& engine, const BuiltinCatalog& builtins,
                             const std::filesystem::path& base_directory);

// Another component for a node of a linked flow that runs: of the same role and contract, and with the same settings. `node` outlives what
// is returned.
// Errors: E0210, E0004, E0102, E0104, E0201, E0205, E0206 as above; E0203 where `node` is a built-in stage, or the component plays another
// role.
Result<LinkedNode> link_replacement(const LinkedNode& node, const std::filesystem::path& component,
                                    engine::Engine& engine);

}  // namespace torvyn::linker
