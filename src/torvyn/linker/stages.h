// What a node stands for: the pieces of linking one node, which link_flow puts together until the first error and examine_flow to the
// last. Inside this folder only.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/engine/engine.h"
#include "torvyn/linker/linker.h"
#include "torvyn/types/error.h"

namespace torvyn::linker {

// Where a node stands, as far as edges tell before the shape is checked: enough to choose among a stage's roles.
struct Place {
  bool has_input = false;
  bool has_output = false;
};

// Of each node of the flow. A dead-letter way is an input, and no output: a sink may have one too.
std::vector<Place> places_of(const config::FlowConfig& flow);

// The same error, with the node and the place its component was named at.
Error placed_at(Error error, const config::FlowConfig& flow, const config::NodeConfig& node);

// What `component` of a node names: one of the two.
struct FoundStage {
  std::optional<BuiltinRoles> builtin;
  std::shared_ptr<engine::Component> component;
};

// Components of one flow by their paths, so that each is loaded once.
using LoadedComponents = std::map<std::string, std::shared_ptr<engine::Component>>;

// Where `component` of a node is taken from; meaningful where it is no built-in stage.
std::filesystem::path component_path(const config::NodeConfig& node, const std::filesystem::path& base_directory);

// Looks a node's stage up; a component is compiled, its imports are not checked.
// Errors: E0210, E0004, E0102, E0104, E0201.
Result<FoundStage> find_stage(const config::NodeConfig& node, engine::Engine& engine, const BuiltinCatalog& builtins,
                              const std::filesystem::path& base_directory, LoadedComponents& loaded);

contracts::Role builtin_role(const BuiltinRoles& roles, const Place& place);
const engine::StageInfo& choose_stage(const engine::ComponentInfo& info, const Place& place);

// Settings that only components take (E0203), settings that nobody takes (E0206), instances of what keeps state (E0203).
Status check_builtin(const config::NodeConfig& node);
Status check_settings(const config::NodeConfig& node, const engine::ComponentInfo& info);
Status check_instances(const config::NodeConfig& node, contracts::Role role);
Status check_placement(const config::NodeConfig& node, contracts::Role role);

}  // namespace torvyn::linker
