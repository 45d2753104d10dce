// Private to contracts: whole files in and out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// Errors, for all of these: E0004 with the path and the system's reason.
Result<std::string> read_file(const std::filesystem::path& path);
Status write_file(const std::filesystem::path& path, std::string_view bytes);
// Another process sees the old file or the new one, never a part.
Status replace_file(const std::filesystem::path& path, std::string_view bytes);
Status make_folder(const std::filesystem::path& path);

}  // namespace torvyn::contracts
