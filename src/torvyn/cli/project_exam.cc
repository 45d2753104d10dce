#include "torvyn/cli/project_exam.h"

#include <fmt/format.h>

#include <map>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "torvyn/cli/project_build.h"
#include "torvyn/cli/session.h"
#include "torvyn/config/place.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/host/host.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {

using config::ComponentConfig;
using config::FlowConfig;
using config::NodeConfig;

namespace {

// The component of the manifest that a node names; null where it names something else.
const ComponentConfig* component_of(const NodeConfig& node, const config::Manifest& manifest) {
  if (connectors::find_builtin(node.component) != nullptr) return nullptr;
  return manifest.find_component(node.component);
}

bool is_there(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

}  // namespace

Result<ProjectExam> ProjectExam::create(const config::Manifest& manifest, std::filesystem::path components) {
  TORVYN_LET(contracts::ContractValidator validator, contracts::ContractValidator::create());
  // Nothing is instantiated here: no pool of slots.
  TORVYN_LET(std::unique_ptr<engine::Engine> engine,
             engine::WasmEngine::create({.max_instances = 0, .cache_directory = cache_directory(), .events = nullptr}));
  return ProjectExam(manifest, std::move(components), std::move(validator), std::move(engine));
}

std::filesystem::path ProjectExam::file_of(const ComponentConfig& component) const {
  return components_.empty() ? built_path(*manifest_, component) : components_ / (component.name + ".wasm");
}

bool ProjectExam::is_built(const ComponentConfig& component) const { return is_there(file_of(component)); }

std::vector<const ComponentConfig*> ProjectExam::components_of(const FlowConfig& flow) const {
  std::vector<const ComponentConfig*> found;
  for (const NodeConfig& node : flow.nodes)
    if (const ComponentConfig* const component = component_of(node, *manifest_)) found.push_back(component);
  return found;
}

contracts::ComponentReport ProjectExam::examine(const ComponentConfig& component) const {
  contracts::ComponentReport report;
  const std::filesystem::path file = file_of(component);
  const auto add = [&report, &component](Error error) {
    error.detail().component = component.name;
    report.errors.push_back(config::placed(std::move(error), component.where));
  };
  const auto bytes = read_file(file);
  if (!bytes) {
    add(bytes.error());
    return report;
  }
  const auto model = contracts::read_component(*bytes, file.string());
  if (!model) {
    add(model.error());
    return report;
  }
  contracts::ComponentReport found = validator_.check_component(*model, file.string());
  std::vector<Error> errors = std::exchange(found.errors, {});
  report = std::move(found);
  for (Error& error : errors) add(std::move(error));
  for (Error& warning : report.warnings) {
    warning.detail().component = component.name;
    warning = config::placed(std::move(warning), component.where);
  }
  if (!report.errors.empty()) return report;
  const auto loaded = engine_->load(file);
  if (!loaded) {
    add(loaded.error());
  } else if (Status imports = (*loaded)->check_imports(); !imports) {
    add(std::move(imports).error());
  }
  return report;
}

linker::FlowExam ProjectExam::examine(const FlowConfig& flow) const {
  // Nodes are given the files of what they name.
  FlowConfig resolved = flow;
  std::map<std::string, const ComponentConfig*> named;  // by node
  for (NodeConfig& node : resolved.nodes) {
    if (connectors::find_builtin(node.component) != nullptr) continue;
    const ComponentConfig* const component = component_of(node, *manifest_);
    std::filesystem::path file;
    if (component != nullptr) {
      named[node.name] = component;
      file = file_of(*component);
    } else if (!components_.empty()) {
      file = components_ / std::filesystem::path(node.component).filename();
      if (!is_there(file)) continue;
    } else {
      continue;
    }
    // A path in a flow is taken from the manifest's folder, --components from the current one.
    node.component = std::filesystem::proximate(file, manifest_->directory).string();
  }
  const linker::BuiltinCatalog builtins = host::builtin_catalog();
  const linker::ExamRequest request{.base_directory = manifest_->directory,
                                    .builtins = &builtins,
                                    .validator = &validator_,
                                    .terms =
                                        [&](const NodeConfig& node) {
                                          const auto component = named.find(node.name);
                                          return terms_of(node, component == named.end() ? nullptr : component->second);
                                        },
                                    .strict_imports = manifest_->security.strict_imports};
  linker::FlowExam exam = linker::examine_flow(resolved, *engine_, request);
  for (Error& error : exam.errors) {
    const auto component = named.find(error.detail().node);
    if (component == named.end() || error.code() != ErrorCode::component_not_found) continue;
    error.detail().message = fmt::format("`{}` is not built: there is no `{}`", component->second->name,
                                         file_of(*component->second).string());
    error.detail().hint = fmt::format("torvyn build --component {}", component->second->name);
  }
  return exam;
}

linker::Terms ProjectExam::terms_of(const NodeConfig& node, const ComponentConfig* component) const {
  linker::Terms terms;
  const auto grant = [&terms](std::span<const config::Capability> capabilities) {
    for (const config::Capability& capability : capabilities) terms.granted.push_back(capability.name);
  };
  const config::SecurityConfig& security = manifest_->security;
  grant(security.default_grants);
  grant(node.grants);
  const std::string file = std::filesystem::path(node.component).filename().string();
  for (const config::ComponentGrants& grants : security.grants)
    if (grants.component == file || (component != nullptr && grants.component == component->name))
      grant(grants.capabilities);
  if (component == nullptr) return terms;
  const auto require = [&terms](std::span<const config::Capability> capabilities) {
    for (const config::Capability& capability : capabilities) terms.required.push_back(capability.name);
  };
  require(component->required_capabilities);
  std::vector<std::string> optional;
  if (manifest_->components.size() == 1) {
    require(manifest_->required_capabilities);
    for (const config::Capability& capability : manifest_->optional_capabilities) optional.push_back(capability.name);
  }
  if (!terms.required.empty() || !optional.empty()) {
    terms.declared = terms.required;
    terms.declared->insert(terms.declared->end(), optional.begin(), optional.end());
  }
  terms.accepts = component->accepts;
  terms.produces = component->produces;
  return terms;
}

}  // namespace torvyn::cli
