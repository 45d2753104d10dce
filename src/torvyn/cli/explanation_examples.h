// How errors and warnings look where they occur, for the pages of `torvyn explain`.
#pragma once

#include <string_view>

namespace torvyn::cli {

// What the screen shows of an occurrence of "E0203": lines, the last without an end. Empty where there is none.
std::string_view example_of(std::string_view code) noexcept;

}  // namespace torvyn::cli
