#include "torvyn/linker/stages.h"

#include <cstddef>
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

// `name`: without "builtin:", which would make every name far from it.
Error nothing_by_that_name(const NodeConfig& node, std::string_view name, const BuiltinCatalog& builtins) {
  std::string message = "there is no component or built-in stage `" + node.component + "`";
  if (const std::string_view nearest = config::nearest(name, builtins.names); !nearest.empty())
    message += ", did you mean `" + std::string(nearest) + "`?";
  std::string hint = "a stage is the path of a component, or built in:";
  for (const std::string_view builtin : builtins.names) hint += " " + std::string(builtin);
  return {ErrorCode::component_not_found, std::move(message), std::move(hint)};
}

}  // namespace

std::vector<Place> places_of(const FlowConfig& flow) {
  std::vector<Place> places(flow.nodes.size());
  std::map<std::string_view, Place*> by_name;
  for (std::size_t i = 0; i < places.size(); ++i) by_name.emplace(flow.nodes[i].name, &places[i]);
  const auto mark = [&by_name](std::string_view node, bool Place::* end) {
    if (const auto place = by_name.find(node); place != by_name.end()) place->second->*end = true;
  };
  for (const config::EdgeConfig& edge : flow.edges) {
    mark(edge.from_node, &Place::has_output);
    mark(edge.to_node, &Place::has_input);
  }
  if (flow.edges.empty()) {
    const std::vector<std::size_t> chain = pipeline::implied_chain(flow);
    for (std::size_t i = 1; i < chain.size(); ++i) {
      places[chain[i - 1]].has_output = true;
      places[chain[i]].has_input = true;
    }
  }
  for (const NodeConfig& node : flow.nodes) mark(node.dead_letter, &Place::has_input);
  return places;
}

Error placed_at(Error error, const FlowConfig& flow, const NodeConfig& node) {
  const config::SourceLocation& where = node.component_where.file.empty() ? node.where : node.component_where;
  return config::placed(std::move(error), where).at_node(flow.name, node.name, node.component);
}

Role builtin_role(const BuiltinRoles& roles, const Place& place) {
  if (roles.only) return *roles.only;
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

// What only a component has: an instance that may trap, and that may stand beside others like it.
Status check_builtin(const NodeConfig& node) {
  const NodeConfig plain;
  const std::pair<std::string_view, bool> settings[] = {
      {"on_trap", node.on_trap != plain.on_trap},
      {"restarts", node.restarts != plain.restarts},
      {"restart_window", node.restart_window_ns != plain.restart_window_ns},
      {"instances", node.instances != plain.instances},
  };
  for (const auto& [name, is_set] : settings) {
    if (!is_set) continue;
    return fail(ErrorCode::graph_invalid,
                "`" + std::string(name) + "` is for components; `" + node.component + "` is a built-in stage",
                "leave it out; `on_error` and `retries` are for built-in stages too");
  }
  return {};
}

// Elements are dealt out among instances, so none of them sees the whole stream.
Status check_instances(const NodeConfig& node, Role role) {
  if (node.instances == 1 || role == Role::processor || role == Role::filter || role == Role::router) return {};
  return fail(ErrorCode::graph_invalid,
              "`" + node.name + "` has " + std::to_string(node.instances) +
                  " instances; only a processor, filter or router may have more than one, and it is " +
                  (role == Role::aggregator ? "an " : "a ") + std::string(contracts::role_name(role)),
              "leave `instances` out, and give it to the processors of the flow, where work can be shared out");
}

Status check_placement(const NodeConfig& node, Role role) {
  if (node.placement == config::Placement::flow || role != Role::source) return {};
  return fail(ErrorCode::graph_invalid,
              "`" + node.name + "` is a source, and those are called where their flow is driven",
              "leave `placement` out; with `parallel` for the stages after it, it has that thread to itself");
}

Status check_settings(const NodeConfig& node, const ComponentInfo& info) {
  if (node.config.empty() || info.has_lifecycle) return {};
  return fail(ErrorCode::settings_without_lifecycle,
              "`" + node.component + "` takes no settings: it has no `lifecycle`, so nobody would hand them to it",
              "leave the settings out, or build the component against a world with `lifecycle`");
}

std::filesystem::path component_path(const NodeConfig& node, const std::filesystem::path& base_directory) {
  return base_directory / node.component;
}

Result<FoundStage> find_stage(const NodeConfig& node, engine::Engine& engine, const BuiltinCatalog& builtins,
                              const std::filesystem::path& base_directory, LoadedComponents& loaded) {
  const bool says_builtin = node.component.starts_with(builtin_prefix);
  const std::string_view name = std::string_view(node.component).substr(says_builtin ? builtin_prefix.size() : 0);
  if (const auto roles = builtins.find(name)) return FoundStage{.builtin = roles, .component = nullptr};
  if (says_builtin) return fail(nothing_by_that_name(node, name, builtins));

  const std::filesystem::path path = component_path(node, base_directory);
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
  }
  return FoundStage{.builtin = std::nullopt, .component = component};
}

}  // namespace torvyn::linker
