#include "torvyn/cli/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "torvyn/types/utf8.h"

namespace torvyn::cli {
namespace {

bool is_control(char32_t code) noexcept { return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0); }

bool changes_direction(char32_t code) noexcept {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f;
}

// U+2028 and U+2029 end a line for some programs.
bool ends_line(char32_t code) noexcept { return code == 0x2028 || code == 0x2029; }

bool continues_character(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto [code, bytes] = first_code_point(text);
    if (bytes == 0) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (code == '\n') {
      shown += "\\n";
    } else if (code == '\r') {
      shown += "\\r";
    } else if (is_control(code)) {
      shown += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(code));
    } else if (changes_direction(code) || ends_line(code)) {
      shown += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(code));
    } else {
      shown.append(text.substr(0, bytes));
    }
    text.remove_prefix(bytes);
  }
  return shown;
}

std::string shell_quoted(std::string_view text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char byte : text) word += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return word + "'";
}

std::size_t display_width(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return !continues_character(byte); }));
}

std::string clipped(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t end = 0;
  for (std::size_t shown = 0; end < text.size(); ++end) {
    if (!continues_character(text[end]) && shown++ == columns - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  for (std::string_view line : lines_of(text)) {
    std::string current;
    while (!line.empty()) {
      const std::size_t blank = line.find(' ');
      const std::string_view word = line.substr(0, blank);
      if (!current.empty() && display_width(current) + 1 + display_width(word) > columns) {
        lines.push_back(std::move(current));
        current.clear();
      }
      if (!current.empty()) current += ' ';
      current += word;
      line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
    }
    lines.push_back(std::move(current));
  }
  return lines;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos || end + 1 == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], display_width(row[column]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column];
      line.append(widths[column] - display_width(row[column]) + 2, ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace torvyn::cli
