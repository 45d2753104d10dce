// The file of a configuration, read within bounds. Inside this folder only.
#pragma once

#include <filesystem>
#include <string>

#include "torvyn/types/error.h"

namespace torvyn::config {

// What is in a file, up to a little beyond manifest_bytes_max. Unlike torvyn::read_file it takes pipes, and stops where no manifest goes
// on: a pipe may have no end. Errors: E0001 not there; E0004.
Result<std::string> read_config_file(const std::filesystem::path& path);

// E0004 where `text` is longer than manifest_bytes_max.
Status check_config_length(const std::string& file, std::size_t bytes);

}  // namespace torvyn::config
