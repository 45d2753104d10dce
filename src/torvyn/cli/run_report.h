// Where the report of a run goes, and how it gets there.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/session.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// A flow's run from the outside.
struct RunResult {
  observability::FlowReport report;  // of a flow that never began: name and state alone
  bool began = false;
  std::vector<Error> errors;  // why it failed; of one that began, `report.error` stands here too
  int exit_code = exit_success;
};

// The exit code of a flow that began. `signal` is the one that interrupted it, 0 if none did.
int exit_code_of(const observability::FlowReport& report, int signal) noexcept;

// The exit code of flows side by side: that of the first that failed; else of the first that was interrupted.
int exit_code_of(std::span<const RunResult> results) noexcept;

class RunReporter {
 public:
  explicit RunReporter(const Session& session) noexcept : session_(session) {}
  ~RunReporter();
  RunReporter(const RunReporter&) = delete;
  RunReporter& operator=(const RunReporter&) = delete;

  // From now on the report goes to `path`. Opened at once, so that what cannot be written is known before anything runs.
  // Errors: E0004.
  Status write_to(const std::filesystem::path& path);
  // A stage writes to stdout: the report goes to stderr, if not to a file.
  void leave_stdout_alone() noexcept { stdout_taken_ = true; }
  // Several flows were asked for, so each is told with its name.
  void name_flows() noexcept { names_flows_ = true; }

  // Tells the results, one for each flow that was run; one, of a flow that never began, where none was. Returns the exit code: that of
  // the results, or failure where the report cannot be written.
  int tell(std::span<const RunResult> results, std::span<const Warning> warnings) const;

 private:
  std::string report_as_json(std::span<const RunResult> results, int exit_code,
                             std::span<const Warning> warnings) const;
  std::string draw(std::span<const RunResult> results, const Palette& palette) const;
  std::string draw_errors(const RunResult& result, const Palette& palette) const;

  const Session& session_;
  bool names_flows_ = false;
  bool stdout_taken_ = false;
  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace torvyn::cli
