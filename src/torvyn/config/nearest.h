// "did you mean": the closest of some names.
#pragma once

#include <span>
#include <string_view>

namespace torvyn::config {

// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours) to `text`, or "" where none is
// within a third of its length (at least 2 edits, and fewer than would replace all of it). Ties go to the earlier
// candidate. A text of more than 64 bytes is near nothing. The result is one of `candidates` and lives as long as they do.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace torvyn::config
