#include "torvyn/cli/check_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>

#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "2 errors, 1 warning"; "ok" where there are none.
std::string verdict(std::size_t errors, std::size_t warnings) {
  if (errors == 0 && warnings == 0) return "ok";
  if (warnings == 0) return counted(errors, "error");
  if (errors == 0) return counted(warnings, "warning");
  return counted(errors, "error") + ", " + counted(warnings, "warning");
}

std::string painted(std::string_view text, std::size_t errors, std::size_t warnings, const Palette& palette) {
  if (errors != 0) return palette.error(text);
  return warnings != 0 ? palette.warning(text) : palette.good(text);
}

// Streams in the order of the flow; a chain is one line.
std::string draw_edges(const linker::FlowExam& exam) {
  std::string text;
  const linker::EdgeExam* previous = nullptr;
  for (const linker::EdgeExam& edge : exam.edges) {
    const std::string port = edge.port == "output" ? "" : "." + printable(edge.port);
    if (previous != nullptr && previous->to == edge.from) {
      text += fmt::format("{} → {}", port, printable(edge.to));
    } else {
      text += fmt::format("{} {}{} → {}", text.empty() ? "" : "\n", printable(edge.from), port, printable(edge.to));
    }
    previous = &edge;
  }
  return text.empty() ? text : text + '\n';
}

Rows detail_rows(const linker::NodeExam& node) {
  Rows rows;
  const auto add = [&](std::string_view label, const std::string& value) {
    rows.push_back({rows.empty() ? printable(node.node) : std::string(), std::string(label), printable(value)});
  };
  for (const linker::NeededCapability& capability : node.capabilities)
    add(capability.granted ? "granted" : "denied",
        fmt::format("{}: {}", capability.name, fmt::join(capability.imports, ", ")));
  if (!node.accepts.empty()) add("accepts", fmt::format("{}", fmt::join(node.accepts, ", ")));
  if (!node.produces.empty()) add("produces", fmt::format("{}", fmt::join(node.produces, ", ")));
  return rows;
}

}  // namespace

std::string draw_checks(std::span<const Check> checks, const Palette& palette) {
  // Cells with colours can't be padded: names and verdicts are, by hand.
  std::size_t name_columns = 0;
  std::size_t verdict_columns = 1;
  for (const Check& check : checks) {
    name_columns = std::max(name_columns, check.name.size());
    if (check.skipped.empty())
      verdict_columns = std::max(verdict_columns, verdict(check.errors.size(), check.warnings.size()).size());
  }
  std::string text;
  for (const Check& check : checks) {
    const std::string shown =
        check.skipped.empty() ? verdict(check.errors.size(), check.warnings.size()) : std::string("-");
    std::string about = printable(check.subject);
    if (!check.skipped.empty()) about += (about.empty() ? "" : ": ") + printable(check.skipped);
    std::string line =
        fmt::format(" {:<{}}  {}", check.name, name_columns,
                    check.skipped.empty() ? painted(shown, check.errors.size(), check.warnings.size(), palette)
                                          : palette.faint(shown));
    if (!about.empty()) line += std::string(verdict_columns - shown.size() + 2, ' ') + about;
    text += line + '\n';
  }
  return text;
}

std::string draw_exam(const linker::FlowExam& exam, const Palette& palette, bool detail) {
  Rows rows = {{"node", "component", "role", "interface"}};
  Rows details;
  for (const linker::NodeExam& node : exam.nodes) {
    rows.push_back({printable(node.node), printable(node.component),
                    node.found ? std::string(contracts::role_name(node.role)) : "-",
                    !node.found       ? "-"
                    : node.is_builtin ? "builtin"
                                      : printable(node.interface)});
    if (!detail) continue;
    for (std::vector<std::string>& row : detail_rows(node)) details.push_back(std::move(row));
  }
  std::string text = fmt::format(
      "{}: {}\n", palette.strong(printable(exam.flow)),
      painted(verdict(exam.errors.size(), exam.warnings.size()), exam.errors.size(), exam.warnings.size(), palette));
  text += aligned(rows) + draw_edges(exam);
  if (!details.empty()) text += '\n' + aligned(details);
  return text;
}

}  // namespace torvyn::cli
