#include "torvyn/config/names.h"

#include <algorithm>

namespace torvyn::config {
namespace {

constexpr std::size_t name_bytes_max = 64;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Cuts the part up to `separator` off the front of `text`; all of it where there is none.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit) && (text.size() == 1 || text.front() != '0');
}

// Identifiers with dots between; of a pre-release, those of digits alone have no leading zero.
bool are_identifiers(std::string_view text, bool leading_zeros) {
  if (text.empty() || text.ends_with('.')) return false;
  while (!text.empty()) {
    const std::string_view part = take_part(text, '.');
    if (part.empty()) return false;
    if (!std::ranges::all_of(part, [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '-'; }))
      return false;
    if (!leading_zeros && std::ranges::all_of(part, is_digit) && !is_number(part)) return false;
  }
  return true;
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > name_bytes_max || text.front() == '-') return false;
  return std::ranges::all_of(text,
                             [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '-' || c == '_'; });
}

bool is_project_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > name_bytes_max || text.front() == '-' || text.back() == '-') return false;
  return std::ranges::all_of(text, [](char c) { return is_digit(c) || is_lower(c) || c == '-'; });
}

bool is_semver(std::string_view text) noexcept {
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!are_identifiers(text.substr(plus + 1), true)) return false;
    text = text.substr(0, plus);
  }
  const std::size_t hyphen = text.find('-');
  if (hyphen != std::string_view::npos) {
    if (!are_identifiers(text.substr(hyphen + 1), false)) return false;
    text = text.substr(0, hyphen);
  }
  if (std::ranges::count(text, '.') != 2) return false;
  const std::string_view major = take_part(text, '.');
  const std::string_view minor = take_part(text, '.');
  return is_number(major) && is_number(minor) && is_number(text);
}

bool is_content_type(std::string_view text) noexcept {
  static constexpr std::string_view marks = "!#$&-^_.+";  // RFC 6838, restricted-name
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part.size() <= 127 && std::ranges::all_of(part, [](char c) {
      return is_digit(c) || is_lower(c) || is_upper(c) || marks.contains(c);
    });
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_part(text.substr(0, slash))) return false;
  const std::string_view subtype = text.substr(slash + 1);
  return subtype == "*" || is_part(subtype);
}

bool is_address(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  // An address of IPv6 has colons of its own, so it stands in brackets.
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view inner = brackets ? host.substr(1, host.size() - 2) : host;
  const bool is_host = std::ranges::all_of(inner, [brackets](char c) {
    return is_digit(c) || is_lower(c) || is_upper(c) || c == '.' || c == '-' || (brackets && (c == ':' || c == '%'));
  });
  if (!is_host || port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  unsigned number = 0;
  for (const char digit : port) number = number * 10 + static_cast<unsigned>(digit - '0');
  return number <= 65'535;
}

bool is_loopback(std::string_view address) noexcept {
  const std::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  // A name that only begins so ("127.0.0.1.example.org") leads anywhere.
  return host.starts_with("127.") && std::ranges::count(host, '.') == 3 &&
         std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

}  // namespace torvyn::config
