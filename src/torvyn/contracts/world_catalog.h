// Private to contracts: the worlds a component can be built for, the contract's and those of a project's own WIT.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/wit.h"
#include "torvyn/contracts/wit_folder.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

class WorldCatalog {
 public:
  struct Entry {
    std::string full_name;  // "torvyn:streaming/managed-transform@0.1.0"
    std::string name;       // "managed-transform"
    std::string header;     // "managed_transform"
  };

  // Reads the WIT below `wit_dir`; empty: the contract packages alone. A package of the contract that lies in
  // `wit_dir` too, as other tools want it, is left out: the one that this Torvyn was built with counts.
  // Errors: E0004, E0100, E0101.
  static Result<WorldCatalog> load(const std::filesystem::path& wit_dir);

  const std::vector<Entry>& entries() const noexcept { return entries_; }

  // By full name, full name without version, or short name; where several packages have a world of that name, the
  // project's. Null if there is none.
  const Entry* find(std::string_view name) const noexcept;
  // The same, or E0006 with the names of all.
  Result<const Entry*> require(std::string_view name) const;
  const Entry* find_header(std::string_view header) const noexcept;

  // ", did you mean `transform`?", or "" where no name of a world is near.
  std::string did_you_mean(std::string_view name) const;

  // "transform, managed-transform, …"
  std::string names() const;

  // All WIT files, the contract's included. Valid as long as the catalog.
  std::vector<WitFile> files() const;

 private:
  std::vector<OwnedWitFile> project_;
  std::vector<Entry> entries_;  // the project's first
};

}  // namespace torvyn::contracts
