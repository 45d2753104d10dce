#include "torvyn/config/manifest.h"

#include <algorithm>
#include <utility>

#include "torvyn/config/config_file.h"
#include "torvyn/config/document.h"
#include "torvyn/config/fields.h"
#include "torvyn/config/schema_check.h"
#include "torvyn/config/settings_reader.h"
#include "torvyn/config/tree_reader.h"

namespace torvyn::config {
namespace {

constexpr Choice<ErrorAction> error_actions[] = {
    {"fail", ErrorAction::fail},
    {"skip", ErrorAction::skip},
    {"retry", ErrorAction::retry},
    {"dead-letter", ErrorAction::dead_letter},
};
constexpr Choice<Placement> placements[] = {
    {"flow", Placement::flow},
    {"parallel", Placement::parallel},
};

constexpr Choice<TrapAction> trap_actions[] = {
    {"fail", TrapAction::fail},
    {"restart", TrapAction::restart},
};

}  // namespace

ErrorPolicy error_policy(const ErrorActions& named, bool has_dead_letter) {
  ErrorPolicy policy;
  const std::pair<ErrorAction*, std::optional<ErrorAction>> cases[] = {
      {&policy.invalid_input, named.invalid_input},
      {&policy.unavailable, named.unavailable},
      {&policy.internal, named.internal},
      {&policy.deadline_exceeded, named.deadline_exceeded},
  };
  bool uses_dead_letter = named.others == ErrorAction::retry;
  for (const auto& [action, given] : cases) {
    *action = given.value_or(named.others.value_or(*action));
    uses_dead_letter = uses_dead_letter || *action == ErrorAction::dead_letter;
  }
  if (named.others.has_value() && named.others != ErrorAction::retry) {
    policy.exhausted = *named.others;
  } else if (uses_dead_letter && has_dead_letter) {
    policy.exhausted = ErrorAction::dead_letter;
  }
  // The same input would be invalid again: it is retried only where that is said of it by name.
  if (named.others == ErrorAction::retry && !named.invalid_input) policy.invalid_input = policy.exhausted;
  return policy;
}

ErrorAction error_action(std::string_view choice) { return meaning_of(choice, error_actions); }
TrapAction trap_action(std::string_view choice) { return meaning_of(choice, trap_actions); }

Placement placement(std::string_view choice) { return meaning_of(choice, placements); }
FullPolicy full_policy(std::string_view choice) { return meaning_of(choice, full_policies); }

const FlowConfig* Manifest::find_flow(std::string_view wanted) const noexcept {
  const auto flow = std::ranges::find(flows, wanted, &FlowConfig::name);
  return flow == flows.end() ? nullptr : &*flow;
}

const ComponentConfig* Manifest::find_component(std::string_view wanted) const noexcept {
  const auto component = std::ranges::find(components, wanted, &ComponentConfig::name);
  return component == components.end() ? nullptr : &*component;
}

Result<Manifest> load_manifest(const std::filesystem::path& path) {
  TORVYN_LET(const std::string text, read_config_file(path));
  return parse_manifest(text, path);
}

Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& name) {
  TORVYN_LET(Document document, checked_document(text, {.layer = Layer::project, .name = name.string()}));
  join_memory_limits(document);
  TORVYN_LET(Manifest manifest, read_tree(document));
  manifest.place_in(name);
  return manifest;
}

void Manifest::place_in(const std::filesystem::path& file) {
  path = file;
  directory = file.has_parent_path() ? file.parent_path() : ".";
}

Result<RuntimeConfig> RuntimeConfig::from_file(const std::filesystem::path& path) {
  TORVYN_LET(const std::string text, read_config_file(path));
  TORVYN_TRY(check_config_length(path.string(), text.size()));
  TORVYN_LET(Document document, parse_document(text, {.layer = Layer::project, .name = path.string()}));
  // A settings file has no project; what is one has to be whole.
  if (document.root.find("torvyn") == nullptr) document.sources.front().layer = Layer::user;
  TORVYN_TRY(apply_schema(document, manifest_schema()));
  join_memory_limits(document);
  TORVYN_LET(Manifest manifest, read_tree(document));
  return std::move(manifest.runtime);
}

}  // namespace torvyn::config
