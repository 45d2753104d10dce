// Settings as the JSON text that a component's `init` is handed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace torvyn::config {

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD: JSON has no way to say them.
std::string json_string(std::string_view text);

// A finite number as JSON, with the fewest digits that read back as the same; always with a point or an exponent.
std::string json_number(double number);

// `settings` as a JSON object of strings, in their order.
std::string json_object(std::span<const std::pair<std::string, std::string>> settings);

}  // namespace torvyn::config
