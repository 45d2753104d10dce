#include "torvyn/config/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "torvyn/config/runtime_config.h"

namespace torvyn::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array size_units = {
    Unit{"B", 1},
    Unit{"KiB", kib},
    Unit{"MiB", mib},
    Unit{"GiB", gib},
    Unit{"TiB", 1024 * gib},
    Unit{"kB", 1'000},
    Unit{"KB", 1'000},
    Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"TB", 1'000'000'000'000},
};

constexpr std::uint64_t us_in_ns = 1'000;
constexpr std::uint64_t min_in_ns = 60 * s_in_ns;
constexpr std::uint64_t h_in_ns = 60 * min_in_ns;

constexpr std::array duration_units = {
    Unit{"ns", 1},
    Unit{"us", us_in_ns},
    Unit{"\u00b5s", us_in_ns},  // the micro sign
    Unit{"\u03bcs", us_in_ns},  // the Greek letter, which looks the same
    Unit{"ms", ms_in_ns},
    Unit{"s", s_in_ns},
    Unit{"m", min_in_ns},
    Unit{"min", min_in_ns},
    Unit{"h", h_in_ns},
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Cuts the digits off the front of `text`.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// What is being read: its name in messages, its units, and what a number without one means (0: nothing).
struct Quantity {
  std::string_view noun;
  std::string_view hint;
  std::span<const Unit> units;
  std::uint64_t bare_factor;
  std::string_view smallest;
};

constexpr Quantity size_quantity = {"size", "write it like 64MiB, 10MB, 512B or 4096", size_units, 1, "bytes"};
constexpr Quantity duration_quantity = {"duration", "write it like 250ms, 1s, 5m or 2h", duration_units, 0,
                                        "nanoseconds"};

Result<std::uint64_t> find_factor(const Quantity& quantity, std::string_view text, std::string_view unit) {
  if (unit.empty()) {
    if (quantity.bare_factor != 0) return quantity.bare_factor;
    return fail(ErrorCode::out_of_range, fmt::format("`{}` has no unit", text), std::string(quantity.hint));
  }
  for (const Unit& known : quantity.units) {
    if (known.name == unit) return known.factor;
  }
  for (const Unit& known : quantity.units) {
    if (lower(known.name) == lower(unit)) {
      return fail(
          ErrorCode::out_of_range,
          fmt::format("`{}` is not a {}: unknown unit `{}`, did you mean `{}`?", text, quantity.noun, unit, known.name),
          std::string(quantity.hint));
    }
  }
  return fail(ErrorCode::out_of_range, fmt::format("`{}` is not a {}: unknown unit `{}`", text, quantity.noun, unit),
              std::string(quantity.hint));
}

// Exact arithmetic: a limit that was rounded on the way in would not be the one that was written.
Result<std::uint64_t> parse_quantity(const Quantity& quantity, std::string_view text) {
  using Wide = unsigned __int128;
  constexpr Wide most = std::numeric_limits<std::uint64_t>::max();
  constexpr std::size_t fraction_digits_max = 18;  // 10^18 times the largest factor fits 128 bits

  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::out_of_range, fmt::format("`{}` is not a {}{}", text, quantity.noun, why),
                std::string(quantity.hint));
  };

  std::string_view rest = trimmed(text);
  if (rest.starts_with('-')) return refuse(": it is negative");
  const std::string_view whole_digits = take_digits(rest);
  if (whole_digits.empty()) return refuse("");
  std::string_view fraction_digits;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction_digits = take_digits(rest);
    if (fraction_digits.empty()) return refuse("");
    while (fraction_digits.ends_with('0')) fraction_digits.remove_suffix(1);
  }
  TORVYN_LET(const std::uint64_t factor, find_factor(quantity, text, trimmed(rest)));

  Wide whole = 0;
  for (const char digit : whole_digits) {
    whole = whole * 10 + static_cast<unsigned>(digit - '0');
    if (whole > most) return refuse(": it is too large");
  }
  if (fraction_digits.size() > fraction_digits_max)
    return refuse(fmt::format(": it does not give whole {}", quantity.smallest));
  Wide fraction = 0;
  Wide scale = 1;
  for (const char digit : fraction_digits) {
    fraction = fraction * 10 + static_cast<unsigned>(digit - '0');
    scale *= 10;
  }
  fraction *= factor;
  if (fraction % scale != 0) return refuse(fmt::format(": it does not give whole {}", quantity.smallest));
  const Wide total = whole * factor + fraction / scale;
  if (total > most) return refuse(": it is too large");
  return static_cast<std::uint64_t>(total);
}

// Three significant digits without trailing zeros; from 1000 on (1000 to 1023 KiB), whole numbers.
std::string three_digits(double value) {
  return value >= 999.5 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

// Requires: the units begin with the largest and end with 1.
std::string exact(std::uint64_t quantity, std::span<const Unit> units) {
  const auto unit = std::ranges::find_if(
      units, [quantity](const Unit& one) { return quantity >= one.factor && quantity % one.factor == 0; });
  return unit == units.end() ? fmt::format("0{}", units.back().name)
                             : fmt::format("{}{}", quantity / unit->factor, unit->name);
}

std::string two_units(std::uint64_t large, std::string_view large_name, std::uint64_t small,
                      std::string_view small_name) {
  if (small == 0) return fmt::format("{} {}", large, large_name);
  return fmt::format("{} {} {} {}", large, large_name, small, small_name);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) { return parse_quantity(size_quantity, text); }

Result<std::uint64_t> parse_duration(std::string_view text) { return parse_quantity(duration_quantity, text); }

std::string format_size(std::uint64_t bytes) {
  if (bytes < kib) return fmt::format("{} B", bytes);
  constexpr std::array names = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / static_cast<double>(kib);
  std::size_t index = 0;
  // 1023.5 rounds to 1024, which is 1 of the next unit.
  while (value >= 1023.5 && index + 1 < names.size()) {
    value /= static_cast<double>(kib);
    ++index;
  }
  return fmt::format("{} {}", three_digits(value), names[index]);
}

std::string format_duration(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns == 0) return "0 s";
  if (value < 999.5 * us_in_ns) return fmt::format("{} µs", three_digits(value / us_in_ns));
  if (value < 999.5 * ms_in_ns) return fmt::format("{} ms", three_digits(value / ms_in_ns));
  if (value < 59.95 * s_in_ns) return fmt::format("{} s", three_digits(value / s_in_ns));
  const std::uint64_t seconds = ns / s_in_ns + (ns % s_in_ns >= s_in_ns / 2 ? 1 : 0);
  if (seconds < 3600) return two_units(seconds / 60, "min", seconds % 60, "s");
  const std::uint64_t minutes = seconds / 60 + (seconds % 60 >= 30 ? 1 : 0);
  return two_units(minutes / 60, "h", minutes % 60, "min");
}

std::string exact_size(std::uint64_t bytes) {
  constexpr Unit units[] = {{"TiB", 1024 * gib}, {"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"B", 1}};
  return exact(bytes, units);
}

std::string exact_duration(std::uint64_t ns) {
  constexpr Unit units[] = {{"h", h_in_ns},   {"m", min_in_ns}, {"s", s_in_ns},
                            {"ms", ms_in_ns}, {"us", us_in_ns}, {"ns", 1}};
  return ns == 0 ? "0s" : exact(ns, units);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t position = digits.size(); position > 3; position -= 3) digits.insert(position - 3, 1, ',');
  return digits;
}

}  // namespace torvyn::config
