#include "torvyn/config/layers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "torvyn/config/ceilings.h"
#include "torvyn/config/config_file.h"
#include "torvyn/config/document.h"
#include "torvyn/config/effective.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/override.h"
#include "torvyn/config/schema_check.h"
#include "torvyn/config/settings_reader.h"
#include "torvyn/config/tree_reader.h"

namespace torvyn::config {
namespace {

// Places count the sources of their document: behind `count` others they count on.
void move_places(Place& place, std::uint32_t count) { place.source += count; }
void move_places(Value& value, std::uint32_t count) {
  move_places(value.place, count);
  for (Value& item : value.items) move_places(item, count);
  for (Entry& entry : value.entries) {
    move_places(entry.place, count);
    move_places(entry.value, count);
  }
}

void join(Value& weaker, Value stronger) {
  for (Entry& entry : stronger.entries) {
    Value* const there = weaker.find(entry.key);
    if (there == nullptr) {
      weaker.entries.push_back(std::move(entry));
    } else if (there->kind == Value::Kind::table && entry.value.kind == Value::Kind::table) {
      join(*there, std::move(entry.value));
    } else {
      *std::ranges::find(weaker.entries, entry.key, &Entry::key) = std::move(entry);
    }
  }
}

// All layers in one document, grown from the weakest on.
class Layers {
 public:
  void add(Document document) {
    move_places(document.root, static_cast<std::uint32_t>(joined_.sources.size()));
    std::ranges::move(document.sources, std::back_inserter(joined_.sources));
    join(joined_.root, std::move(document.root));
  }

  // A file that may not be there.
  Status add_file(const std::filesystem::path& path, Layer layer) {
    if (path.empty()) return {};
    const Result<std::string> text = read_config_file(path);
    if (!text && text.error().code() == ErrorCode::manifest_not_found) return {};
    if (!text) return fail(text.error());
    TORVYN_LET(Document document, checked_document(*text, {.layer = layer, .name = path.string()}));
    add(std::move(document));
    return {};
  }

  Status add_environment(const ConfigurationSources& sources, std::vector<Notice>& notices) {
    for (const auto& [name, value] : sources.environment) {
      if (!name.starts_with("TORVYN_") || value.empty()) continue;
      const VariableMeaning meaning = meaning_of_variable(name);
      switch (meaning.kind) {
        case VariableMeaning::Kind::own:
          break;
        case VariableMeaning::Kind::setting: {
          TORVYN_LET(Document document, variable_document(name, value, meaning.path));
          add(std::move(document));
          break;
        }
        case VariableMeaning::Kind::grant:
          notices.push_back({.code = "W0701",
                             .message = fmt::format("`{}` is not taken from the environment: it gives rights", name),
                             .hint = "write it in a file, or with --set"});
          break;
        case VariableMeaning::Kind::unknown:
          notices.push_back(unknown_variable(name));
          break;
      }
    }
    return {};
  }

  Status add_assignments(const std::vector<std::string>& assignments) {
    for (const std::string& assignment : assignments) {
      TORVYN_LET(Document document, assignment_document(assignment, joined_.root));
      add(std::move(document));
    }
    return {};
  }

  Document& joined() noexcept { return joined_; }

 private:
  static Notice unknown_variable(std::string_view name) {
    const auto known = environment_names();
    std::vector<std::string_view> names;
    for (const auto& [variable, path] : known) names.push_back(variable);
    const std::string_view near = nearest(name, names);
    return {.code = "W0701",
            .message = fmt::format("the variable `{}` sets nothing that torvyn knows{}", name,
                                   near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
            .hint = "--set takes every key by its path: --set runtime.max_batch=32"};
  }

  Document joined_;  // its first source is that of defaults
};

Result<Configuration> join_layers(const ConfigurationSources& sources, std::optional<std::string_view> project_text) {
  Configuration configuration;
  configuration.has_project = project_text.has_value();
  Layers layers;
  layers.joined().sources.front().layer = Layer::defaults;
  TORVYN_TRY(layers.add_file(sources.machine_file, Layer::machine));
  TORVYN_TRY(layers.add_file(sources.user_file, Layer::user));
  if (project_text) {
    TORVYN_LET(Document document,
               checked_document(*project_text, {.layer = Layer::project, .name = sources.project_file.string()}));
    layers.add(std::move(document));
  }
  TORVYN_TRY(layers.add_environment(sources, configuration.notices));
  TORVYN_TRY(layers.add_assignments(sources.assignments));

  Document& joined = layers.joined();
  TORVYN_TRY(apply_ceilings(joined));
  configuration.ceilings = node_ceilings(joined);
  join_memory_limits(joined);
  TORVYN_LET(configuration.manifest, read_tree(joined));
  if (project_text) configuration.manifest.place_in(sources.project_file);
  configuration.values = effective_values(joined, configuration.has_project);
  std::ranges::move(inert_settings(joined), std::back_inserter(configuration.notices));
  return configuration;
}

std::filesystem::path folder_in(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

}  // namespace

ConfigurationSources ConfigurationSources::of_process() {
  ConfigurationSources sources{.machine_file = machine_config_file, .user_file = user_config_file()};
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && text.starts_with("TORVYN_"))
      sources.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return sources;
}

Result<Configuration> load_configuration(const ConfigurationSources& sources) {
  if (sources.project_file.empty()) return join_layers(sources, std::nullopt);
  TORVYN_LET(const std::string text, read_config_file(sources.project_file));
  return join_layers(sources, text);
}

Result<Configuration> parse_configuration(std::string_view project_text, const ConfigurationSources& sources) {
  return join_layers(sources, project_text);
}

std::filesystem::path user_config_file() {
  if (const auto home = folder_in("TORVYN_HOME"); !home.empty()) return home / "config.toml";
  // A relative XDG_CONFIG_HOME is to be ignored, says its specification.
  if (const auto configs = folder_in("XDG_CONFIG_HOME"); configs.is_absolute())
    return configs / "torvyn" / "config.toml";
  if (const auto home = folder_in("HOME"); !home.empty()) return home / ".config" / "torvyn" / "config.toml";
  return {};
}

}  // namespace torvyn::config
