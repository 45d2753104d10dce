#include "torvyn/linker/linker.h"

#include <cstddef>
#include <utility>

#include "torvyn/contracts/contract_validator.h"
#include "torvyn/linker/stages.h"
#include "torvyn/pipeline/topology.h"
#include "torvyn/types/file.h"

namespace torvyn::linker {

using config::FlowConfig;
using config::NodeConfig;
using engine::ComponentInfo;
using engine::StageInfo;

namespace {

// Whether the engine provides all imports. Where it doesn't because the component was built against another contract, that is the error:
// it shows both sides, and the engine only names one of them.
Status check_imports(const engine::Component& component, const std::filesystem::path& path) {
  Status status = component.check_imports();
  if (status) return {};
  const auto bytes = read_file(path);
  const auto validator = contracts::ContractValidator::create();
  if (!bytes || !validator) return status;
  const auto model = contracts::read_component(*bytes, component.name());
  if (!model) return status;
  contracts::ComponentReport report = validator->check_component(*model, component.name());
  if (report.errors.empty()) return status;
  return fail(std::move(report.errors.front()));
}

Result<LinkedNode> link_node(const NodeConfig& node, const Place& place, engine::Engine& engine,
                             const BuiltinCatalog& builtins, const std::filesystem::path& base_directory,
                             LoadedComponents& loaded) {
  const bool known = loaded.contains(component_path(node, base_directory).string());
  TORVYN_LET(const FoundStage found, find_stage(node, engine, builtins, base_directory, loaded));
  LinkedNode linked;
  linked.config = &node;
  if (found.builtin) {
    TORVYN_TRY(check_builtin(node));
    linked.role = builtin_role(*found.builtin, place);
    TORVYN_TRY(check_placement(node, linked.role));
    return linked;
  }
  if (!known) TORVYN_TRY(check_imports(*found.component, component_path(node, base_directory)));
  const StageInfo& stage = choose_stage(found.component->info(), place);
  TORVYN_TRY(check_settings(node, found.component->info()));
  TORVYN_TRY(check_instances(node, stage.role));
  TORVYN_TRY(check_placement(node, stage.role));
  linked.role = stage.role;
  linked.contract = stage.contract;
  linked.component = found.component;
  return linked;
}

}  // namespace

Result<LinkedFlow> link_flow(const FlowConfig& flow, engine::Engine& engine, const BuiltinCatalog& builtins,
                             const std::filesystem::path& base_directory) {
  LoadedComponents loaded;
  const std::vector<Place> places = places_of(flow);
  std::vector<LinkedNode> nodes;
  std::vector<pipeline::RoledNode> roled;
  for (std::size_t index = 0; index < flow.nodes.size(); ++index) {
    const NodeConfig& node = flow.nodes[index];
    Result<LinkedNode> linked = link_node(node, places[index], engine, builtins, base_directory, loaded);
    if (!linked) return fail(placed_at(std::move(linked).error(), flow, node));
    roled.push_back({&node, linked->role});
    nodes.push_back(*std::move(linked));
  }
  TORVYN_LET(pipeline::Graph graph, pipeline::check_graph(flow, roled));
  LinkedFlow linked;
  std::vector<std::size_t> positions(nodes.size());  // in the order, of each node of the flow
  for (const std::size_t index : graph.order) {
    positions[index] = linked.nodes.size();
    nodes[index].ports = std::move(graph.ports[index]);
    nodes[index].dead_letter_port = graph.dead_letter_port[index];
    linked.nodes.push_back(std::move(nodes[index]));
  }
  for (const pipeline::GraphEdge& edge : graph.edges) {
    linked.edges.push_back({.from = positions[edge.from],
                            .to = positions[edge.to],
                            .port = edge.port,
                            .stream = edge.config == nullptr ? nullptr : &edge.config->stream});
  }
  return linked;
}

Result<LinkedNode> link_replacement(const LinkedNode& node, const std::filesystem::path& component,
                                    engine::Engine& engine) {
  const std::string& name = node.config->name;
  if (node.component == nullptr)
    return fail(ErrorCode::graph_invalid, "`" + name + "` is a built-in stage, which no component can replace",
                "change the flow and start it again");
  LinkedNode replacement = node;
  TORVYN_LET(replacement.component, engine.load(component));
  TORVYN_TRY(check_imports(*replacement.component, component));
  const ComponentInfo& info = replacement.component->info();
  const StageInfo* const stage = info.find_stage(node.role);
  if (stage == nullptr) {
    const std::string role(contracts::role_name(node.role));
    return fail(ErrorCode::graph_invalid,
                "`" + component.string() + "` is no " + role + ", as `" + name + "` has to be",
                "swap it for a component that exports the interface of a " + role);
  }
  replacement.contract = stage->contract;
  if (!node.config->config.empty() && !info.has_lifecycle)
    return fail(ErrorCode::settings_without_lifecycle,
                "`" + component.string() + "` takes no settings, and `" + name + "` has some",
                "build the component against a world with `lifecycle`");
  return replacement;
}

}  // namespace torvyn::linker
