#include "torvyn/contracts/wasm_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace torvyn::contracts {
namespace {

constexpr std::array<std::uint8_t, 4> magic = {0x00, 'a', 's', 'm'};
constexpr std::size_t header_bytes = 8;  // magic, version, layer
constexpr std::size_t looked_at_bytes = 512;

// No control characters but blanks, and no zero: good enough to say "a text file" rather than "not WebAssembly".
bool looks_like_text(std::span<const std::uint8_t> bytes) noexcept {
  return std::ranges::all_of(bytes.first(std::min(bytes.size(), looked_at_bytes)), [](std::uint8_t byte) {
    return byte >= 0x20 ? byte != 0x7f : byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
  });
}

bool looks_like_wat(std::span<const std::uint8_t> bytes) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), looked_at_bytes));
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return false;
  return text.substr(start).starts_with("(module") || text.substr(start).starts_with("(component");
}

}  // namespace

WasmKind classify_wasm(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.empty()) return WasmKind::empty;
  const std::size_t compared = std::min(bytes.size(), magic.size());
  if (std::ranges::equal(bytes.first(compared), std::span(magic).first(compared))) {
    if (bytes.size() < header_bytes) return WasmKind::truncated_header;
    const bool is_component = bytes[6] == 1 && bytes[7] == 0;
    const bool is_module = bytes[4] == 1 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0;
    return is_component ? WasmKind::component : is_module ? WasmKind::core_module : WasmKind::unknown_version;
  }
  if (!looks_like_text(bytes)) return WasmKind::other;
  return looks_like_wat(bytes) ? WasmKind::wat : WasmKind::text;
}

Error not_a_component(std::string_view path, WasmKind kind, std::string_view why) {
  std::string message;
  std::string hint;
  switch (kind) {
    case WasmKind::component:
      message = fmt::format("`{}` is a damaged or incomplete component", path);
      if (!why.empty()) message += fmt::format(": {}", why);
      hint = "build or copy it again";
      break;
    case WasmKind::core_module:
      message = fmt::format("`{}` is a WebAssembly core module, not a component", path);
      hint = fmt::format("torvyn build {}", path);
      break;
    case WasmKind::unknown_version:
      message = fmt::format("`{}` is WebAssembly of a version that is not known here", path);
      hint = "build it again with tools for WASI 0.2 components";
      break;
    case WasmKind::truncated_header:
      message = fmt::format("`{}` is cut off: it ends within the first 8 bytes", path);
      hint = "build or copy it again";
      break;
    case WasmKind::wat:
      message = fmt::format("`{}` is WebAssembly in text form, not a component", path);
      hint = "translate it to binary first, for instance with `wasm-tools parse`";
      break;
    case WasmKind::text:
      message = fmt::format("`{}` is a text file, not a component", path);
      hint = "a component is built from source: torvyn build SOURCE";
      break;
    case WasmKind::empty:
      message = fmt::format("`{}` is empty", path);
      hint = "build or copy it again";
      break;
    case WasmKind::other:
      message = fmt::format("`{}` is not WebAssembly", path);
      hint = "a component is built from source: torvyn build SOURCE";
      break;
  }
  return {ErrorCode::not_a_component, std::move(message), std::move(hint)};
}

}  // namespace torvyn::contracts
