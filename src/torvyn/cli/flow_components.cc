#include "torvyn/cli/flow_components.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "torvyn/cli/project_build.h"
#include "torvyn/config/place.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/security/sandbox.h"

namespace torvyn::cli {
namespace {

// How to build what the node names: a component of the manifest, or a source file. Nothing where it is neither.
std::optional<BuiltStage> built_stage(const config::NodeConfig& node, const ComponentOrigins& origins) {
  if (connectors::find_builtin(node.component) != nullptr) return std::nullopt;
  if (const config::ComponentConfig* const component =
          origins.manifest != nullptr ? origins.manifest->find_component(node.component) : nullptr)
    return BuiltStage{.name = component->name,
                      .node = node.name,
                      .request = request_for(*origins.manifest, *component),
                      .component = {},
                      .inputs = {}};
  std::optional<contracts::BuildRequest> request = request_for_file(node.component, origins.base);
  if (!request) return std::nullopt;
  return BuiltStage{
      .name = node.component, .node = node.name, .request = *std::move(request), .component = {}, .inputs = {}};
}

// [capabilities] speaks of the only component of a project.
std::vector<config::Capability> required_by(const config::Manifest& manifest,
                                            const config::ComponentConfig& component) {
  std::vector<config::Capability> required = component.required_capabilities;
  if (manifest.components.size() == 1)
    required.insert(required.end(), manifest.required_capabilities.begin(), manifest.required_capabilities.end());
  return required;
}

Status build_stage(BuiltStage& stage, bool build, const Session& session) {
  std::error_code error;
  if (!std::filesystem::exists(stage.request.sources.front(), error))
    return fail(ErrorCode::component_not_found, fmt::format("there is no `{}`", stage.request.sources.front().string()),
                "look at the spelling and at the folder it is taken from");
  if (build) {
    TORVYN_LET(contracts::BuildOutput output, build_on_screen(stage.request, stage.name, session));
    stage.inputs = std::move(output.inputs);
  } else if (!std::filesystem::exists(stage.request.output, error)) {
    return fail(ErrorCode::component_not_found,
                fmt::format("`{}` was not built yet: there is no `{}`", stage.name, stage.request.output.string()),
                "run `torvyn build`, or leave out --no-build");
  }
  return {};
}

}  // namespace

Result<std::vector<BuiltStage>> build_components_of(config::FlowConfig& flow, const ComponentOrigins& origins,
                                                    const Session& session) {
  std::vector<BuiltStage> stages;
  for (config::NodeConfig& node : flow.nodes) {
    std::optional<BuiltStage> stage = built_stage(node, origins);
    if (!stage) continue;
    // The manifest's name for it is lost with the file in its place.
    if (const config::ComponentConfig* const component =
            origins.manifest != nullptr ? origins.manifest->find_component(node.component) : nullptr) {
      node.grants = security::grants_of(origins.security, node, node.component);
      node.required = required_by(*origins.manifest, *component);
    }
    if (Status status = build_stage(*stage, origins.build, session); !status) {
      Error error = std::move(status).error();
      // A compiler has named the place already; of the others, the node is the place.
      if (error.detail().file.empty() && error.code() == ErrorCode::component_not_found)
        error = config::placed(std::move(error), node.component_where.file.empty() ? node.where : node.component_where);
      return fail(std::move(error).at_node(flow.name, node.name, {}));
    }
    const std::filesystem::path& file = stage->request.output;
    const bool is_ours = origins.base.empty() || file.is_absolute();
    node.component = is_ours ? file.string() : file.lexically_relative(origins.base.lexically_normal()).string();
    stage->component = node.component;
    stages.push_back(*std::move(stage));
  }
  return stages;
}

}  // namespace torvyn::cli
