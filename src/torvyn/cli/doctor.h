// What this machine has for building and running components, as data and as text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/terminal.h"

namespace torvyn::cli {

// One thing that was looked at.
struct Finding {
  std::string area;     // a language, "cache" or "kernel"
  std::string what;     // "clang", "vm.max_map_count"
  std::string found;    // what is there; may be empty
  std::string problem;  // empty: it is as it should be
  std::string fix;      // the command that mends it, for a shell; empty where there is none
  bool needs_root = false;
  bool needed = true;  // false: for something that nobody asked for

  bool ok() const noexcept { return problem.empty(); }
};

// A command of --fix that was run.
struct Fix {
  std::string command;
  int exit_code = 0;
};

// What is needed to build in `language`.
std::vector<Finding> examine_language(std::string_view language, bool needed);

// The folder of compiled code: whether it belongs to us alone and can be written, and what it holds. Changes nothing.
Finding examine_cache(const std::filesystem::path& directory);

// Limits of the kernel on mappings and address space, against what `instances_max` components ask for. `proc` is the root of /proc/sys.
std::vector<Finding> examine_kernel(const std::filesystem::path& proc, std::uint64_t address_space_max,
                                    std::uint64_t instances_max);

// The commands that mend what is wrong, each once: of what is needed; of everything where nothing that is needed is wrong.
std::vector<const Finding*> to_fix(std::span<const Finding> findings);

std::string draw_findings(std::span<const Finding> findings, const Palette& palette);

}  // namespace torvyn::cli
