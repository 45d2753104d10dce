#include "torvyn/config/override.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "torvyn/config/layers.h"
#include "torvyn/config/nearest.h"
#include "torvyn/config/schema.h"
#include "torvyn/config/schema_check.h"

namespace torvyn::config {
namespace {

// What the program and its tools read for themselves.
constexpr std::array<std::string_view, 6> own_variables = {"TORVYN_LOG",       "TORVYN_HOME",  "TORVYN_STATE_DIR",
                                                           "TORVYN_CACHE_DIR", "TORVYN_CLANG", "TORVYN_ENGINE_PATH"};

constexpr std::string_view variable_prefix = "TORVYN_";

// One part of a path: its text without quotes, and where it stands.
struct Part {
  std::string text;
  Place place;
};

Place place_at(std::size_t offset, std::size_t length) {
  return {.line = 1, .column = static_cast<std::uint32_t>(offset + 1), .length = static_cast<std::uint32_t>(length)};
}

constexpr bool is_bare(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

// `a.b."c.d"=…`: the parts, and the offset of what follows the `=`.
struct Path {
  std::vector<Part> parts;
  std::size_t value_offset = 0;
};

Result<Path> read_path(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::usage, fmt::format("`--set {}`: {}", text, why),
                "write it as --set runtime.max_batch=32; a name with dots in it stands in quotes");
  };
  Path path;
  std::size_t offset = 0;
  while (true) {
    const std::size_t start = offset;
    Part part;
    if (offset < text.size() && (text[offset] == '"' || text[offset] == '\'')) {
      const std::size_t end = text.find(text[offset], offset + 1);
      if (end == std::string_view::npos) return refuse("a quote is left open");
      part.text = text.substr(offset + 1, end - offset - 1);
      offset = end + 1;
    } else {
      while (offset < text.size() && is_bare(text[offset])) ++offset;
      part.text = text.substr(start, offset - start);
      if (part.text.empty()) return refuse(start == 0 ? "it names no key" : "a part of the path is empty");
    }
    part.place = place_at(start, offset - start);
    path.parts.push_back(std::move(part));
    if (path.parts.size() > key_parts_max) return refuse("the path has too many parts");
    if (offset == text.size()) return refuse("it has no value");
    const char c = text[offset++];
    if (c == '=') {
      path.value_offset = offset;
      return path;
    }
    if (c != '.') return refuse(fmt::format("`{}` has no place in a path", c));
  }
}

void place_all(Value& value, const Place& place) {
  value.place = place;
  for (Value& item : value.items) place_all(item, place);
  for (Entry& entry : value.entries) {
    entry.place = place;
    place_all(entry.value, place);
  }
}

// `text` as a value of TOML, nothing if it is none.
std::optional<Value> toml_value(std::string_view text) {
  if (text.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;  // could be more than a value
  Result<Document> document = parse_document(fmt::format("value = {}", text), {});
  if (!document || document->root.entries.size() != 1) return std::nullopt;
  return std::move(document->root.entries.front().value);
}

template <class T>
bool reads_as(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Value text_value(std::string_view text) {
  Value value;
  value.kind = Value::Kind::text;
  value.text = text;
  return value;
}

Value list_value(std::string_view text) {
  Value value;
  value.kind = Value::Kind::list;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    value.items.push_back(text_value(item));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return value;
}

bool is_list(ValueType type) {
  return type == ValueType::text_list || type == ValueType::capability_list || type == ValueType::content_type_list;
}

// What a person means by `text` where `key` is set: nobody writes TOML's quotes inside a shell's. `key` is null inside a component's own
// settings, where any type will do.
Value value_of(std::string_view text, const KeySchema* key, bool in_units) {
  if (key == nullptr || text.starts_with('"') || text.starts_with('\'') || (key->or_table && text.starts_with('{')) ||
      (is_list(key->type) && text.starts_with('['))) {
    if (std::optional<Value> value = toml_value(text)) return *std::move(value);
    return text_value(text);
  }
  if (is_list(key->type)) return list_value(text);
  Value value = text_value(text);
  if ((in_units || key->type == ValueType::count) && reads_as(text, value.integer)) value.kind = Value::Kind::integer;
  if ((key->type == ValueType::ratio || key->type == ValueType::share) && reads_as(text, value.number))
    value.kind = Value::Kind::number;
  if ((key->type == ValueType::flag || key->type == ValueType::capability_map) && (text == "true" || text == "false")) {
    value.kind = Value::Kind::boolean;
    value.boolean = text == "true";
  }
  return value;
}

// The key that a path leads to. It may lead past what the schema knows: then apply_schema will say where.
struct Target {
  const KeySchema* key = nullptr;  // null inside a table of any keys, or past the schema
  bool in_units = false;
};

Target find_target(std::span<const Part> parts) {
  const TableSchema* table = &manifest_schema();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::uint64_t factor = 0;
    const KeySchema* const key = find_key(*table, parts[i].text, factor);
    if (key == nullptr) return {};
    const std::size_t behind = i + (key->type == ValueType::table_map ? 2 : 1);
    if (behind >= parts.size()) return {.key = key, .in_units = factor != 0};
    if (key->type == ValueType::capability_map) return {.key = key};
    if (key->table == nullptr) return {};
    table = key->table;
    i = behind - 1;
  }
  return {};
}

// A document that sets what `parts` lead to.
Document nested(std::span<const Part> parts, Value value, std::string text, Layer layer, std::string_view name) {
  Document document;
  document.sources = {
      {.layer = layer, .name = std::string(name), .text = std::make_shared<const std::string>(std::move(text))}};
  document.root.place = parts.front().place;
  Value* table = &document.root;
  for (const Part& part : parts.first(parts.size() - 1)) table = &table_in(*table, part.text, part.place);
  table->entries.push_back({parts.back().text, parts.back().place, std::move(value)});
  return document;
}

// A project's own keys only where there is a project.
Status check_project(const Document& document, const Part& section, const Value& weaker) {
  const KeySchema* const key = manifest_schema().find(section.text);
  if (key == nullptr || key->reach != Reach::project || weaker.find("torvyn") != nullptr) return {};
  return fail(document.error(ErrorCode::manifest_not_found,
                             fmt::format("`{}` belongs to a project, and there is no manifest here", section.text),
                             "name one with --manifest PATH or its folder with -C DIR", section.place));
}

// Of flows and nodes, those that are there.
Status check_names(const Document& document, std::span<const Part> parts, const Value& weaker) {
  constexpr std::pair<std::string_view, std::string_view> kinds[] = {{"flow", "flow"}, {"nodes", "node"}};
  const Value* table = &weaker;
  for (std::size_t level = 0; level < 2 && parts.size() > 2 * level + 1; ++level) {
    const auto& [key, kind] = kinds[level];
    if (parts[2 * level].text != key) return {};
    table = table->find(key);
    const Part& part = parts[2 * level + 1];
    std::vector<std::string_view> names;
    if (table != nullptr)
      for (const Entry& entry : table->entries) names.push_back(entry.key);
    const Value* const named = table == nullptr ? nullptr : table->find(part.text);
    if (named == nullptr) {
      const std::string_view near = nearest(part.text, names);
      const std::string question = near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
      return fail(document.error(ErrorCode::unknown_flow_or_node,
                                 fmt::format("there is no {} `{}` to set something of{}", kind, part.text, question),
                                 names.empty() ? fmt::format("there is no {} at all here", kind)
                                               : fmt::format("there are {}", fmt::join(names, ", ")),
                                 part.place));
    }
    table = named;
  }
  return {};
}

std::string variable_of(std::string_view path) {
  std::string name(variable_prefix);
  for (const char c : path) {
    if (c >= 'a' && c <= 'z') {
      name += static_cast<char>(c - 'a' + 'A');
    } else {
      name += c == '.' || c == '-' ? '_' : c;
    }
  }
  return name;
}

struct Variable {
  std::string name;
  std::string path;
  bool is_grant = false;
};

void add_variables(const TableSchema& table, const std::string& prefix, std::vector<Variable>& variables) {
  for (const KeySchema& key : table.keys) {
    if (prefix.empty() && key.reach != Reach::settings) continue;
    const std::string path = prefix + std::string(key.name);
    if (key.type == ValueType::table) {
      add_variables(*key.table, path + ".", variables);
      continue;
    }
    variables.push_back({variable_of(path), path, key.grants});
    for (const UnitSpelling& spelling : unit_spellings(key.type)) {
      const std::string spelled = path + std::string(spelling.suffix);
      variables.push_back({variable_of(spelled), spelled, key.grants});
    }
  }
}

const std::vector<Variable>& variables() {
  static const std::vector<Variable> all = [] {
    std::vector<Variable> made;
    add_variables(manifest_schema(), {}, made);
    return made;
  }();
  return all;
}

}  // namespace

Result<Document> assignment_document(std::string_view assignment, const Value& weaker) {
  if (assignment.find('\0') != std::string_view::npos)
    return fail(ErrorCode::usage, "`--set` was given a NUL byte", "write it as --set runtime.max_batch=32");
  TORVYN_LET(const Path path, read_path(assignment));
  const Target target = find_target(path.parts);
  const std::string_view text = assignment.substr(path.value_offset);
  Value value = value_of(text, target.key, target.in_units);
  place_all(value, place_at(path.value_offset, text.size()));
  Document document =
      nested(path.parts, std::move(value), std::string(assignment), Layer::command_line, assignment_source);
  TORVYN_TRY(check_project(document, path.parts.front(), weaker));
  TORVYN_TRY(check_names(document, path.parts, weaker));
  TORVYN_TRY(apply_schema(document, manifest_schema()));
  return document;
}

VariableMeaning meaning_of_variable(std::string_view name) {
  if (std::ranges::find(own_variables, name) != own_variables.end()) return {VariableMeaning::Kind::own, {}};
  const auto found = std::ranges::find(variables(), name, &Variable::name);
  if (found != variables().end())
    return {found->is_grant ? VariableMeaning::Kind::grant : VariableMeaning::Kind::setting, found->path};
  if (name.starts_with("TORVYN_SECURITY_GRANTS_")) return {VariableMeaning::Kind::grant, {}};
  return {};
}

Result<Document> variable_document(std::string_view name, std::string_view value, std::string_view path) {
  std::vector<Part> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    parts.push_back({std::string(path.substr(start, end - start)), place_at(0, name.size())});
    start = end + 1;
  }
  const Target target = find_target(parts);
  Value set = value_of(value, target.key, target.in_units);
  place_all(set, place_at(name.size() + 1, value.size()));
  Document document =
      nested(parts, std::move(set), fmt::format("{}={}", name, value), Layer::environment, environment_source);
  TORVYN_TRY(apply_schema(document, manifest_schema()));
  return document;
}

std::vector<std::pair<std::string, std::string>> environment_names() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Variable& variable : variables())
    if (!variable.is_grant) names.emplace_back(variable.name, variable.path);
  return names;
}

}  // namespace torvyn::config
