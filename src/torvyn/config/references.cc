#include "torvyn/config/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/config/place.h"
#include "torvyn/types/file.h"

namespace torvyn::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view env_prefix = "${env:";
constexpr std::string_view file_prefix = "${file:";

Error unfilled(std::string message, std::string hint) {
  return {ErrorCode::reference_unfilled, std::move(message), std::move(hint)};
}

bool is_utf8(std::string_view text) {
  // nlohmann's is the strict kind: no surrogates, nothing overlong.
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

class Filler {
 public:
  Filler(const std::filesystem::path& base, const VariableLookup& lookup) : base_(base), lookup_(lookup) {}

  // Whether something in `text` was changed.
  Result<bool> fill(std::string& text) {
    std::string result;
    std::string_view rest = text;
    bool changed = false;
    while (true) {
      const std::size_t dollar = rest.find('$');
      result += rest.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      rest.remove_prefix(dollar);
      if (is_reference(rest.substr(1)) && rest.starts_with("$$")) {
        result += rest.substr(1, 2);
        rest.remove_prefix(3);
        changed = true;
      } else if (is_reference(rest)) {
        TORVYN_LET(const std::string_view reference, whole_reference(rest));
        TORVYN_LET(std::string value, value_of(reference));
        result += value;
        rest.remove_prefix(reference.size());
        remember(reference, std::move(value));
        changed = true;
      } else {
        result += '$';
        rest.remove_prefix(1);
      }
    }
    if (changed) text = std::move(result);
    return changed;
  }

  // In every text of a JSON value.
  Result<bool> fill(Json& json) {
    bool changed = false;
    if (json.is_string()) {
      TORVYN_LET(changed, fill(json.get_ref<std::string&>()));
    } else if (json.is_structured()) {
      for (Json& item : json) {
        TORVYN_LET(const bool item_changed, fill(item));
        changed = changed || item_changed;
      }
    }
    return changed;
  }

  std::vector<FilledReference> filled;

 private:
  static bool is_reference(std::string_view text) {
    return text.starts_with(env_prefix) || text.starts_with(file_prefix);
  }

  static Result<std::string_view> whole_reference(std::string_view text) {
    const std::size_t end = text.find('}');
    if (end != std::string_view::npos) return text.substr(0, end + 1);
    return fail(unfilled(fmt::format("`{}` has no closing brace", text.substr(0, text.find('\n'))),
                         "write ${env:NAME} or ${file:PATH}, or $${ for the two characters"));
  }

  Result<std::string> value_of(std::string_view reference) const {
    const bool is_variable = reference.starts_with(env_prefix);
    const std::size_t prefix = is_variable ? env_prefix.size() : file_prefix.size();
    const std::string_view name = reference.substr(prefix, reference.size() - prefix - 1);
    if (name.empty())
      return fail(unfilled(fmt::format("`{}` names nothing", reference), "write ${env:NAME} or ${file:PATH}"));
    TORVYN_LET(std::string value, is_variable ? variable(reference, name) : file(reference, name));
    if (!is_utf8(value))
      return fail(unfilled(fmt::format("what `{}` stands for is not UTF-8", reference),
                           "settings are text; let the component read the bytes itself"));
    return value;
  }

  Result<std::string> variable(std::string_view reference, std::string_view name) const {
    if (std::optional<std::string> value = lookup_(name)) return *std::move(value);
    return fail(unfilled(fmt::format("`{}` cannot be filled in: the variable is not set", reference),
                         fmt::format("set it before torvyn is started: export {}=…", name)));
  }

  Result<std::string> file(std::string_view reference, std::string_view name) const {
    const std::filesystem::path path = base_ / name;
    std::error_code error;
    if (const auto bytes = std::filesystem::file_size(path, error); !error && bytes > reference_bytes_max)
      return fail(unfilled(fmt::format("`{}` cannot be filled in: the file has more than 1 MiB", reference),
                           "settings are short; let the component read the file itself"));
    const Result<std::vector<std::uint8_t>> bytes = read_file(path);
    if (!bytes)
      return fail(unfilled(fmt::format("`{}` cannot be filled in: {}", reference, bytes.error().message()),
                           bytes.error().hint()));
    std::string text(bytes->begin(), bytes->end());
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  void remember(std::string_view reference, std::string value) {
    if (std::ranges::find(filled, reference, &FilledReference::reference) == filled.end())
      filled.push_back({std::string(reference), std::move(value)});
  }

  const std::filesystem::path& base_;
  const VariableLookup& lookup_;
};

std::string plain_text(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

}  // namespace

std::optional<std::string> process_variable(std::string_view name) {
  const char* const value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::vector<FilledReference>> fill_references(NodeConfig& node, const std::filesystem::path& base,
                                                     const VariableLookup& lookup) {
  Filler filler(base, lookup);
  if (node.config.find('$') == std::string::npos) return filler.filled;
  const auto at = [](Error error, const SourceLocation& where) { return fail(placed(std::move(error), where)); };
  if (node.settings.empty()) {
    if (const Result<bool> filled = filler.fill(node.config); !filled) return at(filled.error(), node.config_where);
    return std::move(filler.filled);
  }
  // A value may hold what JSON has to escape, so it is filled in between reading and writing.
  Json json = Json::parse(node.config);
  bool changed = false;
  for (auto& [key, text] : node.settings) {
    Json& member = json[key];
    const Result<bool> filled = filler.fill(member);
    if (!filled) {
      const auto where = node.settings_where.find(key);
      return at(filled.error(), where == node.settings_where.end() ? node.config_where : where->second);
    }
    if (*filled) text = plain_text(member);
    changed = changed || *filled;
  }
  if (changed) node.config = json.dump();
  return std::move(filler.filled);
}

std::string masked(std::string text, std::span<const FilledReference> filled) {
  // The longest first: one value may be a part of another.
  std::vector<const FilledReference*> order;
  for (const FilledReference& one : filled)
    if (one.value.size() >= masked_bytes_min) order.push_back(&one);
  std::ranges::sort(order, std::ranges::greater(), [](const FilledReference* one) { return one->value.size(); });
  for (const FilledReference* const one : order) {
    for (std::size_t at = text.find(one->value); at != std::string::npos;
         at = text.find(one->value, at + one->reference.size()))
      text.replace(at, one->value.size(), one->reference);
  }
  return text;
}

Error masked(Error error, std::span<const FilledReference> filled) {
  if (filled.empty()) return error;
  ErrorDetail& detail = error.detail();
  const auto mask = [filled](std::string& text) { text = masked(std::move(text), filled); };
  for (std::string* const text : {&detail.message, &detail.hint, &detail.consequence, &detail.element_place})
    mask(*text);
  for (std::string& line : detail.guest_lines) mask(line);
  for (std::string& line : detail.guest_backtrace) mask(line);
  return error;
}

}  // namespace torvyn::config
