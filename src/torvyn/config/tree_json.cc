#include "torvyn/config/tree_json.h"

#include <cmath>

#include "torvyn/config/json_text.h"

namespace torvyn::config {

Status append_json(const Document& document, const Value& value, std::string& json) {
  switch (value.kind) {
    case Value::Kind::text:
    case Value::Kind::date:
      json += json_string(value.text);
      return {};
    case Value::Kind::integer:
      json += std::to_string(value.integer);
      return {};
    case Value::Kind::boolean:
      json += value.boolean ? "true" : "false";
      return {};
    case Value::Kind::number:
      if (!std::isfinite(value.number)) {
        return fail(document.error(ErrorCode::out_of_range, "infinity and nan have no place in a component's settings",
                                   "settings are handed over as JSON, which knows finite numbers only", value.place));
      }
      json += json_number(value.number);
      return {};
    case Value::Kind::list:
      json += '[';
      for (const Value& item : value.items) {
        if (&item != &value.items.front()) json += ',';
        TORVYN_TRY(append_json(document, item, json));
      }
      json += ']';
      return {};
    case Value::Kind::table:
      json += '{';
      for (const Entry& entry : value.entries) {
        if (&entry != &value.entries.front()) json += ',';
        json += json_string(entry.key) + ':';
        TORVYN_TRY(append_json(document, entry.value, json));
      }
      json += '}';
      return {};
  }
  return {};
}

Status append_plain(const Document& document, const Value& value, std::string& text) {
  if (value.kind != Value::Kind::text && value.kind != Value::Kind::date) return append_json(document, value, text);
  text += value.text;
  return {};
}

}  // namespace torvyn::config
