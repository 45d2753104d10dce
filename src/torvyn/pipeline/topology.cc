#include "torvyn/pipeline/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <tuple>
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

// Builds the graph of a flow step by step; what one step has checked, the next ones rely on. Indices are those of `flow.nodes`.
class GraphChecker {
 public:
  explicit GraphChecker(const FlowConfig& flow) : flow_(flow), inputs_(flow.nodes.size()), outputs_(flow.nodes.size()) {
    graph_.ports.resize(flow.nodes.size());
    graph_.dead_letter_port.resize(flow.nodes.size());
  }

  Result<Graph> check(const std::vector<RoledNode>& nodes) {
    TORVYN_TRY(find_roles(nodes));
    if (flow_.edges.empty()) {
      const std::vector<std::size_t> chain = implied_chain(flow_);
      for (std::size_t i = 1; i < chain.size(); ++i) connect(chain[i - 1], "output", chain[i], nullptr);
    } else {
      for (const EdgeConfig& edge : flow_.edges) TORVYN_TRY(connect(edge));
    }
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) TORVYN_TRY(connect_dead_letters(i));
    if (!flow_.edges.empty()) TORVYN_TRY(check_all_named());
    TORVYN_TRY(find_order());
    // A graph without cycles whose only beginnings are sources has no node that no source reaches.
    for (const std::size_t node : graph_.order) TORVYN_TRY(check_place(node));
    return std::move(graph_);
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

  void connect(std::size_t from, std::string_view port, std::size_t to, const EdgeConfig* config) {
    std::vector<std::string>& ports = graph_.ports[from];
    const auto [entry, is_new] = port_indices_.emplace(std::pair(from, port), ports.size());
    if (is_new) ports.emplace_back(port);
    outputs_[from].push_back(graph_.edges.size());
    inputs_[to].push_back(graph_.edges.size());
    graph_.edges.push_back({.from = from, .port = entry->second, .to = to, .config = config});
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
    if (edge.from_port == dead_letter_port_name && !flow_.nodes[from].dead_letter.empty()) {
      return graph_error(
          from_where,
          fmt::format("port `{}` of `{}` leads to its dead-letter node, and to no other", edge.from_port, name(from)),
          "call the router's own port something else");
    }
    if (edge.to_port != "input") {
      return refuse(ErrorCode::unknown_port, to_where,
                    fmt::format("`{}` has no port `{}` to receive at", name(to), edge.to_port),
                    fmt::format("its port is `input`: to = \"{}\"", name(to)));
    }
    if (const auto [same, is_new] = written_.emplace(std::tuple(from, std::string_view(edge.from_port), to), &edge);
        !is_new) {
      const std::uint32_t line = same->second->where.line;
      return graph_error(edge.where,
                         fmt::format("the edge from `{}` to `{}` is there twice{}", name(from), name(to),
                                     line == 0 ? "" : fmt::format("; the other one is in line {}", line)),
                         "remove one of the two");
    }
    connect(from, edge.from_port, to, &edge);
    return {};
  }

  Status connect_dead_letters(std::size_t from) {
    const NodeConfig& node = flow_.nodes[from];
    const config::ErrorPolicy& policy = node.on_error;
    const auto actions = {policy.invalid_input, policy.unavailable, policy.internal, policy.deadline_exceeded,
                          policy.exhausted};
    const bool sends = std::ranges::find(actions, config::ErrorAction::dead_letter) != actions.end();
    if (node.dead_letter.empty() && !sends) return {};
    const SourceLocation& where = node.dead_letter_where.line != 0 ? node.dead_letter_where : node.where;
    if (roles_[from] == Role::source) {
      return graph_error(
          where, fmt::format("`{}` is a source: it is given no element to send to a dead-letter node", name(from)),
          "leave `dead_letter` and the action `dead-letter` out");
    }
    if (node.dead_letter.empty()) {
      return graph_error(where, fmt::format("`{}` sends elements to its dead-letter node, and has none", name(from)),
                         fmt::format("add dead_letter = \"NODE\" to [flow.{}.nodes.{}]", flow_.name, name(from)));
    }
    TORVYN_LET(const std::size_t to, find_node(node.dead_letter, where));
    if (roles_[to] == Role::source) {
      return graph_error(where,
                         fmt::format("`{}` is a source and cannot receive what `{}` sends away", name(to), name(from)),
                         "name a sink, or a processor that leads to one");
    }
    graph_.dead_letter_port[from] = graph_.ports[from].size();
    connect(from, dead_letter_port_name, to, nullptr);
    return {};
  }

  Status check_all_named() const {
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) {
      if (!inputs_[i].empty() || !outputs_[i].empty()) continue;
      return graph_error(flow_.nodes[i].where, fmt::format("no edge of flow `{}` names node `{}`", flow_.name, name(i)),
                         "add an edge for it, or remove it");
    }
    return {};
  }

  // Takes nodes whose inputs are all in order off a stack: the last that became ready is next, so that chains are followed to
  // their ends; of several, the first of the file.
  Status find_order() {
    std::vector<std::size_t> inputs_left;
    std::vector<std::size_t> ready;
    for (const auto& inputs : inputs_) inputs_left.push_back(inputs.size());
    for (std::size_t i = flow_.nodes.size(); i-- > 0;) {
      if (inputs_left[i] == 0) ready.push_back(i);
    }
    while (!ready.empty()) {
      const std::size_t node = ready.back();
      ready.pop_back();
      graph_.order.push_back(node);
      const std::size_t waiting = ready.size();
      for (const std::size_t edge : outputs_[node]) {
        const std::size_t to = graph_.edges[edge].to;
        if (--inputs_left[to] == 0) ready.push_back(to);
      }
      std::ranges::sort(ready.begin() + static_cast<std::ptrdiff_t>(waiting), ready.end(), std::greater<>());
    }
    if (graph_.order.size() == flow_.nodes.size()) return {};
    return cycle_error(inputs_left);
  }

  // Nodes with inputs left are those of cycles and those behind them. Each has such a node before it, so the way back from any of
  // them ends in a cycle.
  std::unexpected<Error> cycle_error(const std::vector<std::size_t>& inputs_left) const {
    const auto edge_from_the_rest = [&](std::size_t node) {
      return *std::ranges::find_if(inputs_[node],
                                   [&](std::size_t edge) { return inputs_left[graph_.edges[edge].from] > 0; });
    };
    auto node = static_cast<std::size_t>(std::ranges::find_if(inputs_left, [](std::size_t left) { return left > 0; }) -
                                         inputs_left.begin());
    std::vector<bool> passed(flow_.nodes.size(), false);
    while (!passed[node]) {
      passed[node] = true;
      node = graph_.edges[edge_from_the_rest(node)].from;
    }
    std::vector<std::size_t> cycle;
    std::string hint = "remove the edge that leads back";
    const std::size_t start = node;
    do {
      const GraphEdge& edge = graph_.edges[edge_from_the_rest(node)];
      node = edge.from;
      cycle.push_back(node);
      if (is_dead_letter(edge))
        hint = fmt::format("name another node as `dead_letter` of `{}`: `{}` leads back to it", name(edge.from),
                           name(edge.to));
    } while (node != start);
    std::ranges::reverse(cycle);
    std::ranges::rotate(cycle, std::ranges::min_element(cycle));

    constexpr std::size_t shown_max = 16;
    std::string path;
    for (std::size_t i = 0; i < std::min(cycle.size(), shown_max); ++i) path += name(cycle[i]) + " → ";
    if (cycle.size() > shown_max) path += "… → ";
    path += name(cycle.front());
    // The edge from the last to the first is the one that leads back; where it is a dead-letter way, it stands at its node.
    const auto leads_back = [&](const GraphEdge& edge) {
      return edge.from == cycle.back() && edge.to == cycle.front();
    };
    const auto closing = std::ranges::find_if(graph_.edges, leads_back);
    const bool is_written =
        closing != graph_.edges.end() && closing->config != nullptr && closing->config->where.line != 0;
    return graph_error(is_written ? closing->config->where : flow_.nodes[cycle.front()].where,
                       fmt::format("the edges make a cycle: {}", path), std::move(hint));
  }

  bool is_dead_letter(const GraphEdge& edge) const { return graph_.dead_letter_port[edge.from] == edge.port; }

  // Null where the node sends nothing on but dead letters.
  const GraphEdge* first_output(std::size_t node) const {
    for (const std::size_t edge : outputs_[node]) {
      if (!is_dead_letter(graph_.edges[edge])) return &graph_.edges[edge];
    }
    return nullptr;
  }

  Status check_place(std::size_t index) const {
    const NodeConfig& node = flow_.nodes[index];
    const Role role = roles_[index];
    const GraphEdge* input = inputs_[index].empty() ? nullptr : &graph_.edges[inputs_[index].front()];
    const GraphEdge* output = first_output(index);
    const auto stands = [&](std::string_view otherwise) {
      return input == nullptr && output == nullptr ? "alone" : otherwise;
    };
    if (input == nullptr && role != Role::source) {
      return graph_error(node.where,
                         fmt::format("`{}` is {} and stands {}; a pipeline begins with a source", node.name,
                                     a_role(role), stands("first")),
                         no_input_hint(index));
    }
    if (input != nullptr && output != nullptr && (role == Role::source || role == Role::sink)) {
      const bool is_source = role == Role::source;
      return graph_error(
          node.where,
          fmt::format("`{}` is {} and stands between `{}` and `{}`; {} can only stand {}", node.name, a_role(role),
                      name(input->from), name(output->to), a_role(role), is_source ? "first" : "last"),
          fmt::format("move it to the {}, or put a processor, filter or aggregator in its place",
                      is_source ? "beginning" : "end"));
    }
    if (output == nullptr && role != Role::sink) {
      return graph_error(
          node.where,
          fmt::format("`{}` is {} and stands {}; a pipeline ends with a sink", node.name, a_role(role), stands("last")),
          no_output_hint(index));
    }
    return {};
  }

  std::string no_input_hint(std::size_t index) const {
    if (roles_[index] == Role::sink && first_output(index) != nullptr)
      return "a sink stands last; put a source in its place: `file PATH`, `stdin` or `generate`";
    if (!flow_.edges.empty()) return fmt::format("add an edge that leads to it: to = \"{}\"", name(index));
    return "put a source before it: `file PATH`, `stdin` or `generate`";
  }

  std::string no_output_hint(std::size_t index) const {
    if (roles_[index] == Role::source && !inputs_[index].empty())
      return "a source stands first; put a sink in its place: `stdout`, `file PATH` or `null`";
    if (!flow_.edges.empty()) return fmt::format("add an edge that leads on from it: from = \"{}\"", name(index));
    if (implied_chain(flow_).size() < flow_.nodes.size()) {
      return "put a sink after it that is no dead-letter node: those are left out of the chain, unless edges are "
             "written";
    }
    return "put a sink after it: `stdout`, `file PATH` or `null`";
  }

  const FlowConfig& flow_;
  Graph graph_;
  std::map<std::string_view, std::size_t> indices_;
  std::vector<Role> roles_;
  std::map<std::pair<std::size_t, std::string_view>, std::size_t> port_indices_;  // by node and name
  std::map<std::tuple<std::size_t, std::string_view, std::size_t>, const EdgeConfig*> written_;
  // Of each node, indices into the graph's edges.
  std::vector<std::vector<std::size_t>> inputs_;
  std::vector<std::vector<std::size_t>> outputs_;
};

}  // namespace

std::vector<std::size_t> implied_chain(const FlowConfig& flow) {
  std::set<std::string_view> dead_letter_nodes;
  for (const NodeConfig& node : flow.nodes) {
    if (!node.dead_letter.empty()) dead_letter_nodes.insert(node.dead_letter);
  }
  std::vector<std::size_t> chain;
  for (std::size_t i = 0; i < flow.nodes.size(); ++i) {
    if (!dead_letter_nodes.contains(flow.nodes[i].name)) chain.push_back(i);
  }
  return chain;
}

Result<Graph> check_graph(const FlowConfig& flow, const std::vector<RoledNode>& nodes) {
  return GraphChecker(flow).check(nodes);
}

}  // namespace torvyn::pipeline
