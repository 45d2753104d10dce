// Compiled code on disk, trusted only after its digest was checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::engine {

// "sha256:" and 64 hexadecimal digits.
std::string component_digest(std::span<const std::uint8_t> wasm);

// One file an entry: a header, the SHA-256 of the code, the code. An entry is named by the SHA-256 of component and engine
// fingerprint, so a new engine or a changed component never meets an old entry. A file that doesn't check out is as good as
// none: it is rebuilt and replaced.
// Thread: any; processes too: entries are written beside and renamed.
class CompileCache {
 public:
  // Makes the folder (mode 0700) where it is missing. E0004 where that fails, or where the folder belongs to somebody else or others may
  // write to it: code in it will be run.
  static Result<CompileCache> open(std::filesystem::path directory);

  // The key of a component's bytes for an engine with this fingerprint: 64 hex digits.
  static std::string key(std::span<const std::uint8_t> wasm, std::string_view fingerprint);

  // The code stored under `key`, or nothing where there is none or it is damaged.
  std::optional<std::vector<std::uint8_t>> load(const std::string& key) const;

  // Stores code. Errors (E0004) leave no torn entry behind.
  Status store(const std::string& key, std::span<const std::uint8_t> code) const;

  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  explicit CompileCache(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path entry_path(const std::string& key) const;
  std::filesystem::path directory_;
};

}  // namespace torvyn::engine
