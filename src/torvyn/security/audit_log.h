// Who was granted what, what was refused, what was used: one JSON object a line.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "torvyn/config/capability.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/types/clock.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::security {

struct AuditOptions {
  config::AuditTarget target = config::AuditTarget::file;
  std::filesystem::path path;                          // `file`: its folders are made
  std::uint64_t size_bytes = std::uint64_t{64} << 20;  // `file`: it is begun anew before it grows beyond
  std::uint32_t keep = 8;                              // `file`: as many in all: PATH, PATH.1, …, the oldest last
  bool stops_on_failure = false;                       // whether what cannot be recorded may not happen
  int stdout_fd = 1;                                   // `stdout_lines`
  EventSink* events = nullptr;                         // `event_sink`, and warnings; outlives the log
  const Clock* clock = &SystemClock::instance();
};

// Whom a line is about. The views are valid for the call.
struct AuditSubject {
  std::string_view flow;
  std::string_view node;
  std::string_view component;
};

// The log of one host.
//
// A line is written with one call, under a lock that other processes with the same file hold too: lines are whole, and never mixed. What could
// be written only in part (the disk is full) is taken back.
//
// Where a line cannot be written it is W0510, once until one could be again, and the line is lost; or, with `stops_on_failure`, the error is the
// answer.
//
// Thread: any, all members at once.
class AuditLog {
 public:
  // Errors: E0510, with `stops_on_failure`; without it, W0510 is told and the log tries again with each line.
  static Result<std::unique_ptr<AuditLog>> open(const AuditOptions& options);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // What an instance was given when it began. Errors, here and below: E0510.
  Status granted(const AuditSubject& subject, std::span<const config::Capability> grants);
  Status denied(const AuditSubject& subject, std::string_view capability, std::string_view function,
                std::string_view target);
  Status used(const AuditSubject& subject, std::string_view capability, std::string_view function,
              std::string_view target);
  // So many denials of the subject stand in no line: it had too many in a short time.
  Status suppressed(const AuditSubject& subject, std::uint64_t denials);

  // Uses are recorded where this is set: at the level `diagnostic`.
  void set_tells_uses(bool tells) noexcept { tells_uses_.store(tells, std::memory_order_relaxed); }
  bool tells_uses() const noexcept { return tells_uses_.load(std::memory_order_relaxed); }

 private:
  explicit AuditLog(const AuditOptions& options) : options_(options) {}

  struct Line;
  Status write(const Line& line);
  Status append(std::string_view text);
  Status reopen();
  Status make_room(std::uint64_t bytes);
  void rotate();

  AuditOptions options_;
  std::atomic<bool> tells_uses_{false};
  std::mutex mutex_;
  int fd_ = -1;
  bool warned_ = false;
};

}  // namespace torvyn::security
