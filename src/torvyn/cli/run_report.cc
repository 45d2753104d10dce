#include "torvyn/cli/run_report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "torvyn/cli/error_view.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/signals.h"
#include "torvyn/cli/summary_view.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {

using observability::FlowReport;
using observability::FlowState;

int exit_code_of(const FlowReport& report, int signal) noexcept {
  if (report.state == FlowState::interrupted) return exit_code_of_signal(signal);
  if (report.state == FlowState::cancelled) return exit_failed;
  if (report.state != FlowState::failed) return exit_success;
  // An input that isn't there shows when the flow starts, and is missing, not failed.
  const bool nothing_began = report.error && report.fates.pulled == 0;
  return nothing_began ? exit_code_of(*report.error) : exit_failed;
}

int exit_code_of(std::span<const RunResult> results) noexcept {
  int code = exit_success;
  for (const RunResult& result : results) {
    if (result.exit_code == exit_failed || result.exit_code == exit_usage) return result.exit_code;
    if (code == exit_success) code = result.exit_code;
  }
  return code;
}

RunReporter::~RunReporter() {
  if (file_ >= 0) ::close(file_);
}

Status RunReporter::write_to(const std::filesystem::path& path) {
  path_ = path;
  file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) return fail(io_error("cannot write the summary to", path.string(), errno));
  return {};
}

int RunReporter::tell(std::span<const RunResult> results, std::span<const Warning> warnings) const {
  Screen& screen = session_.screen;
  const int exit_code = exit_code_of(results);
  const std::string report = session_.json() ? report_as_json(results, exit_code, warnings)
                                             : draw(results, file_ >= 0 ? Palette() : screen.palette());
  const bool on_screen = !session_.json() && file_ < 0 && !session_.options.quiet;
  bool written = true;
  if (file_ >= 0) {
    written = write_text(file_, report);
  } else if (on_screen || (session_.json() && stdout_taken_)) {
    screen.print(report);
  } else if (session_.json()) {
    written = write_text(STDOUT_FILENO, report);
  }
  const int write_error = errno;
  // Whoever looks at the screen should see why, wherever the report went.
  if (!on_screen && (!session_.json() || file_ >= 0))
    for (const RunResult& result : results) screen.print(draw_errors(result, screen.palette()));
  if (written) return exit_code;
  screen.print(
      draw_error(io_error("cannot write the report to", file_ >= 0 ? path_.string() : "standard output", write_error),
                 screen.palette()));
  return exit_code == exit_success ? exit_failed : exit_code;
}

std::string RunReporter::report_as_json(std::span<const RunResult> results, int exit_code,
                                        std::span<const Warning> warnings) const {
  std::vector<Error> errors;
  std::vector<FlowReport> reports;
  for (const RunResult& result : results) {
    errors.insert(errors.end(), result.errors.begin(), result.errors.end());
    if (result.began || !names_flows_) reports.push_back(result.report);
  }
  const JsonHead head{.command = "run", .exit_code = exit_code, .errors = errors, .warnings = warnings};
  return names_flows_ ? runs_json(head, reports) : run_json(head, reports.front());
}

std::string RunReporter::draw(std::span<const RunResult> results, const Palette& palette) const {
  const SummaryOptions options{.verbose = session_.options.verbose, .named = names_flows_};
  std::string text;
  for (const RunResult& result : results) {
    if (!text.empty()) text += '\n';
    if (result.began) text += draw_summary(result.report, palette, options);
    text += draw_errors(result, palette);
  }
  return text;
}

std::string RunReporter::draw_errors(const RunResult& result, const Palette& palette) const {
  std::string text;
  for (const Error& error : result.errors) text += draw_error(error, palette, session_.options.verbose);
  return text;
}

}  // namespace torvyn::cli
