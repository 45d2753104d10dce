// Where the report of a run goes, and how it gets there.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/session.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// A run from the outside.
struct RunResult {
  observability::FlowReport report;  // of a flow that never began: name and state alone
  bool began = false;
  std::vector<Error> errors;  // why it failed; of one that began, `report.error` stands here too
  int exit_code = exit_success;
};

// The exit code of a flow that began. `signal` is the one that interrupted it, 0 if none did.
int exit_code_of(const observability::FlowReport& report, int signal) noexcept;

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

  // Tells the result. Returns the exit code: that of the result, or failure where the report cannot be written.
  int tell(const RunResult& result, std::span<const Warning> warnings) const;

 private:
  std::string draw(const RunResult& result, const Palette& palette) const;

  const Session& session_;
  bool stdout_taken_ = false;
  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace torvyn::cli
