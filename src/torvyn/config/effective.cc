#include "torvyn/config/effective.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "torvyn/config/json_text.h"
#include "torvyn/config/schema.h"
#include "torvyn/config/schema_check.h"
#include "torvyn/config/tree_json.h"
#include "torvyn/config/units.h"

namespace torvyn::config {
namespace {

// A value in its shortest exact form: what was written as 5000 ms is "5s".
std::string json_of(const Document& document, const KeySchema& key, const Value& value) {
  if (value.kind == Value::Kind::text || value.kind == Value::Kind::integer) {
    switch (key.type) {
      case ValueType::size:
        return json_string(exact_size(value.quantity));
      case ValueType::rate:
        return json_string(exact_size(value.quantity) + "/s");
      case ValueType::duration:
        return json_string(exact_duration(value.quantity));
      case ValueType::file_mode:
        return json_string(fmt::format("{:04o}", value.quantity));
      case ValueType::ratio:
      case ValueType::share:
        return json_number(value.number);
      default:
        break;
    }
  }
  std::string json;
  // What JSON cannot say was refused when the document was read.
  if (!append_json(document, value, json)) return "null";
  return json;
}

// "main" as it is, "upper.wasm" in quotes: as --set takes it.
std::string path_part(std::string_view name) {
  for (const char c : name) {
    const bool bare =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
    if (!bare) return json_string(name);
  }
  return std::string(name);
}

class EffectiveWalk {
 public:
  explicit EffectiveWalk(const Document& document) : document_(document) {}

  void table(const TableSchema& schema, const Value* written, const std::string& prefix, bool is_settings) {
    for (const KeySchema& key : schema.keys) {
      if (prefix.empty() && key.reach == Reach::machine) continue;
      const Value* const value = written == nullptr ? nullptr : written->find(key.name);
      const std::string path = prefix + std::string(key.name);
      if (key.type == ValueType::table) {
        table(*key.table, value, path + ".", is_settings || key.reach == Reach::settings);
      } else if (key.type == ValueType::table_map) {
        if (value == nullptr) continue;
        for (const Entry& entry : value->entries)
          table(*key.table, &entry.value, fmt::format("{}.{}.", path, path_part(entry.key)), false);
      } else if (key.type == ValueType::table_list) {
        if (value == nullptr) continue;
        for (std::size_t i = 0; i < value->items.size(); ++i)
          table(*key.table, &value->items[i], fmt::format("{}[{}].", path, i), false);
      } else {
        setting(key, value, path, is_settings);
      }
    }
  }

  std::vector<EffectiveValue> values;

 private:
  void setting(const KeySchema& key, const Value* value, const std::string& path, bool is_settings) {
    EffectiveValue effective{.path = path, .inert = key.inert};
    if (value != nullptr) {
      effective.value = json_of(document_, key, *value);
      effective.origin = origin_of(*value, key);
    } else if (!key.fallback.empty()) {
      effective.value = default_json(key);
    } else if (!key.inherits.empty()) {
      inherit(key.inherits, effective);
    } else if (!is_settings) {
      return;
    }
    values.push_back(std::move(effective));
  }

  Origin origin_of(const Value& value, const KeySchema& key) const {
    Origin origin{.layer = document_.source_of(value.place).layer, .where = document_.at(value.place)};
    const Value* const ceilings = document_.root.find("ceilings");
    const Value* const ceiling = ceilings == nullptr || key.ceiling.empty() ? nullptr : ceilings->find(key.ceiling);
    origin.is_ceiling = ceiling != nullptr && ceiling->place == value.place;
    return origin;
  }

  // Read once, however many nodes there are.
  const std::string& default_json(const KeySchema& key) {
    std::string& json = defaults_[&key];
    if (json.empty()) json = json_of(document_, key, default_value(key));
    return json;
  }

  // What is inherited stands in tables of fixed names.
  void inherit(std::string_view path, EffectiveValue& effective) {
    const TableSchema* schema = &manifest_schema();
    const Value* value = &document_.root;
    std::string_view rest = path;
    while (true) {
      const std::size_t dot = rest.find('.');
      const KeySchema& key = *schema->find(rest.substr(0, dot));
      value = value == nullptr ? nullptr : value->find(key.name);
      if (dot != std::string_view::npos) {
        schema = key.table;
        rest.remove_prefix(dot + 1);
        continue;
      }
      effective.inherited_from = path;
      if (value != nullptr) {
        effective.value = json_of(document_, key, *value);
        effective.origin = origin_of(*value, key);
      } else if (!key.fallback.empty()) {
        effective.value = default_json(key);
      }
      return;
    }
  }

  const Document& document_;
  std::map<const KeySchema*, std::string> defaults_;
};

void find_inert(const Document& document, const TableSchema& schema, const Value& written, const std::string& prefix,
                std::vector<Notice>& notices) {
  for (const Entry& entry : written.entries) {
    const KeySchema& key = *schema.find(entry.key);
    const std::string path = prefix + entry.key;
    if (key.inert) {
      notices.push_back(
          {.code = "W0700",
           .message = fmt::format("`{}` has no effect: this version reads it and does not act on it", path),
           .where = document.at(entry.place)});
    } else if (key.type == ValueType::table) {
      find_inert(document, *key.table, entry.value, path + ".", notices);
    } else if (key.type == ValueType::table_map) {
      for (const Entry& named : entry.value.entries)
        find_inert(document, *key.table, named.value, fmt::format("{}.{}.", path, path_part(named.key)), notices);
    } else if (key.type == ValueType::table_list) {
      for (std::size_t i = 0; i < entry.value.items.size(); ++i)
        find_inert(document, *key.table, entry.value.items[i], fmt::format("{}[{}].", path, i), notices);
    }
  }
}

}  // namespace

std::vector<EffectiveValue> effective_values(const Document& document, bool has_project) {
  EffectiveWalk walk(document);
  for (const KeySchema& key : manifest_schema().keys) {
    if (key.reach == Reach::machine || (key.reach == Reach::project && !has_project)) continue;
    const TableSchema section = {.keys = {&key, 1}};
    walk.table(section, &document.root, {}, key.reach == Reach::settings);
  }
  return std::move(walk.values);
}

std::vector<Notice> inert_settings(const Document& document) {
  std::vector<Notice> notices;
  find_inert(document, manifest_schema(), document.root, {}, notices);
  return notices;
}

}  // namespace torvyn::config
