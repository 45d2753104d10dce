#include "torvyn/linker/linker.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/pipeline/topology.h"

namespace torvyn::linker {

using config::FlowConfig;
using config::NodeConfig;
using contracts::Role;
using engine::ComponentInfo;
using engine::StageInfo;

namespace {

constexpr std::string_view builtin_prefix = "builtin:";

// Where a node stands, as far as edges tell before the shape is checked: enough to choose among a stage's roles.
struct Place {
  bool has_input = false;
  bool has_output = false;
};

Place place_of(const FlowConfig& flow, std::size_t index) {
  if (flow.edges.empty()) return {.has_input = index != 0, .has_output = index + 1 != flow.nodes.size()};
  Place place;
  for (const config::EdgeConfig& edge : flow.edges) {
    place.has_input = place.has_input || edge.to_node == flow.nodes[index].name;
    place.has_output = place.has_output || edge.from_node == flow.nodes[index].name;
  }
  return place;
}

Error placed_at(Error error, const FlowConfig& flow, const NodeConfig& node) {
  const config::SourceLocation& where = node.component_where.file.empty() ? node.where : node.component_where;
  return config::placed(std::move(error), where).at_node(flow.name, node.name, node.component);
}

Role builtin_role(const BuiltinRoles& roles, const Place& place) {
  if (roles.source && roles.sink) return place.has_input ? Role::sink : Role::source;
  return roles.source ? Role::source : Role::sink;
}

const StageInfo& choose_stage(const ComponentInfo& info, const Place& place) {
  const auto wanted = [&place] {
    if (!place.has_input) return std::vector{Role::source};
    if (!place.has_output) return std::vector{Role::sink};
    return std::vector{Role::processor, Role::filter, Role::router, Role::aggregator};
  }();
  for (const Role role : wanted)
    if (const StageInfo* stage = info.find_stage(role)) return *stage;
  return info.stages.front();
}

// `name`: without "builtin:", which would make every name far from it.
Error nothing_by_that_name(const NodeConfig& node, std::string_view name, const BuiltinCatalog& builtins) {
  std::string hint = "a stage is a built-in name or the path of a component";
  if (const std::string_view nearest = config::nearest(name, builtins.names); !nearest.empty())
    hint = "did you mean `" + std::string(nearest) + "`?";
  return {ErrorCode::component_not_found, "there is no component or built-in stage `" + node.component + "`",
          std::move(hint)};
}

Result<LinkedNode> find_stage(const NodeConfig& node, const Place& place, engine::Engine& engine,
                              const BuiltinCatalog& builtins, const std::filesystem::path& base_directory,
                              std::map<std::string, std::shared_ptr<engine::Component>>& loaded) {
  const bool says_builtin = node.component.starts_with(builtin_prefix);
  const std::string_view name = std::string_view(node.component).substr(says_builtin ? builtin_prefix.size() : 0);
  if (const auto roles = builtins.find(name))
    return LinkedNode{.config = &node, .role = builtin_role(*roles, place), .contract = {}, .component = nullptr};
  if (says_builtin) return fail(nothing_by_that_name(node, name, builtins));

  const std::filesystem::path path = base_directory / node.component;
  std::shared_ptr<engine::Component>& component = loaded[path.string()];
  if (component == nullptr) {
    Result<std::shared_ptr<engine::Component>> result = engine.load(path);
    if (!result) {
      const bool bare_name = node.component.find('/') == std::string::npos && !node.component.ends_with(".wasm");
      if (result.error().code() == ErrorCode::component_not_found && bare_name)
        return fail(nothing_by_that_name(node, name, builtins));
      return fail(std::move(result).error());
    }
    component = *std::move(result);
    TORVYN_TRY(component->check_imports());
  }
  const StageInfo& stage = choose_stage(component->info(), place);
  if (!node.config.empty() && !component->info().has_lifecycle)
    return fail(ErrorCode::settings_without_lifecycle,
                "`" + node.component + "` takes no settings: it has no `lifecycle`, so nobody would hand them to it",
                "leave the settings out, or build the component against a world with `lifecycle`");
  return LinkedNode{.config = &node, .role = stage.role, .contract = stage.contract, .component = component};
}

}  // namespace

Result<LinkedFlow> link_flow(const FlowConfig& flow, engine::Engine& engine, const BuiltinCatalog& builtins,
                             const std::filesystem::path& base_directory) {
  std::map<std::string, std::shared_ptr<engine::Component>> loaded;
  std::vector<LinkedNode> nodes;
  std::vector<pipeline::RoledNode> roled;
  for (std::size_t index = 0; index < flow.nodes.size(); ++index) {
    const NodeConfig& node = flow.nodes[index];
    Result<LinkedNode> linked = find_stage(node, place_of(flow, index), engine, builtins, base_directory, loaded);
    if (!linked) return fail(placed_at(std::move(linked).error(), flow, node));
    roled.push_back({&node, linked->role});
    nodes.push_back(*std::move(linked));
  }
  TORVYN_LET(const pipeline::Chain chain, pipeline::check_chain(flow, roled));
  LinkedFlow linked;
  for (const std::size_t index : chain.order) linked.nodes.push_back(std::move(nodes[index]));
  return linked;
}

}  // namespace torvyn::linker
