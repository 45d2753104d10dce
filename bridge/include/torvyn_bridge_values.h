// The bridge's views and strings as C++ values, for those who call it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "torvyn_bridge.h"

namespace torvyn::bridge {

// Views both ways: valid as long as what they show.
inline tvb_view view_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline tvb_view view_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

inline tvb_view view_of(std::span<const std::uint8_t> bytes) noexcept { return {bytes.data(), bytes.size()}; }

inline std::string_view text_of(tvb_view view) noexcept {
  return {reinterpret_cast<const char*>(view.data), static_cast<std::size_t>(view.size)};
}

inline std::string_view text_of(const tvb_string& text) noexcept { return text_of(tvb_view{text.data, text.size}); }

inline std::span<const std::byte> bytes_of(tvb_view view) noexcept {
  return {reinterpret_cast<const std::byte*>(view.data), static_cast<std::size_t>(view.size)};
}

// Copies the text and gives it back to the bridge.
inline std::string take(tvb_string text) {
  std::string copy(text_of(text));
  tvb_string_free(&text);
  return copy;
}

// The same for a failure of which only the message counts.
inline std::string take_message(tvb_failure& failure) {
  std::string message(text_of(failure.message));
  tvb_failure_free(&failure);
  return message;
}

}  // namespace torvyn::bridge
