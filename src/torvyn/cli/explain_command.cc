#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/explanations.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

// Longer lines are hard to read.
constexpr std::size_t page_columns_max = 90;

std::string draw(const Explanation& explanation, const Terminal& terminal) {
  const Palette palette(terminal.color);
  std::string text = palette.strong(fmt::format("{}: {}", explanation.code, explanation.title)) + "\n\n";
  for (const std::string& line : wrapped(explanation.page, std::min(terminal.columns, page_columns_max)))
    text += line + '\n';
  if (!explanation.example.empty()) {
    text += "\nFor example:\n";
    for (const std::string_view line : lines_of(explanation.example))
      text += fmt::format("  {}\n", palette.faint(line));
  }
  return text;
}

}  // namespace

int explain_code(const ExplainOptions& options, const Session& session) {
  const std::optional<Explanation> explanation = explain(options.code);
  if (!explanation)
    return report_failure(session, "explain",
                          Error(ErrorCode::usage, fmt::format("there is no code `{}`", options.code),
                                "a code is E or W and four digits, as it stands in an error: torvyn explain E0203"));
  if (session.json()) return print_result(session, explain_json({.command = "explain"}, *explanation));
  return print_result(session, draw(*explanation, examine_terminal(STDOUT_FILENO, session.options.color)));
}

}  // namespace torvyn::cli
