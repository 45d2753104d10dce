#include "torvyn/cli/error_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "torvyn/cli/text.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

using config::format_count;

// The blanks that stand where `line` up to byte `bytes` stands above them; tabs stay tabs.
std::string blanks_under(std::string_view line, std::size_t bytes) {
  std::string blanks;
  for (const char byte : line.substr(0, bytes)) {
    if (byte == '\t') {
      blanks += '\t';
    } else if ((static_cast<unsigned char>(byte) & 0xc0U) != 0x80U) {
      blanks += ' ';
    }
  }
  return blanks;
}

// Longer lines are not drawn: on most screens the caret would be under another one.
constexpr std::size_t source_line_bytes_max = 400;

// The line itself with a caret under the place. Nothing where showing the line would move its bytes.
std::string draw_source_line(const ErrorDetail& detail, const Palette& palette) {
  const std::string_view line = detail.source_line;
  if (line.empty() || line.size() > source_line_bytes_max || printable(line) != line) return {};
  const std::size_t start = std::min<std::size_t>(detail.column == 0 ? 0 : detail.column - 1, line.size());
  const std::size_t marked = display_width(line.substr(start, detail.caret_length));
  const std::string number = std::to_string(detail.line);
  const std::string margin(number.size(), ' ');
  const std::string bar = palette.place("|");
  return fmt::format("{} {}\n{} {} {}\n{} {} {}{}\n", margin, bar, palette.place(number), bar, line, margin, bar,
                     blanks_under(line, start), palette.error(std::string(std::max<std::size_t>(marked, 1), '^')));
}

std::string draw_file(const ErrorDetail& detail, const Palette& palette) {
  std::string place = printable(detail.file);
  if (detail.line != 0) place += fmt::format(":{}", detail.line);
  if (detail.line != 0 && detail.column != 0) place += fmt::format(":{}", detail.column);
  return fmt::format("  {} {}\n", palette.place("-->"), place) + draw_source_line(detail, palette);
}

std::string element_place(const ErrorDetail& detail) {
  std::string text = fmt::format("element {} ({} byte{}", format_count(*detail.element),
                                 format_count(detail.element_bytes), detail.element_bytes == 1 ? "" : "s");
  if (!detail.element_place.empty()) text += "; " + printable(detail.element_place);
  return text + ")";
}

std::string where(const ErrorDetail& detail) {
  std::vector<std::string> steps;
  if (!detail.flow.empty()) steps.push_back("flow " + printable(detail.flow));
  if (!detail.node.empty()) steps.push_back("node " + printable(detail.node));
  // A node says enough where its name is the component's.
  if (detail.node.empty() && !detail.component.empty()) steps.push_back("component " + printable(detail.component));
  if (detail.element) steps.push_back(element_place(detail));
  return fmt::format("{}", fmt::join(steps, " › "));
}

// One labelled line, the rest of a text of several lines below it.
void add_lines(std::string& text, std::string_view label, const std::vector<std::string>& lines,
               const Palette& palette) {
  for (std::size_t index = 0; index < lines.size(); ++index) {
    const std::string padded = fmt::format("{:<5}", index == 0 ? label : std::string_view());
    text += fmt::format("  {}  {}\n", palette.faint(padded), lines[index]);
  }
}

std::vector<std::string> printable_lines(std::string_view text) {
  std::vector<std::string> lines;
  if (text.empty()) return lines;
  for (const std::string_view line : lines_of(text)) lines.push_back(printable(line));
  return lines;
}

// The `count` that matter most: a backtrace begins with them, what was written ends with them.
std::vector<std::string> guest_lines(const std::vector<std::string>& all, std::size_t count, bool newest_last) {
  const std::size_t shown = std::min(all.size(), count);
  const std::size_t first = newest_last ? all.size() - shown : 0;
  std::vector<std::string> lines;
  for (std::size_t index = first; index < first + shown; ++index) lines.push_back(printable(all[index]));
  if (const std::size_t hidden = all.size() - shown; hidden != 0) {
    std::string note = fmt::format("… {} more with --verbose", hidden);
    lines.insert(newest_last ? lines.begin() : lines.end(), std::move(note));
  }
  return lines;
}

// `label`: "error[E0203]", painted.
std::string draw(const Error& error, const std::string& label, const std::string& code, const Palette& palette,
                 bool verbose) {
  const ErrorDetail& detail = error.detail();
  const std::size_t guest_lines_max = verbose ? static_cast<std::size_t>(-1) : guest_lines_shown;

  const std::vector<std::string> message = printable_lines(error.message());
  std::string text = label + ": ";
  text += palette.strong(message.empty() ? printable(code_title(error.code())) : message.front()) + '\n';
  for (std::size_t index = 1; index < message.size(); ++index) text += "  " + message[index] + '\n';

  if (!detail.file.empty()) text += draw_file(detail, palette);
  if (const std::string place = where(detail); !place.empty()) add_lines(text, "where", {place}, palette);
  add_lines(text, "guest", guest_lines(detail.guest_backtrace, guest_lines_max, false), palette);
  add_lines(text, "wrote", guest_lines(detail.guest_lines, guest_lines_max, true), palette);
  add_lines(text, "then", printable_lines(detail.consequence), palette);

  std::vector<std::string> fix = printable_lines(error.hint());
  // What happened in a running flow rarely has its reason on the screen.
  if (!detail.node.empty()) {
    const std::string page = "torvyn explain " + code;
    if (fix.size() == 1) {
      fix.front() += "; " + page;
    } else {
      fix.push_back(page);
    }
  }
  add_lines(text, "fix", fix, palette);
  return text;
}

}  // namespace

std::string draw_error(const Error& error, const Palette& palette, bool verbose) {
  const std::string code = code_string(error.code());
  return draw(error, palette.error("error[" + code + "]"), code, palette, verbose);
}

std::string draw_caution(const Error& warning, const Palette& palette) {
  const std::string code = warning_code_string(warning.code());
  return draw(warning, palette.warning("warning[" + code + "]"), code, palette, false);
}

}  // namespace torvyn::cli
