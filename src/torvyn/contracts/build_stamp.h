// Private to contracts: what the last build was made of, kept beside its objects, to tell whether another one is
// needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// A file as it was. What counts is its content; a file whose size and time are the same is not read again. A missing file has none of it.
struct FileState {
  std::filesystem::path path;
  std::int64_t size_bytes = -1;
  std::int64_t modified_ns = -1;
  std::uint64_t content = 0;  // its hash

  // As it is now, read.
  static FileState of(std::filesystem::path path);
  // As it is now, without its content.
  static FileState glance(std::filesystem::path path);
  bool unchanged() const;
};

struct BuildStamp {
  std::uint64_t key = 0;       // of everything that was asked for
  std::uint64_t compiler = 0;  // which one it was
  std::string world;
  FileState output;
  std::vector<FileState> inputs;  // as they were before the compiler read them, so that an edit during a build shows

  // Nothing if there is none or it cannot be read: build then.
  static std::optional<BuildStamp> read(const std::filesystem::path& path);
  Status write(const std::filesystem::path& path) const;
  bool files_unchanged() const;
};

}  // namespace torvyn::contracts
