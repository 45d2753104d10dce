// "did you mean": the closest of some names.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace torvyn::config {

// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours) to `text`, or "" where none is
// within a third of its length (at least 2 edits, and fewer than would replace all of it). Ties go to the earlier
// candidate. A text of more than 64 bytes is near nothing. The result is one of `candidates` and lives as long as they do.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

// ", did you mean `NAME`?" with what is called nearly like `missing` in its folder; "" where nothing is.
// For the end of a message about a path that is not there. Looks at the first 1,000 files.
std::string did_you_mean_file(const std::filesystem::path& missing);

}  // namespace torvyn::config
