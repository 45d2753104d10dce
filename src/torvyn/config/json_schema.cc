#include "torvyn/config/json_schema.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

#include <nlohmann/json.hpp>

#include "torvyn/config/capability.h"
#include "torvyn/config/layers.h"
#include "torvyn/config/schema.h"
#include "torvyn/config/schema_check.h"
#include "torvyn/config/tree_json.h"
#include "torvyn/config/units.h"

namespace torvyn::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view name_pattern = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$";
constexpr std::string_view project_name_pattern = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$";
constexpr std::string_view version_pattern =
    R"(^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$)";
constexpr std::string_view size_pattern = R"(^ *[0-9]+(\.[0-9]+)? *(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)? *$)";
constexpr std::string_view rate_pattern = R"(^ *[0-9]+(\.[0-9]+)? *(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)? *(/s)?$)";
constexpr std::string_view duration_pattern = R"(^ *[0-9]+(\.[0-9]+)? *(ns|us|µs|μs|ms|s|m|min|h) *$)";
constexpr std::string_view address_pattern = R"(^((\[[0-9A-Za-z.:%-]+\]|[0-9A-Za-z.-]+):[0-9]{1,5})?$)";
constexpr std::string_view content_type_pattern = R"(^[A-Za-z0-9!#$&^_.+-]{1,127}/(\*|[A-Za-z0-9!#$&^_.+-]{1,127})$)";

// "count" …: as docs/configuration.md says it.
std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::text:
      return "text";
    case ValueType::text_list:
      return "list of texts";
    case ValueType::address:
      return "address";
    case ValueType::name:
    case ValueType::project_name:
      return "name";
    case ValueType::version:
      return "version";
    case ValueType::choice:
      return "choice";
    case ValueType::count:
      return "whole number";
    case ValueType::ratio:
    case ValueType::share:
      return "number";
    case ValueType::flag:
      return "true or false";
    case ValueType::size:
      return "size";
    case ValueType::rate:
      return "rate";
    case ValueType::duration:
      return "duration";
    case ValueType::file_mode:
      return "permissions";
    case ValueType::capability_list:
      return "list of capabilities";
    case ValueType::capability_map:
      return "capabilities";
    case ValueType::content_type_list:
      return "list of content types";
    case ValueType::table:
    case ValueType::table_list:
    case ValueType::table_map:
      return "table";
  }
  return "";
}

Json text_like(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

// JSON has no unsigned numbers as large as ours, and TOML's integers end at 2^63.
constexpr std::uint64_t integer_max = std::numeric_limits<std::int64_t>::max();

Json integer(std::uint64_t minimum, std::uint64_t maximum) {
  Json json = {{"type", "integer"}, {"minimum", minimum}};
  if (maximum < integer_max) json["maximum"] = maximum;
  return json;
}

std::string capability_pattern() {
  std::string names;
  for (const std::string_view name : capability_names()) names += fmt::format("{}|", name);
  return fmt::format("^({}wasi:[a-z-]+(/[a-z-]+)?)(:.+)?$", names);
}

class SchemaWriter {
 public:
  Json document() {
    Json definitions = Json::object();
    Json settings = Json::object();
    Json sections = Json::object();
    Json required = Json::array();
    for (const KeySchema& key : manifest_schema().keys) {
      Json section = described(key, "");
      if (key.reach == Reach::project) {
        sections[std::string(key.name)] = std::move(section);
        if (key.required) required.push_back(key.name);
        continue;
      }
      const Json reference = {{"$ref", fmt::format("#/$defs/{}", key.name)}};
      definitions[std::string(key.name)] = std::move(section);
      settings[std::string(key.name)] = reference;
      if (key.reach == Reach::settings) sections[std::string(key.name)] = reference;
    }
    definitions["settings-file"] = {
        {"title", "config.toml of a user or a machine; only the machine's has ceilings"},
        {"type", "object"},
        {"properties", std::move(settings)},
        {"additionalProperties", false},
    };
    return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "Torvyn.toml"},
            {"type", "object"},
            {"properties", std::move(sections)},
            {"required", std::move(required)},
            {"additionalProperties", false},
            {"$defs", std::move(definitions)}};
  }

 private:
  Json described(const KeySchema& key, const std::string& prefix) {
    const std::string path = prefix + std::string(key.name);
    Json json = {{"description", key.summary}};
    json.update(type_of(key, path));
    if (!key.fallback.empty()) json["default"] = default_of(key);
    Json own = {{"type", type_name(key.type)}, {"example", key.example}};
    if (key.type == ValueType::size || key.type == ValueType::rate || key.type == ValueType::duration) {
      own["minimum"] = shown_quantity(key.type, key.minimum);
      own["maximum"] = shown_quantity(key.type, key.maximum);
    }
    if (!key.inherits.empty()) own["inherits"] = key.inherits;
    if (!key.ceiling.empty()) own["ceiling"] = key.ceiling;
    if (key.inert) own["inert"] = true;
    if (const std::string variable = variable_of(path); !variable.empty()) own["environment"] = variable;
    json["x-torvyn"] = std::move(own);
    return json;
  }

  Json type_of(const KeySchema& key, const std::string& path) {
    Json json = type_of_value(key, path);
    if (!key.or_table) return json;
    Json table = key.table == nullptr ? Json{{"type", "object"}} : table_of(*key.table, path + ".");
    return {{"anyOf", Json::array({std::move(json), std::move(table)})}};
  }

  Json type_of_value(const KeySchema& key, const std::string& path) {
    switch (key.type) {
      case ValueType::text: {
        Json json = {{"type", "string"}};
        if (key.minimum > 0) json["minLength"] = key.minimum;
        return json;
      }
      case ValueType::text_list:
        return {{"type", "array"}, {"items", {{"type", "string"}}}};
      case ValueType::capability_list:
        return {{"type", "array"}, {"items", text_like(capability_pattern())}};
      case ValueType::content_type_list:
        return {{"type", "array"}, {"items", text_like(content_type_pattern)}};
      case ValueType::capability_map:
        return {{"type", "object"},
                {"propertyNames", {{"pattern", capability_pattern()}}},
                {"additionalProperties", {{"type", "boolean"}}}};
      case ValueType::address:
        return text_like(address_pattern);
      case ValueType::name:
        return text_like(name_pattern);
      case ValueType::project_name:
        return text_like(project_name_pattern);
      case ValueType::version:
        return text_like(version_pattern);
      case ValueType::choice:
        return {{"enum", Json(std::vector<std::string_view>(key.choices.begin(), key.choices.end()))}};
      case ValueType::count:
        return integer(key.minimum, key.maximum);
      case ValueType::ratio:
        return {{"type", "number"}, {"minimum", 0}, {"exclusiveMaximum", 1}};
      case ValueType::share:
        return {{"type", "number"}, {key.minimum == 0 ? "minimum" : "exclusiveMinimum", 0}, {"maximum", 1}};
      case ValueType::flag:
        return {{"type", "boolean"}};
      case ValueType::size:
        return {{"anyOf", Json::array({text_like(size_pattern), integer(key.minimum, key.maximum)})}};
      case ValueType::rate:
        return {{"anyOf", Json::array({text_like(rate_pattern), integer(key.minimum, key.maximum)})}};
      case ValueType::duration:
        return text_like(duration_pattern);
      case ValueType::file_mode:
        return {{"anyOf", Json::array({text_like("^0*[0-7]{1,3}$"), integer(key.minimum, key.maximum)})}};
      case ValueType::table:
        return table_of(*key.table, path + ".");
      case ValueType::table_list:
        return {{"type", "array"}, {"items", table_of(*key.table, path + ".")}};
      case ValueType::table_map:
        return {{"type", "object"},
                {"propertyNames", key.any_name ? Json{{"minLength", 1}} : Json{{"pattern", name_pattern}}},
                {"additionalProperties", table_of(*key.table, path + ".NAME.")}};
    }
    return {};
  }

  Json table_of(const TableSchema& table, const std::string& prefix) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const KeySchema& key : table.keys) {
      properties[std::string(key.name)] = described(key, prefix);
      for (const UnitSpelling& spelling : unit_spellings(key.type)) {
        const std::string name = std::string(key.name) + std::string(spelling.suffix);
        Json spelled = {{"description", fmt::format("`{}` as a whole number", key.name)}};
        spelled.update(integer((key.minimum + spelling.factor - 1) / spelling.factor, key.maximum / spelling.factor));
        spelled["x-torvyn"] = {{"spelling_of", key.name}};
        properties[name] = std::move(spelled);
      }
      if (key.required) required.push_back(key.name);
    }
    Json json = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) json["required"] = std::move(required);
    json["additionalProperties"] = false;
    return json;
  }

  static Json default_of(const KeySchema& key) {
    std::string json;
    const Status finite = append_json({}, default_value(key), json);
    return finite ? Json::parse(json) : Json();
  }

  std::string variable_of(std::string_view path) const {
    for (const auto& [variable, known] : variables_)
      if (known == path) return variable;
    return {};
  }

  const std::vector<std::pair<std::string, std::string>> variables_ = environment_names();
};

}  // namespace

std::string manifest_json_schema() { return SchemaWriter().document().dump(1) + '\n'; }

}  // namespace torvyn::config
