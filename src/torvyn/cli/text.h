// Text as a person sees it: what may be shown, how wide it is, how it lines up.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace torvyn::cli {

// `text` with everything that would steer a terminal written out as an escape: control characters but tab (a line end too),
// what reverses the direction of writing, and bytes that are not UTF-8. What guests, files and networks said is shown only so.
std::string printable(std::string_view text);

// `text` as one word of a POSIX shell: as it is where that is plain, else in single quotes.
std::string shell_quoted(std::string_view text);

// Columns `text` takes: its code points. Requires: printable.
std::size_t display_width(std::string_view text) noexcept;

// At most `columns` columns of `text`, the last of them "…" where something was left out. Requires: printable.
std::string clipped(std::string_view text, std::size_t columns);

// Broken at blanks into lines of at most `columns`; line ends in `text` stay. A word longer than that stands alone.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

// The lines of `text`, without their ends; one empty line for an empty text.
std::vector<std::string_view> lines_of(std::string_view text);

// Rows with their cells under each other: one blank before each row, two between columns, none at the end of a line. Cells are
// padded by their printed width, so they may not hold colours. Ends with a line end.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace torvyn::cli
