#include "torvyn/connectors/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "torvyn/config/nearest.h"
#include "torvyn/config/place.h"
#include "torvyn/config/units.h"

namespace torvyn::connectors {
namespace {

const SettingInfo* find_setting(const BuiltinInfo& info, std::string_view key) noexcept {
  for (const SettingInfo& setting : info.settings)
    if (setting.key == key) return &setting;
  return nullptr;
}

const SettingInfo* main_setting(const BuiltinInfo& info) noexcept {
  for (const SettingInfo& setting : info.settings)
    if (setting.main) return &setting;
  return nullptr;
}

std::string_view position_name(Position position) noexcept { return position == Position::source ? "source" : "sink"; }

// "`file` as a sink takes path, append, sync".
std::string what_it_takes(const BuiltinInfo& info, Position position) {
  std::string keys;
  for (const SettingInfo& setting : info.settings)
    if (setting.positions.contains(position)) keys += fmt::format("{}{}", keys.empty() ? "" : ", ", setting.key);
  if (keys.empty()) return fmt::format("`{}` takes no settings", info.name);
  return fmt::format("`{}` as a {} takes {}", info.name, position_name(position), keys);
}

Error unknown_key(const BuiltinInfo& info, Position position, std::string_view key) {
  std::vector<std::string_view> candidates;
  for (const SettingInfo& setting : info.settings)
    if (setting.positions.contains(position)) candidates.push_back(setting.key);
  std::string message = fmt::format("unknown key `{}`", key);
  if (const auto near = config::nearest(key, candidates); !near.empty())
    message += fmt::format(", did you mean `{}`?", near);
  return Error(ErrorCode::unknown_key, std::move(message), what_it_takes(info, position));
}

}  // namespace

Result<Settings> Settings::read(const config::NodeConfig& node, const BuiltinInfo& info, Position position) {
  Settings settings(node);
  const auto take = [&](std::string_view written_key, const std::string& text) -> Status {
    const auto where = node.settings_where.find(std::string(written_key));
    const auto* location = where != node.settings_where.end() ? &where->second : &node.where;
    const SettingInfo* setting = written_key.empty() ? main_setting(info) : find_setting(info, written_key);
    if (setting == nullptr && written_key.empty())
      return fail(
          config::placed(Error(ErrorCode::usage, fmt::format("`{}` has no use for the word `{}`", info.name, text),
                               what_it_takes(info, position)),
                         *location));
    if (setting == nullptr) return fail(config::placed(unknown_key(info, position, written_key), *location));
    if (!setting->positions.contains(position))
      return fail(config::placed(
          Error(ErrorCode::usage,
                fmt::format("`{}` has no meaning for `{}` as a {}", setting->key, info.name, position_name(position)),
                what_it_takes(info, position)),
          *location));
    if (settings.values_.try_emplace(std::string(setting->key), Value{text, location}).second) return {};
    const SettingInfo* alone = main_setting(info);
    return fail(
        config::placed(Error(ErrorCode::usage, fmt::format("`{}` of `{}` is given twice", setting->key, info.name),
                             fmt::format("leave one of them out; a word alone is `{}` too",
                                         alone != nullptr ? alone->key : setting->key)),
                       *location));
  };

  for (const auto& [key, text] : node.settings) TORVYN_TRY(take(key, text));
  // `config = "access.log"` in a manifest: a text where a component would get it is a built-in's main setting.
  if (node.settings.empty() && !node.config.empty()) TORVYN_TRY(take("", node.config));
  return settings;
}

const std::string* Settings::find(std::string_view key) const noexcept {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second.text;
}

Result<std::optional<std::uint64_t>> Settings::whole_number(std::string_view key) const {
  const std::string* text = find(key);
  if (text == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [parsed_to, status] = std::from_chars(text->data(), end, number);
  if (text->empty() || parsed_to != end || status != std::errc())
    return fail(bad_value(key, "a whole number, such as 1000"));
  return number;
}

Result<std::optional<double>> Settings::positive_number(std::string_view key, double most) const {
  const std::string* text = find(key);
  if (text == nullptr) return std::nullopt;
  double number = 0;
  const char* const end = text->data() + text->size();
  const auto [parsed_to, status] = std::from_chars(text->data(), end, number);
  if (text->empty() || parsed_to != end || status != std::errc() || !(number > 0) || number > most)
    return fail(bad_value(key, fmt::format("a number above 0 and up to {:g}, such as 100 or 0.5", most)));
  return number;
}

Result<std::optional<std::uint64_t>> Settings::size_bytes(std::string_view key, std::uint64_t least,
                                                          std::uint64_t most) const {
  const std::string* text = find(key);
  if (text == nullptr) return std::nullopt;
  const auto size = config::parse_size(*text);
  if (!size || *size < least || *size > most)
    return fail(bad_value(key, fmt::format("a size from {} to {} (max-buffer-size), such as 64KiB",
                                           config::format_size(least), config::format_size(most))));
  return *size;
}

Result<bool> Settings::flag(std::string_view key, bool otherwise) const {
  const std::string* text = find(key);
  if (text == nullptr) return otherwise;
  if (*text == "true") return true;
  if (*text == "false") return false;
  return fail(bad_value(key, "true or false"));
}

Error Settings::bad_value(std::string_view key, std::string_view wanted) const {
  const std::string* text = find(key);
  return at(key, Error(ErrorCode::out_of_range,
                       fmt::format("`{}` is {}, not `{}`", key, wanted, text == nullptr ? "" : *text)));
}

Error Settings::at(std::string_view key, Error error) const {
  const auto found = values_.find(key);
  return config::placed(std::move(error), found == values_.end() ? node_->where : *found->second.where);
}

}  // namespace torvyn::connectors
