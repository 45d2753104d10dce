#include "torvyn/pipeline/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <ranges>
#include <string>
#include <utility>

#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::pipeline {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;
using config::SourceLocation;

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

std::unexpected<Error> refuse(ErrorCode code, const SourceLocation& where, std::string message, std::string hint) {
  return fail(config::placed(Error(code, std::move(message), std::move(hint)), where));
}

// "a source", "an aggregator".
std::string a_role(Role role) {
  return fmt::format("{} {}", role == Role::aggregator ? "an" : "a", contracts::role_name(role));
}

// "`a`, `b`, …": the first few of many names.
std::string listed(const std::vector<std::string_view>& names) {
  constexpr std::size_t shown_max = 8;
  const auto shown = std::ranges::subrange(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), shown_max)));
  return fmt::format("`{}`{}", fmt::join(shown, "`, `"), names.size() > shown_max ? ", …" : "");
}

// The flow's nodes with their neighbours; indices are those of `flow.nodes`.
class Graph {
 public:
  explicit Graph(const FlowConfig& flow)
      : flow_(flow), next_(flow.nodes.size(), none), previous_(flow.nodes.size(), none) {}

  Result<std::vector<std::size_t>> order(const std::vector<RoledNode>& nodes) {
    TORVYN_TRY(find_roles(nodes));
    if (flow_.edges.empty()) {
      std::vector<std::size_t> order(flow_.nodes.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      return order;
    }
    for (const EdgeConfig& edge : flow_.edges) TORVYN_TRY(connect(edge));
    TORVYN_TRY(check_all_named());
    TORVYN_TRY(check_no_cycle());
    return walk();
  }

  Status check_roles(const std::vector<std::size_t>& order) const {
    const NodeConfig& first = flow_.nodes[order.front()];
    const NodeConfig& last = flow_.nodes[order.back()];
    if (const Role role = roles_[order.front()]; role != Role::source) {
      return graph_error(first.where,
                         fmt::format("`{}` is {} and stands {}; a pipeline begins with a source", first.name,
                                     a_role(role), order.size() == 1 ? "alone" : "first"),
                         "put a source before it: `file PATH`, `stdin` or `generate`");
    }
    for (std::size_t i = 1; i + 1 < order.size(); ++i) {
      const NodeConfig& node = flow_.nodes[order[i]];
      const Role role = roles_[order[i]];
      if (role != Role::source && role != Role::sink) continue;
      const bool is_source = role == Role::source;
      return graph_error(node.where,
                         fmt::format("`{}` is {} and stands between `{}` and `{}`; {} can only stand {}", node.name,
                                     a_role(role), flow_.nodes[order[i - 1]].name, flow_.nodes[order[i + 1]].name,
                                     a_role(role), is_source ? "first" : "last"),
                         fmt::format("move it to the {}, or put a processor, filter or aggregator in its place",
                                     is_source ? "beginning" : "end"));
    }
    if (const Role role = roles_[order.back()]; role != Role::sink) {
      const bool misplaced = role == Role::source && order.size() > 1;
      return graph_error(last.where,
                         fmt::format("`{}` is {} and stands {}; a pipeline ends with a sink", last.name, a_role(role),
                                     order.size() == 1 ? "alone" : "last"),
                         misplaced ? "a source stands first; put a sink in its place: `stdout`, `file PATH` or `null`"
                                   : "put a sink after it: `stdout`, `file PATH` or `null`");
    }
    return {};
  }

 private:
  static std::unexpected<Error> graph_error(const SourceLocation& where, std::string message, std::string hint) {
    return refuse(ErrorCode::graph_invalid, where, std::move(message), std::move(hint));
  }

  const std::string& name(std::size_t index) const { return flow_.nodes[index].name; }

  Status find_roles(const std::vector<RoledNode>& nodes) {
    if (flow_.nodes.empty()) {
      return graph_error(flow_.where, fmt::format("flow `{}` has no nodes", flow_.name),
                         fmt::format("add [flow.{0}.nodes.NAME] with a component, once for each stage", flow_.name));
    }
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) {
      if (!indices_.emplace(name(i), i).second) {
        return graph_error(flow_.nodes[i].where, fmt::format("two nodes are called `{}`", name(i)), "rename one");
      }
    }
    std::map<std::string_view, Role> roles;
    for (const RoledNode& node : nodes) roles.emplace(node.node->name, node.role);
    for (const NodeConfig& node : flow_.nodes) {
      const auto role = roles.find(node.name);
      if (role == roles.end()) {
        return fail(ErrorCode::internal_error,
                    fmt::format("the role of node `{}` was not found before the check", node.name));
      }
      roles_.push_back(role->second);
    }
    return {};
  }

  Result<std::size_t> find_node(const std::string& wanted, const SourceLocation& where) const {
    if (const auto found = indices_.find(wanted); found != indices_.end()) return found->second;
    std::vector<std::string_view> names;
    for (const auto& entry : indices_) names.push_back(entry.first);
    const std::string_view near = config::nearest(wanted, names);
    const std::string question = near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
    return refuse(ErrorCode::unknown_flow_or_node, where,
                  fmt::format("flow `{}` has no node `{}`{}", flow_.name, wanted, question),
                  near.empty() ? fmt::format("its nodes are {}", listed(names)) : std::string());
  }

  Status connect(const EdgeConfig& edge) {
    // An end that a program made has no place of its own.
    const SourceLocation& from_where = edge.from_where.line != 0 ? edge.from_where : edge.where;
    const SourceLocation& to_where = edge.to_where.line != 0 ? edge.to_where : edge.where;
    TORVYN_LET(const std::size_t from, find_node(edge.from_node, from_where));
    TORVYN_LET(const std::size_t to, find_node(edge.to_node, to_where));
    if (roles_[from] != Role::router && edge.from_port != "output") {
      return refuse(
          ErrorCode::unknown_port, from_where,
          fmt::format("`{}` is {} and has no port `{}` to send from", name(from), a_role(roles_[from]), edge.from_port),
          fmt::format("its port is `output`: from = \"{}\"", name(from)));
    }
    if (edge.to_port != "input") {
      return refuse(ErrorCode::unknown_port, to_where,
                    fmt::format("`{}` has no port `{}` to receive at", name(to), edge.to_port),
                    fmt::format("its port is `input`: to = \"{}\"", name(to)));
    }
    constexpr std::string_view chains_only =
        "this version runs chains: every node has one input and one output at most";
    if (next_[from] != none) {
      return graph_error(from_where,
                         fmt::format("`{}` has two outputs, to `{}` and `{}`", name(from), name(next_[from]), name(to)),
                         std::string(chains_only));
    }
    if (previous_[to] != none) {
      return graph_error(
          to_where, fmt::format("`{}` has two inputs, from `{}` and `{}`", name(to), name(previous_[to]), name(from)),
          std::string(chains_only));
    }
    next_[from] = to;
    previous_[to] = from;
    return {};
  }

  Status check_all_named() const {
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) {
      if (next_[i] != none || previous_[i] != none) continue;
      return graph_error(flow_.nodes[i].where, fmt::format("no edge of flow `{}` names node `{}`", flow_.name, name(i)),
                         "add an edge for it, or remove it");
    }
    return {};
  }

  // With one input and output at most, a graph is chains and rings: a node no chain reaches is in a ring.
  Status check_no_cycle() const {
    std::vector<bool> reached(flow_.nodes.size(), false);
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) {
      if (previous_[i] != none) continue;
      for (std::size_t node = i; node != none; node = next_[node]) reached[node] = true;
    }
    const auto in_ring = std::ranges::find(reached, false);
    if (in_ring == reached.end()) return {};
    const auto start = static_cast<std::size_t>(in_ring - reached.begin());
    constexpr std::size_t shown_max = 16;
    std::string path = name(start);
    std::size_t shown = 0;
    for (std::size_t node = next_[start]; node != start; node = next_[node]) {
      if (++shown < shown_max) path += " → " + name(node);
      if (shown == shown_max) path += " → …";
    }
    path += " → " + name(start);
    return graph_error(flow_.nodes[start].where, fmt::format("the edges make a cycle: {}", path),
                       "remove the edge that leads back");
  }

  Result<std::vector<std::size_t>> walk() const {
    const auto start = static_cast<std::size_t>(std::ranges::find(previous_, none) - previous_.begin());
    std::vector<std::size_t> order;
    for (std::size_t node = start; node != none; node = next_[node]) order.push_back(node);
    if (order.size() == flow_.nodes.size()) return order;
    const auto other = static_cast<std::size_t>(
        std::ranges::find(previous_.begin() + static_cast<std::ptrdiff_t>(start) + 1, previous_.end(), none) -
        previous_.begin());
    return graph_error(
        flow_.nodes[other].where,
        fmt::format("`{}` is not reached from `{}`: no edge leads to it", name(other), name(start)),
        fmt::format("add an edge, for instance from = \"{}\", to = \"{}\"", name(order.back()), name(other)));
  }

  const FlowConfig& flow_;
  std::map<std::string_view, std::size_t> indices_;
  std::vector<Role> roles_;
  std::vector<std::size_t> next_;
  std::vector<std::size_t> previous_;
};

}  // namespace

Result<Chain> check_chain(const FlowConfig& flow, const std::vector<RoledNode>& nodes) {
  Graph graph(flow);
  TORVYN_LET(std::vector<std::size_t> order, graph.order(nodes));
  TORVYN_TRY(graph.check_roles(order));
  return Chain{std::move(order)};
}

}  // namespace torvyn::pipeline
