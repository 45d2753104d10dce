#include "torvyn/config/schema_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/names.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/config/units.h"

namespace torvyn::config {
namespace {

// `max_memory_bytes` for `max_memory`: the plain key, and what one of the integer is worth.
struct Spelling {
  std::string_view suffix;
  std::uint64_t factor;
};
constexpr Spelling size_spellings[] = {{"_bytes", 1}};
constexpr Spelling duration_spellings[] = {{"_ms", ms_in_ns}, {"_s", s_in_ns}};

std::span<const Spelling> spellings_of(ValueType type) {
  switch (type) {
    case ValueType::size:
    case ValueType::rate:
      return size_spellings;
    case ValueType::duration:
      return duration_spellings;
    default:
      return {};
  }
}

std::string_view kind_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::text:
      return "text";
    case Value::Kind::integer:
      return "a whole number";
    case Value::Kind::number:
      return "a number with a fraction";
    case Value::Kind::boolean:
      return "true or false";
    case Value::Kind::date:
      return "a date or time";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::table:
      return "a table";
  }
  return "something else";
}

std::string_view wanted(const KeySchema& key) {
  switch (key.type) {
    case ValueType::text:
    case ValueType::choice:
      return key.or_table ? "text or a table" : "text";
    case ValueType::name:
    case ValueType::project_name:
    case ValueType::version:
      return "text";
    case ValueType::text_list:
      return "a list of texts";
    case ValueType::count:
      return "a whole number";
    case ValueType::ratio:
      return "a number";
    case ValueType::flag:
      return "true or false";
    case ValueType::size:
    case ValueType::rate:
      return "a size";
    case ValueType::duration:
      return "a duration with its unit";
    case ValueType::table:
      return "a table";
    case ValueType::table_list:
      return "a list of tables";
    case ValueType::table_map:
      return "a table of tables";
  }
  return "something else";
}

std::string shown(ValueType type, std::uint64_t quantity) {
  switch (type) {
    case ValueType::size:
      return format_size(quantity);
    case ValueType::rate:
      return format_size(quantity) + "/s";
    case ValueType::duration:
      return format_duration(quantity);
    default:
      return std::to_string(quantity);
  }
}

// "`a`, `b` or `c`".
std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += fmt::format("`{}`", names[i]);
  }
  return text;
}

std::string write_hint(const KeySchema& key) { return fmt::format("write {}", key.example); }

// A walk over document and schema together. `title` names the table in messages: "[runtime]".
class SchemaWalk {
 public:
  explicit SchemaWalk(const Document& document) : document_(document) {}

  Status table(Value& value, const TableSchema& schema, const std::string& title, const Place& where) {
    std::vector<const KeySchema*> seen;
    for (Entry& entry : value.entries) {
      std::uint64_t factor = 0;
      const KeySchema* key = find_key(schema, entry.key, factor);
      if (key == nullptr) return unknown_key(entry, schema, title);
      if (std::ranges::find(seen, key) != seen.end()) {
        return fail(document_.error(ErrorCode::out_of_range,
                                    fmt::format("`{}` sets `{}` a second time", entry.key, key->name),
                                    "leave one of the two spellings", entry.place));
      }
      seen.push_back(key);
      if (factor != 0) {
        TORVYN_TRY(spelled_quantity(entry, *key, factor));
        entry.key = key->name;
      } else {
        TORVYN_TRY(this->entry(entry, *key, title));
      }
    }
    for (const KeySchema& key : schema.keys) {
      if (!key.required || std::ranges::find(seen, &key) != seen.end()) continue;
      const bool is_section = key.type == ValueType::table;
      return fail(document_.error(ErrorCode::wrong_type,
                                  is_section ? fmt::format("there is no `[{}]` section", key.name)
                                             : fmt::format("`{}` has no `{}`", title, key.name),
                                  fmt::format("add {}", key.example), where));
    }
    return {};
  }

 private:
  // The schema of a key however it is spelled; null if there is none. `factor` is set for a spelling with a unit.
  static const KeySchema* find_key(const TableSchema& schema, std::string_view name, std::uint64_t& factor) {
    if (const KeySchema* key = schema.find(name)) return key;
    for (const KeySchema& key : schema.keys) {
      for (const Spelling& spelling : spellings_of(key.type)) {
        if (name.size() == key.name.size() + spelling.suffix.size() && name.starts_with(key.name) &&
            name.ends_with(spelling.suffix)) {
          factor = spelling.factor;
          return &key;
        }
      }
    }
    return nullptr;
  }

  Status unknown_key(const Entry& entry, const TableSchema& schema, const std::string& title) const {
    std::vector<std::string_view> names;
    for (const KeySchema& key : schema.keys) names.push_back(key.name);
    const std::string_view near = nearest(entry.key, names);
    if (!near.empty()) {
      return fail(document_.error(ErrorCode::unknown_key,
                                  fmt::format("unknown key `{}`, did you mean `{}`?", entry.key, near), {},
                                  entry.place));
    }
    const std::string place = title.empty() ? "a manifest" : fmt::format("`{}`", title);
    return fail(document_.error(ErrorCode::unknown_key, fmt::format("unknown key `{}` in {}", entry.key, place),
                                fmt::format("{} may hold {}", place, listed(names)), entry.place));
  }

  Error wrong_type(const Entry& entry, const KeySchema& key) const {
    std::string hint = write_hint(key);
    if (key.type == ValueType::duration && entry.value.kind == Value::Kind::integer) {
      hint += fmt::format(" or {}_ms = {}", key.name, entry.value.integer);
    }
    return document_.error(ErrorCode::wrong_type,
                           fmt::format("`{}` wants {}, not {}", entry.key, wanted(key), kind_name(entry.value.kind)),
                           std::move(hint), entry.value.place);
  }

  Status in_range(const Entry& entry, const KeySchema& key, std::uint64_t quantity) const {
    if (quantity >= key.minimum && quantity <= key.maximum) return {};
    return fail(document_.error(ErrorCode::out_of_range,
                                fmt::format("`{}` is {}; it must be {} to {}", entry.key, shown(key.type, quantity),
                                            shown(key.type, key.minimum), shown(key.type, key.maximum)),
                                write_hint(key), entry.value.place));
  }

  Status negative(const Entry& entry, const KeySchema& key) const {
    return fail(document_.error(ErrorCode::out_of_range, fmt::format("`{}` is negative", entry.key), write_hint(key),
                                entry.value.place));
  }

  // `component_init_timeout_ms = 5000`.
  Status spelled_quantity(Entry& entry, const KeySchema& key, std::uint64_t factor) const {
    Value& value = entry.value;
    if (value.kind != Value::Kind::integer) {
      return fail(document_.error(ErrorCode::wrong_type,
                                  fmt::format("`{}` wants a whole number, not {}", entry.key, kind_name(value.kind)),
                                  write_hint(key), value.place));
    }
    if (value.integer < 0) return negative(entry, key);
    const auto count = static_cast<std::uint64_t>(value.integer);
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    value.quantity = count > most / factor ? most : count * factor;
    return in_range(entry, key, value.quantity);
  }

  Status quantity(Entry& entry, const KeySchema& key) const {
    Value& value = entry.value;
    const bool is_duration = key.type == ValueType::duration;
    if (value.kind == Value::Kind::integer && !is_duration) {
      if (value.integer < 0) return negative(entry, key);
      value.quantity = static_cast<std::uint64_t>(value.integer);
      return in_range(entry, key, value.quantity);
    }
    if (value.kind != Value::Kind::text || key.type == ValueType::count) return fail(wrong_type(entry, key));
    std::string_view text = value.text;
    if (key.type == ValueType::rate && text.ends_with("/s")) text.remove_suffix(2);
    const Result<std::uint64_t> parsed = is_duration ? parse_duration(text) : parse_size(text);
    if (!parsed) {
      return fail(document_.error(parsed.error().code(), parsed.error().message(), parsed.error().hint(), value.place));
    }
    value.quantity = *parsed;
    return in_range(entry, key, value.quantity);
  }

  // TOML tells 0 from 0.0; nobody who means a ratio does.
  Status ratio(Entry& entry, const KeySchema& key) const {
    Value& value = entry.value;
    if (value.kind == Value::Kind::integer) {
      value.number = static_cast<double>(value.integer);
    } else if (value.kind != Value::Kind::number) {
      return fail(wrong_type(entry, key));
    }
    if (value.number >= 0.0 && value.number < 1.0) return {};
    return fail(document_.error(ErrorCode::out_of_range,
                                fmt::format("`{}` is {}; it must be from 0.0 to below 1.0", entry.key, value.number),
                                write_hint(key), value.place));
  }

  Status text(const Entry& entry, const KeySchema& key) const {
    const Value& value = entry.value;
    const auto refuse = [&](std::string message) {
      return fail(document_.error(ErrorCode::out_of_range, std::move(message), write_hint(key), value.place));
    };
    if (key.type == ValueType::choice) {
      if (std::ranges::find(key.choices, value.text) != key.choices.end()) return {};
      const std::vector<std::string_view> choices(key.choices.begin(), key.choices.end());
      const std::string_view near = nearest(value.text, choices);
      const std::string question = near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
      return fail(document_.error(ErrorCode::out_of_range,
                                  fmt::format("`{}` cannot be `{}`{}", entry.key, value.text, question),
                                  fmt::format("it is {}", listed(choices)), value.place));
    }
    if (key.type == ValueType::name && !is_name(value.text)) return refuse(bad_name(value.text));
    if (key.type == ValueType::project_name && !is_project_name(value.text)) {
      return refuse(
          fmt::format("`{}` is not a project name: lowercase letters, digits and hyphens, 64 at most", value.text));
    }
    if (key.type == ValueType::version && !is_semver(value.text)) {
      return refuse(fmt::format("`{}` is not a version of the form 1.2.3", value.text));
    }
    if (value.text.size() < key.minimum) return refuse(fmt::format("`{}` is empty", entry.key));
    // It would end a path or a C string early.
    if (value.text.find('\0') != std::string::npos) return refuse(fmt::format("`{}` holds a NUL byte", entry.key));
    return {};
  }

  static std::string bad_name(std::string_view name) {
    return fmt::format("`{}` is not a name: letters, digits, hyphens and underscores, 64 at most, no hyphen first",
                       name);
  }

  static std::string subtitle(const std::string& title, std::string_view key) {
    // "[flow.main]" and "nodes" → "[flow.main.nodes]"; a list's table keeps its double brackets.
    if (title.empty()) return fmt::format("[{}]", key);
    const std::size_t brackets = title.starts_with("[[") ? 2 : 1;
    return fmt::format("[{}.{}]", title.substr(brackets, title.size() - 2 * brackets), key);
  }

  // A value whose type is a table, a list of tables or a map of tables.
  Status tables(Entry& entry, const KeySchema& key, const std::string& title) {
    Value& value = entry.value;
    const std::string own_title = subtitle(title, entry.key);
    if (key.type == ValueType::table_list) {
      if (value.kind != Value::Kind::list) return fail(wrong_type(entry, key));
      for (Value& item : value.items) {
        if (item.kind != Value::Kind::table) {
          return fail(
              document_.error(ErrorCode::wrong_type,
                              fmt::format("`{}` wants a list of tables; this is {}", entry.key, kind_name(item.kind)),
                              write_hint(key), item.place));
        }
        TORVYN_TRY(table(item, *key.table, "[" + own_title + "]", item.place));
      }
      return {};
    }
    if (value.kind != Value::Kind::table) return fail(wrong_type(entry, key));
    if (key.type == ValueType::table_map) {
      for (Entry& named : value.entries) {
        if (named.value.kind != Value::Kind::table) {
          return fail(document_.error(
              ErrorCode::wrong_type,
              fmt::format("`{}` wants a table, not {}", subtitle(own_title, named.key), kind_name(named.value.kind)),
              write_hint(key), named.place));
        }
        if (!is_name(named.key)) {
          return fail(document_.error(ErrorCode::out_of_range, bad_name(named.key), write_hint(key), named.place));
        }
        TORVYN_TRY(table(named.value, *key.table, subtitle(own_title, named.key), named.place));
      }
      return {};
    }
    return table(value, *key.table, own_title, entry.place);
  }

  Status entry(Entry& entry, const KeySchema& key, const std::string& title) {
    Value& value = entry.value;
    switch (key.type) {
      case ValueType::table:
      case ValueType::table_list:
      case ValueType::table_map:
        return tables(entry, key, title);
      case ValueType::count:
      case ValueType::size:
      case ValueType::rate:
      case ValueType::duration:
        return quantity(entry, key);
      case ValueType::ratio:
        return ratio(entry, key);
      case ValueType::flag:
        if (value.kind != Value::Kind::boolean) return fail(wrong_type(entry, key));
        value.quantity = value.boolean ? 1 : 0;
        return {};
      case ValueType::text_list:
        if (value.kind != Value::Kind::list ||
            !std::ranges::all_of(value.items, [](const Value& item) { return item.kind == Value::Kind::text; })) {
          return fail(wrong_type(entry, key));
        }
        return {};
      default:
        break;
    }
    if (key.or_table && value.kind == Value::Kind::table) {
      return key.table == nullptr ? Status{} : table(value, *key.table, subtitle(title, entry.key), entry.place);
    }
    if (value.kind != Value::Kind::text) return fail(wrong_type(entry, key));
    return text(entry, key);
  }

  const Document& document_;
};

}  // namespace

Status apply_schema(Document& document, const TableSchema& schema) {
  return SchemaWalk(document).table(document.root, schema, "", document.root.place);
}

}  // namespace torvyn::config
