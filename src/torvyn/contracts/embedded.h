// Files of the source tree that are part of the binary: `torvyn init` and `torvyn build` need none beside it.
#pragma once

#include <span>
#include <string_view>

namespace torvyn::contracts {

struct EmbeddedFile {
  std::string_view path;  // from the root of the source tree: "sdk/c/include/torvyn/processor.h"
  std::string_view text;
};

// All of them, by path: what is below wit/, sdk/ and templates/, and the guests' runtime. Static.
std::span<const EmbeddedFile> embedded_files() noexcept;

// Those below `folder`, "sdk/c/" for instance. Static.
std::span<const EmbeddedFile> embedded_files(std::string_view folder) noexcept;

}  // namespace torvyn::contracts
