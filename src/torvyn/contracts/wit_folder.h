// Private to contracts: a folder of WIT, laid out as all tools have it: one package directly in it, those it depends on in deps/.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/wit.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

struct OwnedWitFile {
  std::string package;  // of those directly in the folder: "."
  std::string path;
  std::string text;
  std::string declared;  // the `ns:name@version` that the files of its package declare; empty where none does

  WitFile view() const noexcept { return {package, path, text}; }
};

// Those of a package next to each other. A file directly in deps/ is a package of its own.
// Errors: E0004 where it is no folder, or a file cannot be read.
Result<std::vector<OwnedWitFile>> read_wit_folder(const std::filesystem::path& folder);

// Whether a package of that name and version is one of the contract's.
bool is_builtin_package(std::string_view declared);

// The `ns:name@version` that a text declares; empty where it leaves that to another file of its package. Valid as long as the text.
std::string_view declared_package(std::string_view text) noexcept;

}  // namespace torvyn::contracts
