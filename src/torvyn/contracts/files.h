// Private to contracts: whole files in and out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// Errors, for all of these: E0004 with the path and the system's reason.
Result<std::string> read_file(const std::filesystem::path& path);
Status write_file(const std::filesystem::path& path, std::string_view bytes);
// Another process sees the old file or the new one, never a part.
Status replace_file(const std::filesystem::path& path, std::string_view bytes);
Status make_folder(const std::filesystem::path& path);
// False too where it cannot be told.
bool is_there(const std::filesystem::path& path) noexcept;
// E0004 for a file that somebody named and that is not there, with the nearest one; `error` says why where that is known.
Error not_there(const std::filesystem::path& path, const std::error_code& error);

}  // namespace torvyn::contracts
