// The shape of a flow, checked before anything starts. No engine in it: roles are given.
#pragma once

#include <cstddef>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/types/error.h"

namespace torvyn::pipeline {

using contracts::Role;

// A node whose role is known.
struct RoledNode {
  const config::NodeConfig* node = nullptr;
  Role role = Role::processor;
};

// The nodes of a chain in the order elements travel.
struct Chain {
  std::vector<std::size_t> order;  // indices into the flow's nodes; first the source, last the sink
};

// Checks edges against nodes, finds the order of the chain, and checks the roles.
//   E0207  an edge names a node the flow does not have (with the nearest name)
//   E0204  an edge names a port its node does not have. A router's output ports have whatever names it gives them; every other
//          node has `output` and `input`
//   E0203  no nodes, two of one name, a node no edge names, a node with two inputs or outputs, a cycle (with its path), a node
//          the first one does not reach; a chain that does not begin with a source and end with a sink, or has one of them in
//          between (saying where it belongs and what to put in its place)
// Each with the place of the node or edge where it is known. Graphs that are not chains are refused with E0203 for now.
// Requires: one RoledNode for each node of `flow`, in any order, found by name.
Result<Chain> check_chain(const config::FlowConfig& flow, const std::vector<RoledNode>& nodes);

}  // namespace torvyn::pipeline
