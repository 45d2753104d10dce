// What a file is that was given for a component.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

enum class WasmKind : std::uint8_t {
  component,
  core_module,
  unknown_version,   // WebAssembly, of a version that is not known
  truncated_header,  // the beginning of WebAssembly, and then nothing
  wat,               // WebAssembly's text format
  text,
  empty,
  other,
};

// Judges by the first bytes alone: a component may still be damaged further on.
WasmKind classify_wasm(std::span<const std::uint8_t> bytes) noexcept;

// E0104 for a file that is no component: what it is instead and how to make a component of it. For
// `WasmKind::component` the error of a damaged or cut one, with `why` in the engine's words.
// Requires: `kind` is what classify_wasm says of the file.
Error not_a_component(std::string_view path, WasmKind kind, std::string_view why = {});

}  // namespace torvyn::contracts
