// Scripts that let a shell complete torvyn's command lines.
#pragma once

#include <string>

#include "torvyn/cli/command_line_info.h"

namespace torvyn::cli {

// Completes commands, options, what options and arguments take, and the flows and components of a Torvyn.toml in the current folder.
// To be sourced; needs bash 3.2 and nothing beside it.
std::string bash_completion(const CommandLineInfo& info);
// To be sourced, or to lie in $fpath as _torvyn.
std::string zsh_completion(const CommandLineInfo& info);
// To be sourced, or to lie in fish's completions as torvyn.fish.
std::string fish_completion(const CommandLineInfo& info);

}  // namespace torvyn::cli
