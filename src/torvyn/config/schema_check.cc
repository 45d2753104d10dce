#include "torvyn/config/schema_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/config_file.h"
#include "torvyn/config/layers.h"
#include "torvyn/config/names.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/config/units.h"
#include "torvyn/types/assert.h"

namespace torvyn::config {
namespace {

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
    case ValueType::address:
      return "text";
    case ValueType::text_list:
    case ValueType::capability_list:
    case ValueType::content_type_list:
      return "a list of texts";
    case ValueType::file_mode:
      return "permissions";
    case ValueType::capability_map:
      return "a table of capabilities";
    case ValueType::count:
      return "a whole number";
    case ValueType::ratio:
    case ValueType::share:
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

// Written nowhere.
void unplace(Value& value) {
  value.place = {};
  for (Value& item : value.items) unplace(item);
}

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
      if (title.empty()) TORVYN_TRY(in_reach(entry, *key));
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
    if (layer() != Layer::project) return {};
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
  Layer layer() const { return document_.sources.front().layer; }

  bool is_settings_file() const { return layer() == Layer::machine || layer() == Layer::user; }

  bool has_place(const KeySchema& key) const {
    if (key.reach == Reach::machine) return layer() == Layer::machine;
    return key.reach == Reach::settings || !is_settings_file();
  }

  Status in_reach(const Entry& entry, const KeySchema& key) const {
    if (has_place(key)) return {};
    if (key.reach == Reach::machine) {
      return fail(document_.error(ErrorCode::unknown_key,
                                  fmt::format("`[{}]` is for the machine's configuration alone", key.name),
                                  fmt::format("it stands in {}", machine_config_file), entry.place));
    }
    return fail(document_.error(ErrorCode::unknown_key,
                                fmt::format("`{}` belongs to a project, and this file is for all of them", key.name),
                                "write it in a project's Torvyn.toml", entry.place));
  }

  Status unknown_key(const Entry& entry, const TableSchema& schema, const std::string& title) const {
    std::vector<std::string_view> names;
    for (const KeySchema& key : schema.keys) {
      if (!title.empty() || has_place(key)) names.push_back(key.name);
    }
    const std::string_view near = nearest(entry.key, names);
    if (!near.empty()) {
      return fail(document_.error(ErrorCode::unknown_key,
                                  fmt::format("unknown key `{}`, did you mean `{}`?", entry.key, near), {},
                                  entry.place));
    }
    const std::string place = !title.empty()       ? fmt::format("`{}`", title)
                              : is_settings_file() ? "a settings file"
                                                   : "a manifest";
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
    return fail(
        document_.error(ErrorCode::out_of_range,
                        fmt::format("`{}` is {}; it must be {} to {}", entry.key, shown_quantity(key.type, quantity),
                                    shown_quantity(key.type, key.minimum), shown_quantity(key.type, key.maximum)),
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

  // A number of a core or of all traces. Whole numbers are 0 and 1.
  Status share(Entry& entry, const KeySchema& key) const {
    Value& value = entry.value;
    if (value.kind == Value::Kind::integer) {
      value.number = static_cast<double>(value.integer);
    } else if (value.kind != Value::Kind::number) {
      return fail(wrong_type(entry, key));
    }
    if (value.number >= 0.0 && value.number <= 1.0) {
      value.quantity = static_cast<std::uint64_t>(std::llround(value.number * static_cast<double>(whole_share)));
      if (value.quantity >= key.minimum) return {};
    }
    return fail(document_.error(ErrorCode::out_of_range,
                                fmt::format("`{}` is {}; it must be {} to 1.0", entry.key, value.number,
                                            key.minimum == 0 ? "0.0" : "above 0.0"),
                                write_hint(key), value.place));
  }

  // "0600", as chmod takes it, or TOML's 0o600.
  Status file_mode(Entry& entry, const KeySchema& key) const {
    Value& value = entry.value;
    if (value.kind == Value::Kind::integer) {
      if (value.integer < 0) return negative(entry, key);
      value.quantity = static_cast<std::uint64_t>(value.integer);
      value.text = fmt::format("{:04o}", value.quantity);
    } else if (value.kind != Value::Kind::text) {
      return fail(wrong_type(entry, key));
    } else {
      const char* const end = value.text.data() + value.text.size();
      const auto [stopped, error] = std::from_chars(value.text.data(), end, value.quantity, 8);
      if (error != std::errc() || stopped != end) value.quantity = key.maximum + 1;
    }
    if (value.quantity <= key.maximum) return {};
    return fail(document_.error(
        ErrorCode::out_of_range,
        fmt::format("`{}` is {}, which are no permissions from 0000 to {:04o}", entry.key, value.text, key.maximum),
        write_hint(key), value.place));
  }

  // Each item of a list of texts.
  Status listed_text(const Value& item, const KeySchema& key) const {
    if (key.type == ValueType::capability_list) return capability(item.text, item.place);
    if (key.type == ValueType::content_type_list && !is_content_type(item.text)) {
      return fail(document_.error(ErrorCode::out_of_range,
                                  fmt::format("`{}` is not a content type of the form type/subtype", item.text),
                                  write_hint(key), item.place));
    }
    return {};
  }

  Status capability(std::string_view text, const Place& place) const {
    const Result<Capability> parsed = parse_capability(text);
    if (parsed) return {};
    return fail(document_.error(parsed.error().code(), parsed.error().message(), parsed.error().hint(), place));
  }

  Status capability_map(Entry& entry, const KeySchema& key) const {
    if (entry.value.kind != Value::Kind::table) return fail(wrong_type(entry, key));
    for (Entry& named : entry.value.entries) {
      TORVYN_TRY(capability(named.key, named.place));
      if (named.value.kind != Value::Kind::boolean) {
        return fail(
            document_.error(ErrorCode::wrong_type,
                            fmt::format("`{}` wants true or false, not {}", named.key, kind_name(named.value.kind)),
                            fmt::format("write {} = true", named.key), named.value.place));
      }
      named.value.quantity = named.value.boolean ? 1 : 0;
    }
    return {};
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
    if (key.type == ValueType::address && !value.text.empty() && !is_address(value.text)) {
      return refuse(fmt::format("`{}` is not an address of the form HOST:PORT", value.text));
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
        if (key.any_name ? named.key.empty() : !is_name(named.key)) {
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
      case ValueType::share:
        return share(entry, key);
      case ValueType::file_mode:
        return file_mode(entry, key);
      case ValueType::capability_map:
        return capability_map(entry, key);
      case ValueType::flag:
        if (value.kind != Value::Kind::boolean) return fail(wrong_type(entry, key));
        value.quantity = value.boolean ? 1 : 0;
        return {};
      case ValueType::text_list:
      case ValueType::capability_list:
      case ValueType::content_type_list:
        if (value.kind != Value::Kind::list ||
            !std::ranges::all_of(value.items, [](const Value& item) { return item.kind == Value::Kind::text; })) {
          return fail(wrong_type(entry, key));
        }
        for (const Value& item : value.items) TORVYN_TRY(listed_text(item, key));
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

const KeySchema* find_key(const TableSchema& schema, std::string_view name, std::uint64_t& factor) {
  factor = 0;
  if (const KeySchema* key = schema.find(name)) return key;
  for (const KeySchema& key : schema.keys) {
    for (const UnitSpelling& spelling : unit_spellings(key.type)) {
      if (name.size() == key.name.size() + spelling.suffix.size() && name.starts_with(key.name) &&
          name.ends_with(spelling.suffix)) {
        factor = spelling.factor;
        return &key;
      }
    }
  }
  return nullptr;
}

std::string shown_quantity(ValueType type, std::uint64_t quantity) {
  switch (type) {
    case ValueType::size:
      return format_size(quantity);
    case ValueType::rate:
      return format_size(quantity) + "/s";
    case ValueType::duration:
      return format_duration(quantity);
    case ValueType::share:
      return fmt::format("{}", static_cast<double>(quantity) / static_cast<double>(whole_share));
    default:
      return std::to_string(quantity);
  }
}

Status apply_schema(Document& document, const TableSchema& schema) {
  return SchemaWalk(document).table(document.root, schema, "", document.root.place);
}

Value default_value(const KeySchema& key) {
  Result<Document> document =
      parse_document(fmt::format("{} = {}", key.name, key.fallback), {.layer = Layer::defaults});
  TORVYN_ASSERT(document.has_value(), "a default is TOML");
  KeySchema free = key;
  free.reach = Reach::settings;  // alone in a document it is no section's
  const TableSchema alone = {.keys = {&free, 1}};
  TORVYN_ASSERT(apply_schema(*document, alone).has_value(), "a default is what its key allows");
  Value value = std::move(document->root.entries.front().value);
  unplace(value);
  return value;
}

Result<Document> checked_document(std::string_view text, Source source) {
  TORVYN_TRY(check_config_length(source.name, text.size()));
  TORVYN_LET(Document document, parse_document(text, std::move(source)));
  TORVYN_TRY(apply_schema(document, manifest_schema()));
  return document;
}

}  // namespace torvyn::config
