// Private to contracts: keeps other builds out of a folder, also those of other processes.
#pragma once

#include <filesystem>
#include <functional>
#include <utility>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// Holds the folder for as long as it lives; the kernel lets go of it where the process is killed.
class FolderLock {
 public:
  // Waits for whoever holds it; `on_wait` is called before that, once, where somebody does. The folder exists.
  // Errors: E0004.
  static Result<FolderLock> take(const std::filesystem::path& folder, const std::function<void()>& on_wait = {});

  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace torvyn::contracts
