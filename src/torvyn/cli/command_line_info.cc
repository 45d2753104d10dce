#include "torvyn/cli/command_line_info.h"

#include <algorithm>
#include <array>

#include "torvyn/cli/explanations.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/contracts/worlds.h"

namespace torvyn::cli {
namespace {

struct Fixed {
  std::string_view placeholder;
  std::string_view choices;  // blanks between
};
constexpr std::array fixed_choices = std::to_array<Fixed>({
    {"FORMAT", "human json"},
    {"WHEN", "auto always never"},
    {"LEVEL", "trace debug info warn error"},
    {"SHELL", "bash zsh fish"},
    {"LANGUAGE", "c cpp rust go python javascript"},
    {"TEMPLATE", "source sink transform filter router aggregator full-pipeline empty"},
    {"OBSERVED", "off production diagnostic"},
    {"SECTION", "exports imports sizes modules memory producers grants"},
});

struct Known {
  std::string_view placeholder;
  ValueKind kind;
};
constexpr std::array known_kinds = std::to_array<Known>({
    {"PATH", ValueKind::file},
    {"FILE", ValueKind::file},
    {"SOURCE", ValueKind::file},
    {"TARGET", ValueKind::file},
    {"X", ValueKind::file},
    {"DIR", ValueKind::folder},
    {"FLOW", ValueKind::flow},
    {"COMPONENT", ValueKind::component},
    {"NAME", ValueKind::free},
    {"HOST", ValueKind::file},
    {"NODE", ValueKind::free},
    {"N", ValueKind::free},
    {"TIME", ValueKind::free},
    {"ARG", ValueKind::free},
    {"V", ValueKind::free},
    {"PATH=VALUE", ValueKind::free},
});

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::vector<std::string> stage_names(bool sources_only) {
  std::vector<std::string> names;
  for (const connectors::BuiltinInfo& stage : connectors::builtins())
    if (stage.positions.source || !sources_only) names.emplace_back(stage.name);
  return names;
}

std::vector<std::string> world_names() {
  std::vector<std::string> names;
  for (const contracts::World& world : contracts::worlds()) names.emplace_back(world.name);
  return names;
}

}  // namespace

ValueInfo value_of(std::string_view placeholder) {
  if (placeholder.empty()) return {};
  if (placeholder == "CODE") return {ValueKind::choice, explained_codes()};
  if (placeholder == "WORLD") return {ValueKind::choice, world_names()};
  if (placeholder == "STAGE") return {ValueKind::choice, stage_names(false)};
  if (placeholder == "PIPELINE") return {ValueKind::pipeline, stage_names(true)};
  for (const Fixed& fixed : fixed_choices)
    if (fixed.placeholder == placeholder) return {ValueKind::choice, words_of(fixed.choices)};
  for (const Known& known : known_kinds)
    if (known.placeholder == placeholder) return {known.kind, {}};
  return {};
}

}  // namespace torvyn::cli
