#include "torvyn/config/place.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace torvyn::config {
namespace {

// Line `line` of `text`, counted from 1, without its end; "" past the last.
std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (std::uint32_t skipped = 1; skipped < line; ++skipped) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Error placed(Error error, const SourceLocation& where) {
  if (where.line == 0 || !error.detail().file.empty()) return error;
  ErrorDetail& detail = error.detail();
  detail.file = where.file;
  detail.line = where.line;
  detail.column = where.column;
  if (where.text != nullptr) {
    detail.source_line = line_of(*where.text, where.line);
    // What goes on past the end of its line is underlined up to there.
    const std::size_t past =
        detail.source_line.size() + 1 - std::min<std::size_t>(where.column, detail.source_line.size() + 1);
    detail.caret_length = static_cast<std::uint32_t>(std::min<std::size_t>(where.length, past));
  }
  return error;
}

}  // namespace torvyn::config
