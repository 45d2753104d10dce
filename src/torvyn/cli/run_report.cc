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
  if (report.state != FlowState::failed) return exit_success;
  // An input that isn't there shows when the flow starts, and is missing, not failed.
  const bool nothing_began = report.error && report.fates.pulled == 0;
  return nothing_began ? exit_code_of(*report.error) : exit_failed;
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

int RunReporter::tell(const RunResult& result, std::span<const Warning> warnings) const {
  Screen& screen = session_.screen;
  // Whoever looks at the screen should see why, wherever the report went.
  const bool errors_on_screen = !session_.json() || file_ >= 0;
  const std::string report =
      session_.json()
          ? run_json({.command = "run", .exit_code = result.exit_code, .errors = result.errors, .warnings = warnings},
                     result.report)
          : draw(result, file_ >= 0 ? Palette() : screen.palette());
  bool written = true;
  if (file_ >= 0) {
    written = write_text(file_, report);
  } else if (!session_.json()) {
    if (!session_.options.quiet) screen.print(report);
  } else if (stdout_taken_) {
    screen.print(report);
  } else {
    written = write_text(STDOUT_FILENO, report);
  }
  const int write_error = errno;
  if (errors_on_screen)
    for (const Error& error : result.errors)
      screen.print(draw_error(error, screen.palette(), session_.options.verbose));
  if (written) return result.exit_code;
  screen.print(
      draw_error(io_error("cannot write the report to", file_ >= 0 ? path_.string() : "standard output", write_error),
                 screen.palette()));
  return result.exit_code == exit_success ? exit_failed : result.exit_code;
}

std::string RunReporter::draw(const RunResult& result, const Palette& palette) const {
  std::string text = result.began ? draw_summary(result.report, palette, session_.options.verbose) : std::string();
  // On the screen the errors come in any case.
  if (file_ >= 0)
    for (const Error& error : result.errors) text += draw_error(error, palette, session_.options.verbose);
  return text;
}

}  // namespace torvyn::cli
