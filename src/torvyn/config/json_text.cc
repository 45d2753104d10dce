#include "torvyn/config/json_text.h"

#include <nlohmann/json.hpp>

namespace torvyn::config {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_number(double number) { return nlohmann::json(number).dump(); }

std::string json_object(std::span<const std::pair<std::string, std::string>> settings) {
  std::string text = "{";
  for (const auto& [key, value] : settings) {
    if (text.size() > 1) text += ',';
    text += json_string(key) + ':' + json_string(value);
  }
  return text + '}';
}

}  // namespace torvyn::config
