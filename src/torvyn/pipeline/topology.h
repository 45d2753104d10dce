// The shape of a flow, checked before anything starts. No engine in it: roles are given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/types/error.h"

namespace torvyn::pipeline {

using contracts::Role;

// The output port to a node's `dead_letter` node.
inline constexpr std::string_view dead_letter_port_name = "dead-letter";

// A node whose role is known.
struct RoledNode {
  const config::NodeConfig* node = nullptr;
  Role role = Role::processor;
};

// A way from one node to another. Nodes are named by their indices in the flow.
struct GraphEdge {
  std::size_t from = 0;
  std::size_t port = 0;  // index into the ports of `from`
  std::size_t to = 0;
  const config::EdgeConfig* config =
      nullptr;  // null where no edge was written: a chain in file order, a dead-letter way
};

// Points into the FlowConfig it was made of.
struct Graph {
  // All nodes, each after those it receives from; what follows a node stands right behind it where it can.
  std::vector<std::size_t> order;
  std::vector<GraphEdge> edges;                 // those written first, in file order, then those to dead-letter nodes
  std::vector<std::vector<std::string>> ports;  // of each node, its output ports: those edges name, in file order
  // Of each node: the port to its dead-letter node, the last of its ports; none where it has no such node.
  std::vector<std::optional<std::size_t>> dead_letter_port;
};

// The nodes that a flow without edges links to one chain, in that order: those of the file but for dead-letter nodes, which receive
// from wherever they are named. Indices into `flow.nodes`.
std::vector<std::size_t> implied_chain(const config::FlowConfig& flow);

// Checks edges against nodes, and the shape of the whole.
//   E0207  an edge or a `dead_letter` names a node the flow does not have (with the nearest name)
//   E0204  an edge names a port its node does not have. A router's output ports have whatever names its edges give them; every
//          other node has `output` and `input`
//   E0203  no nodes, two of one name, a node no edge names, the same edge twice; a cycle (with its path, dead-letter ways
//          included); a node that no source reaches;
//          a source with an input, a sink with an output, another node without an input or without an output (saying where it
//          belongs and what to put in its place; a dead-letter way is an input, and no output);
//          `dead-letter` as an action without a `dead_letter` node, either of them on a source, a dead-letter node that is a
//          source, `dead-letter` as a port of a router that has such a node
// Each with the place of the node or edge where it is known.
// Requires: one RoledNode for each node of `flow`, in any order, found by name.
Result<Graph> check_graph(const config::FlowConfig& flow, const std::vector<RoledNode>& nodes);

}  // namespace torvyn::pipeline
