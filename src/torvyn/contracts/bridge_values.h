// Private to contracts: the bridge's views, strings and failures as C++ values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn_bridge.h"

#include "torvyn/contracts/wit.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

inline tvb_view view_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(tvb_view view) noexcept {
  return {reinterpret_cast<const char*>(view.data), static_cast<std::size_t>(view.size)};
}

// Valid as long as the files' texts are.
std::vector<tvb_wit_file> bridge_files(std::span<const WitFile> files);

// Copies the text and gives it back to the bridge.
std::string take(tvb_string& text);

// The error a failure means, and frees it: E0100 and E0101 for WIT, E0007 for a panic; `otherwise` for the rest.
Error take_error(tvb_failure& failure, ErrorCode otherwise);

}  // namespace torvyn::contracts
