// Sizes and durations as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "torvyn/types/error.h"

namespace torvyn::config {

// "64MiB", "1GiB", "4KiB", "512B", "10MB" (decimal), "4096" → bytes, up to TiB. Fractions ("1.5MiB") are read where they give
// whole bytes; blanks between number and unit are read too, so what `format_size` writes can be read back.
// Errors: E0702, naming what is read.
Result<std::uint64_t> parse_size(std::string_view text);

// "250ms", "1s", "5m" (or "5min"), "2h", "50us", "50µs", "100ns", "1.5s" → nanoseconds. A bare number is an error (E0702): of
// what?
Result<std::uint64_t> parse_duration(std::string_view text);

// "64 MiB", "1.5 KiB", "12 B": three significant digits.
std::string format_size(std::uint64_t bytes);
// "1.46 s", "250 ms", "0.19 µs": three significant digits; from a minute on "2 min 5 s", from an hour on "3 h 20 min".
std::string format_duration(std::uint64_t ns);
// "64MiB", "1500B", "250ms", "90s": without rounding, in the largest unit that leaves no fraction, as a manifest takes it.
std::string exact_size(std::uint64_t bytes);
std::string exact_duration(std::uint64_t ns);
// "500,000".
std::string format_count(std::uint64_t count);

}  // namespace torvyn::config
