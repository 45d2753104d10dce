#include "torvyn/cli/config_view.h"

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

using config::EffectiveValue;
using config::Layer;
using Json = nlohmann::ordered_json;

// Longer values (a component's settings) are cut: their place says where they stand in full.
constexpr std::size_t value_columns_max = 48;

std::string origin_of(const EffectiveValue& value) {
  std::string text = origin_text(value.origin);
  if (value.origin.is_ceiling) text += ", the ceiling";
  if (!value.inherited_from.empty()) text += fmt::format(", of {}", value.inherited_from);
  if (value.inert) text += ", no effect in this version";
  return printable(text);
}

// Where the last part of a path begins; dots in quotes are not between parts.
std::size_t key_offset(std::string_view path) {
  std::size_t offset = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\') {
      ++i;
    } else if (path[i] == '"') {
      quoted = !quoted;
    } else if (path[i] == '.' && !quoted) {
      offset = i + 1;
    }
  }
  return offset;
}

Json of_origin(const config::Origin& origin) {
  Json json = {{"layer", layer_name(origin.layer)}};
  if (origin.layer == Layer::environment) json["variable"] = origin_text(origin);
  const bool is_file = origin.layer == Layer::machine || origin.layer == Layer::user || origin.layer == Layer::project;
  if (is_file) {
    json["file"] = origin.where.file;
    json["line"] = origin.where.line;
    json["column"] = origin.where.column;
  }
  return json;
}

}  // namespace

std::string draw_configuration(std::span<const EffectiveValue> values, const Palette& palette) {
  std::string text;
  std::vector<std::vector<std::string>> rows;
  std::string_view section;
  const auto end_section = [&] {
    if (rows.empty()) return;
    text += fmt::format("{}{}\n{}", text.empty() ? "" : "\n", palette.strong(fmt::format("[{}]", printable(section))),
                        aligned(rows));
    rows.clear();
  };
  for (const EffectiveValue& value : values) {
    const std::string_view path = value.path;
    const std::size_t key = key_offset(path);
    const std::string_view its_section = path.substr(0, key == 0 ? 0 : key - 1);
    if (its_section != section) end_section();
    section = its_section;
    rows.push_back({printable(path.substr(key)),
                    clipped(value.value == "null" ? "none" : printable(value.value), value_columns_max),
                    origin_of(value)});
  }
  end_section();
  return text;
}

std::string configuration_json(std::span<const EffectiveValue> values) {
  Json list = Json::array();
  for (const EffectiveValue& value : values) {
    Json json = {{"path", value.path}, {"value", Json::parse(value.value)}, {"origin", of_origin(value.origin)}};
    if (value.origin.is_ceiling) json["ceiling"] = true;
    if (!value.inherited_from.empty()) json["inherited_from"] = value.inherited_from;
    json["effective"] = !value.inert;
    list.push_back(std::move(json));
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Warning warning_of(const config::Notice& notice) {
  return {.code = notice.code,
          .message = notice.message,
          .hint = notice.hint,
          .file = notice.where.line == 0 ? std::string() : notice.where.file,
          .line = notice.where.line,
          .column = notice.where.column};
}

}  // namespace torvyn::cli
