// `torvyn link`: do the compiled components of the flows fit together?
#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "torvyn/cli/check_view.h"
#include "torvyn/cli/commands.h"
#include "torvyn/cli/error_view.h"
#include "torvyn/cli/flow_choice.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/project_exam.h"

namespace torvyn::cli {
namespace {

Result<std::vector<linker::FlowExam>> examine(const LinkOptions& options, const Session& session) {
  TORVYN_LET(const std::optional<config::Manifest> manifest, find_manifest(session));
  if (!manifest) return fail(manifest_needed("a flow is checked by `torvyn run` before it runs, too"));
  std::vector<const config::FlowConfig*> flows;
  if (options.flow.empty() && !manifest->flows.empty()) {
    for (const config::FlowConfig& flow : manifest->flows) flows.push_back(&flow);
  } else {
    TORVYN_LET(const config::FlowConfig* const flow, choose_flow(*manifest, options.flow));
    flows.push_back(flow);
  }
  TORVYN_LET(const ProjectExam project, ProjectExam::create(*manifest, options.components));
  std::vector<linker::FlowExam> exams;
  for (const config::FlowConfig* const flow : flows) exams.push_back(project.examine(*flow));
  return exams;
}

}  // namespace

int link_flows(const LinkOptions& options, const Session& session) {
  const Result<std::vector<linker::FlowExam>> exams = examine(options, session);
  if (!exams) return report_failure(session, "link", exams.error());
  std::vector<Error> errors;
  std::vector<Error> warnings;
  for (const linker::FlowExam& exam : *exams) {
    errors.insert(errors.end(), exam.errors.begin(), exam.errors.end());
    warnings.insert(warnings.end(), exam.warnings.begin(), exam.warnings.end());
  }
  const int exit_code = errors.empty() ? exit_success : exit_code_of(errors.front());
  std::string text;
  if (session.json()) {
    text = link_json({.command = "link", .exit_code = exit_code, .errors = errors, .cautions = warnings}, *exams);
  } else {
    for (const Error& error : errors)
      session.screen.print(draw_error(error, session.screen.palette(), session.options.verbose));
    for (const Error& warning : warnings) session.screen.print(draw_caution(warning, session.screen.palette()));
    const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
    for (const linker::FlowExam& exam : *exams) {
      if (session.options.quiet) break;
      text += (text.empty() ? "" : "\n") + draw_exam(exam, palette, options.detail);
    }
  }
  const int printed = print_result(session, text);
  return printed == exit_success ? exit_code : printed;
}

}  // namespace torvyn::cli
