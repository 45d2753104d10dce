#include "torvyn/cli/cli_events.h"

#include <fmt/format.h>

#include <utility>

#include "torvyn/cli/text.h"

namespace torvyn::cli {

std::string draw_warning(const Warning& warning, const Palette& palette) {
  const std::string label = warning.code.empty() ? "warning" : "warning[" + warning.code + "]";
  std::string text = palette.warning(label) + ": " + printable(warning.message);
  if (warning.line != 0) {
    text += fmt::format(" ({}:{}:{})", printable(warning.file), warning.line, warning.column);
  } else if (!warning.file.empty()) {
    text += fmt::format(" ({})", printable(warning.file));
  }
  text += '\n';
  if (!warning.hint.empty()) text += "  " + palette.faint("fix") + "    " + printable(warning.hint) + '\n';
  if (!warning.node.empty()) text += "  " + palette.faint("where") + "  node " + printable(warning.node) + '\n';
  return text;
}

void CliEvents::event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept {
  if (severity >= Severity::warn) {
    warn({.code = std::string(code), .node = std::string(node), .message = std::string(text)});
    return;
  }
  if (severity < options_.least) return;
  const std::string about = node.empty() ? "" : screen_.palette().node("[" + printable(node) + "] ");
  screen_.print(screen_.palette().faint("note: ") + about + printable(text) + '\n');
}

void CliEvents::warn(Warning warning) {
  if (options_.draw_warnings) screen_.print(draw_warning(warning, screen_.palette()));
  const std::scoped_lock lock(mutex_);
  if (warnings_.size() < warnings_max) warnings_.push_back(std::move(warning));
}

void CliEvents::guest_line(Severity severity, std::string_view node, std::string_view text) noexcept {
  if (severity < options_.least) return;
  const Palette& palette = screen_.palette();
  std::string shown = printable(text);
  if (severity == Severity::error) shown = palette.error(shown);
  if (severity == Severity::warn) shown = palette.warning(shown);
  screen_.print(palette.node("[" + printable(node) + "]") + " " + shown + '\n');
}

std::vector<Warning> CliEvents::warnings() const {
  const std::scoped_lock lock(mutex_);
  return warnings_;
}

}  // namespace torvyn::cli
