#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/text.h"
#include "torvyn/config/nearest.h"
#include "torvyn/connectors/connectors.h"

namespace torvyn::cli {
namespace {

using connectors::BuiltinInfo;
using connectors::SettingInfo;

std::string_view positions_text(connectors::Positions positions) {
  if (positions.source && positions.sink) return "source or sink";
  return positions.source ? "source" : "sink";
}

std::string draw_all() {
  std::vector<std::vector<std::string>> rows;
  for (const BuiltinInfo& stage : connectors::builtins())
    rows.push_back({std::string(stage.name), std::string(positions_text(stage.positions)), std::string(stage.summary)});
  return aligned(rows);
}

// "count=NUMBER", or what may stand alone: "[count=]NUMBER".
std::string draw_key(const SettingInfo& setting) {
  return setting.main ? fmt::format("[{}=]VALUE", setting.key) : fmt::format("{}=VALUE", setting.key);
}

std::string draw_one(const BuiltinInfo& stage, const Palette& palette) {
  std::string text =
      fmt::format("{}: {}; {}\n", palette.strong(stage.name), positions_text(stage.positions), stage.summary);
  std::vector<std::vector<std::string>> rows;
  for (const SettingInfo& setting : stage.settings) {
    // Of a stage that can be both, a setting may be for one.
    const bool partial =
        setting.positions.source != stage.positions.source || setting.positions.sink != stage.positions.sink;
    rows.push_back(
        {draw_key(setting), std::string(setting.type),
         setting.default_value.empty() ? "" : fmt::format("default {}", setting.default_value),
         partial ? fmt::format("{}: {}", positions_text(setting.positions), setting.help) : std::string(setting.help)});
  }
  return text + (rows.empty() ? " no settings\n" : aligned(rows));
}

}  // namespace

int show_stages(const StagesOptions& options, const Session& session) {
  const BuiltinInfo* const one = connectors::find_builtin(options.stage);
  if (!options.stage.empty() && one == nullptr) {
    std::vector<std::string_view> names;
    for (const BuiltinInfo& stage : connectors::builtins()) names.push_back(stage.name);
    const std::string_view near = config::nearest(options.stage, names);
    return report_failure(session, "stages",
                          Error(ErrorCode::component_not_found,
                                fmt::format("there is no built-in stage `{}`{}", options.stage,
                                            near.empty() ? "" : fmt::format(", did you mean `{}`?", near)),
                                fmt::format("built in are {}; a component is looked at with torvyn inspect FILE",
                                            fmt::join(names, ", "))));
  }
  if (session.json())
    return print_result(
        session, stages_json({.command = "stages"}, one == nullptr ? connectors::builtins() : std::span(one, 1)));
  const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
  return print_result(session, one == nullptr ? draw_all() : draw_one(*one, palette));
}

}  // namespace torvyn::cli
