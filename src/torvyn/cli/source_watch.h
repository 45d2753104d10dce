// Tells when one of some files has changed, or something was put beside them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>

#include "torvyn/types/error.h"

namespace torvyn::cli {

// Watches the folders that files lie in, because editors put a new file in the old one's place. What is hidden, as editors' own files are,
// does not count, nor do backups that end in `~`.
class SourceWatch {
 public:
  // Changes come in flocks: `wait` ends when nothing has changed for this long, ...
  static constexpr int quiet_ms = 50;
  // … or when changes have come for this long.
  static constexpr int flock_ms_max = 1000;

  // Errors: E0004 the kernel has no more of these.
  static Result<SourceWatch> make();
  SourceWatch(SourceWatch&& other) noexcept;
  SourceWatch& operator=(SourceWatch&&) = delete;
  ~SourceWatch();

  // From now on these are watched too. Errors: E0004.
  Status add(std::span<const std::filesystem::path> files);

  // Blocks until something changes after `add`. False where it was stopped.
  bool wait();

  // Thread: any; once `wait` has returned false it always does.
  void stop() noexcept;

 private:
  SourceWatch(int events, int stopped) noexcept : events_(events), stopped_(stopped) {}
  enum class Heard { nothing, change, stop };
  Heard listen(int timeout_ms);

  int events_;   // inotify
  int stopped_;  // an eventfd
  std::unordered_map<std::string, int> folders_;
};

}  // namespace torvyn::cli
