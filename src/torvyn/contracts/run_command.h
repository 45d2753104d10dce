// Other programs: finding and running them.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// How a command ended.
struct CommandResult {
  int exit_code = 0;   // 128 + the signal's number where a signal ended it
  std::string output;  // stdout and stderr, interleaved as they came
  bool ok() const noexcept { return exit_code == 0; }
};

// Where a command runs, and what it finds there.
struct CommandPlace {
  std::filesystem::path directory = {};       // empty: ours
  std::vector<std::string> environment = {};  // "NAME=value": beside what is in ours, or in its place
};

// Runs `command[0]`, a path, with the other words as its arguments and waits for it. No shell; stdin is empty. Blocks the
// calling thread.
// Errors: E0004 where it cannot be started.
Result<CommandResult> run_command(std::span<const std::string> command, const CommandPlace& place = {});

// Whether `path` is a file that may be run.
bool is_program(const std::filesystem::path& path);

// The path of a program on the PATH.
std::optional<std::string> find_on_path(std::string_view name);

// A tool's output without the sequences that colour it.
std::string without_colors(std::string_view output);

}  // namespace torvyn::contracts
