// WIT: the packages of the contract, and a model of any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// One WIT file. Views: whoever makes one keeps the text.
struct WitFile {
  std::string_view package;  // groups the files of one package; any name, the same for all its files
  std::string_view path;     // shown in messages
  std::string_view text;
};

// The packages in wit/, as they were when Torvyn was built. Static.
std::span<const WitFile> builtin_packages() noexcept;

// The C source linked into every component made of C or C++. Static.
std::string_view guest_runtime() noexcept;

// Parses and resolves the files, in any order, into a JSON model: an object with the arrays `worlds`, `interfaces`,
// `types` and `packages`, whose entries refer to each other by index. Every package that is used must be among the
// files.
// Errors: E0100 syntax, E0101 unresolved name or package, both with file, line and column where known.
Result<std::string> wit_model(std::span<const WitFile> files);

}  // namespace torvyn::contracts
