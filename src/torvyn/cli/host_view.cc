#include "torvyn/cli/host_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/cli/text.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}
std::string text_of(const Json& value) { return value.is_string() ? printable(value.get<std::string>()) : "-"; }
std::string count_of(const Json& value) {
  return value.is_number_unsigned() ? config::format_count(value.get<std::uint64_t>()) : "-";
}
std::string time_of(const Json& value) {
  return value.is_number_unsigned() ? config::format_duration(value.get<std::uint64_t>()) : "-";
}
std::string id_of(const Json& value) {
  return value.is_number_unsigned() ? std::to_string(value.get<std::uint64_t>()) : "-";
}
std::uint64_t number_of(const Json& value) { return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0; }

Json parsed(std::string_view text) { return Json::parse(text, nullptr, false); }

// The flows in their order; without `all`, the last run of each name alone.
std::vector<Json> flows_of(const Json& json, bool all) {
  std::vector<Json> flows;
  const Json& list = member(json, "flows");
  if (!list.is_array()) return flows;
  std::set<std::string> seen;
  for (auto flow = list.rbegin(); flow != list.rend(); ++flow)
    if (seen.insert(text_of(member(*flow, "name"))).second || all) flows.push_back(*flow);
  std::ranges::reverse(flows);
  return flows;
}

std::string paint_states(const std::string& table, const Palette& palette) {
  std::string text;
  for (const std::string_view line : lines_of(table)) {
    if (line.empty()) continue;
    const bool bad = line.find("  failed  ") != std::string_view::npos;
    text += (bad ? palette.error(line) : std::string(line)) + '\n';
  }
  return text;
}

}  // namespace

std::string draw_flows(std::string_view flows_json, bool all, const Palette& palette) {
  Rows rows = {{"flow", "id", "state", "pulled", "delivered", "errors", "time"}};
  for (const Json& flow : flows_of(parsed(flows_json), all))
    rows.push_back({text_of(member(flow, "name")), id_of(member(flow, "id")), text_of(member(flow, "state")),
                    count_of(member(flow, "pulled")), count_of(member(flow, "delivered")),
                    count_of(member(flow, "errors")), time_of(member(flow, "duration_ns"))});
  if (rows.size() == 1) return "no flows\n";
  return paint_states(aligned(rows), palette);
}

std::string draw_flow(std::string_view flow_json, const Palette& palette) {
  const Json json = parsed(flow_json);
  const Json& flow = member(json, "flow");
  std::string text = fmt::format("{} · {} · {}: {} pulled, {} delivered, {} skipped, {} dropped, {} failed\n",
                                 palette.strong(text_of(member(flow, "name"))), text_of(member(flow, "state")),
                                 time_of(member(flow, "duration_ns")), count_of(member(flow, "pulled")),
                                 count_of(member(flow, "delivered")), count_of(member(flow, "skipped")),
                                 count_of(member(flow, "dropped")), count_of(member(flow, "failed")));
  Rows stages = {{"stage", "path", "in", "out", "errors", "restarts", "p50", "p99", "component"}};
  for (const Json& stage : member(json, "stages"))
    stages.push_back({text_of(member(stage, "node")), text_of(member(stage, "path")),
                      count_of(member(stage, "elements_in")), count_of(member(stage, "elements_out")),
                      count_of(member(stage, "errors")), count_of(member(stage, "restarts")),
                      time_of(member(stage, "p50_ns")), time_of(member(stage, "p99_ns")),
                      text_of(member(stage, "component"))});
  if (stages.size() > 1) text += aligned(stages);
  Rows streams = {{"stream", "elements", "waiting", "peak", "dropped"}};
  for (const Json& stream : member(json, "streams"))
    streams.push_back({text_of(member(stream, "from")) + " → " + text_of(member(stream, "to")),
                       count_of(member(stream, "transferred")), count_of(member(stream, "depth")),
                       count_of(member(stream, "peak_depth")), count_of(member(stream, "dropped"))});
  if (streams.size() > 1) text += aligned(streams);
  if (const Json& error = member(json, "error"); error.is_object())
    text += fmt::format("{}: {}\n", palette.error(fmt::format("error[{}]", text_of(member(error, "code")))),
                        text_of(member(error, "message")));
  return text;
}

std::string draw_reload(std::string_view reload_json, const Palette& palette) {
  const Json json = parsed(reload_json);
  Rows rows;
  std::string errors;
  for (const Json& flow : flows_of(json, true)) {
    std::string nodes;
    for (const Json& node : member(flow, "nodes")) nodes += (nodes.empty() ? "" : ", ") + text_of(node);
    rows.push_back({text_of(member(flow, "name")), text_of(member(flow, "change")), nodes});
    if (const Json& error = member(flow, "error"); error.is_object())
      errors += fmt::format("{}: {}\n", palette.error(fmt::format("error[{}]", text_of(member(error, "code")))),
                            text_of(member(error, "message")));
  }
  std::string text = rows.empty() ? "no flows\n" : aligned(rows);
  if (member(json, "needs_new_host") == true)
    text += palette.warning("note") +
            ": [runtime] or [security] has changed too; that holds once the host is started anew\n";
  return text + errors;
}

std::string draw_top(std::string_view host_json, std::string_view flows_json, std::string_view before_json,
                     double seconds, const Palette& palette) {
  const Json host = parsed(host_json);
  std::map<std::uint64_t, std::uint64_t> before;
  for (const Json& flow : flows_of(parsed(before_json), true))
    before[number_of(member(flow, "id"))] = number_of(member(flow, "pulled"));
  std::string text =
      fmt::format("{} · {} · up {} · level {}\n", palette.strong(text_of(member(host, "name"))),
                  text_of(member(host, "state")), time_of(member(host, "up_ns")), text_of(member(host, "level")));
  Rows rows = {{"flow", "state", "pulled", "a second", "delivered", "errors", "time"}};
  for (const Json& flow : flows_of(parsed(flows_json), false)) {
    std::string rate = "-";
    if (const auto known = before.find(number_of(member(flow, "id"))); known != before.end() && seconds > 0)
      rate = config::format_count(
          static_cast<std::uint64_t>(static_cast<double>(number_of(member(flow, "pulled")) - known->second) / seconds));
    rows.push_back({text_of(member(flow, "name")), text_of(member(flow, "state")), count_of(member(flow, "pulled")),
                    rate, count_of(member(flow, "delivered")), count_of(member(flow, "errors")),
                    time_of(member(flow, "duration_ns"))});
  }
  return text + paint_states(aligned(rows), palette);
}

}  // namespace torvyn::cli
