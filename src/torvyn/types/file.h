// Whole files, in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn {

// E0004: "`what` `path`: reason", with a hint where the reason has one. `error_number` is an errno.
Error io_error(std::string_view what, const std::string& path, int error_number);

// All bytes of a regular file. Errors: E0004 (missing, a folder, no permission, …).
Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path);

// Writes all of `bytes` to `fd`, waiting where it takes no more for now. 0, or the errno that ended it; some may be written then.
int write_all(int fd, std::span<const std::byte> bytes) noexcept;

// Writes `parts` one after the other to a new file beside `path` and renames it: readers see the old file or the new one, never part of
// it, and two writers don't meet. Errors: E0004; nothing is left behind.
Status replace_file(const std::filesystem::path& path, std::initializer_list<std::span<const std::uint8_t>> parts,
                    unsigned mode = 0644);

}  // namespace torvyn
