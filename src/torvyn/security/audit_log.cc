#include "torvyn/security/audit_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "torvyn/types/file.h"

namespace torvyn::security {
namespace {

// Others have no business with it: it tells which secrets a component was given.
constexpr mode_t file_mode = 0600;
constexpr mode_t folder_mode = 0700;
constexpr std::uint64_t ns_in_ms = 1'000'000;
constexpr std::uint64_t ns_in_s = 1'000'000'000;

// "2026-01-31T12:00:00.250Z".
std::string timestamp(std::uint64_t wall_ns) {
  const auto seconds = static_cast<std::time_t>(wall_ns / ns_in_s);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), wall_ns % ns_in_s / ns_in_ms);
}

std::string numbered(const std::string& path, std::uint32_t number) {
  return number == 0 ? path : fmt::format("{}.{}", path, number);
}

// Held by whoever writes, in whatever process.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {
    while (flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { flock(fd_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

// Whether `fd` is still what stands at `path`: another process may have begun a new file.
bool is_current(int fd, const std::string& path) {
  struct stat open{};
  struct stat named{};
  return fstat(fd, &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

}  // namespace

struct AuditLog::Line {
  const char* event;
  const AuditSubject& subject;
  nlohmann::ordered_json rest = nlohmann::ordered_json::object();
};

Result<std::unique_ptr<AuditLog>> AuditLog::open(const AuditOptions& options) {
  std::unique_ptr<AuditLog> log(new AuditLog(options));
  if (options.target != config::AuditTarget::file) return log;
  const Status opened = log->reopen();
  if (opened) return log;
  if (options.stops_on_failure) return fail(opened.error());
  log->warned_ = true;
  if (options.events != nullptr)
    options.events->event(Severity::warn, warning_code_string(ErrorCode::audit_failed), {}, opened.error().message());
  return log;
}

AuditLog::~AuditLog() {
  if (fd_ >= 0) close(fd_);
}

Status AuditLog::granted(const AuditSubject& subject, std::span<const config::Capability> grants) {
  Line line{"granted", subject};
  nlohmann::ordered_json& list = line.rest["capabilities"] = nlohmann::ordered_json::array();
  for (const config::Capability& grant : grants)
    list.push_back(grant.scope.empty() ? grant.name : grant.name + ":" + grant.scope);
  return write(line);
}

Status AuditLog::denied(const AuditSubject& subject, std::string_view capability, std::string_view function,
                        std::string_view target) {
  return write({"denied", subject, {{"capability", capability}, {"function", function}, {"target", target}}});
}

Status AuditLog::used(const AuditSubject& subject, std::string_view capability, std::string_view function,
                      std::string_view target) {
  return write({"used", subject, {{"capability", capability}, {"function", function}, {"target", target}}});
}

Status AuditLog::suppressed(const AuditSubject& subject, std::uint64_t denials) {
  return write({"suppressed", subject, {{"denials", denials}}});
}

Status AuditLog::write(const Line& line) {
  nlohmann::ordered_json json{{"time", timestamp(options_.clock->wall_ns())},
                              {"event", line.event},
                              {"flow", line.subject.flow},
                              {"node", line.subject.node},
                              {"component", line.subject.component}};
  json.update(line.rest);
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (options_.target == config::AuditTarget::event_sink) {
    if (options_.events != nullptr) options_.events->event(Severity::info, "AUDIT", line.subject.node, text);
    return {};
  }
  text += '\n';

  const std::scoped_lock lock(mutex_);
  Status written = append(text);
  if (written) {
    warned_ = false;
    return written;
  }
  if (options_.stops_on_failure) return written;
  if (!std::exchange(warned_, true) && options_.events != nullptr)
    options_.events->event(Severity::warn, warning_code_string(ErrorCode::audit_failed), line.subject.node,
                           written.error().message() + "; what should stand there is lost");
  return {};
}

namespace {

Error failure(const std::string& what, const std::string& path, int error_number) {
  return Error(ErrorCode::audit_failed,
               fmt::format("the audit log cannot be written: {} `{}`: {}", what, path,
                           std::generic_category().message(error_number)),
               "make room or give the rights, name another file with `audit_path` in [security], or say there "
               "`audit_on_failure = \"continue\"`");
}

// All of it or none. 0, or an errno.
int write_whole(int fd, std::string_view text) {
  struct stat before{};
  const bool is_file = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
  const int error_number = write_all(fd, std::as_bytes(std::span(text)));
  // Of a line that found no room nothing may stay: the next one would go on in it.
  if (error_number != 0 && is_file && ftruncate(fd, before.st_size) != 0) return errno;
  return error_number;
}

}  // namespace

Status AuditLog::reopen() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  std::error_code error;
  const std::filesystem::path folder = options_.path.parent_path();
  if (!folder.empty()) {
    std::filesystem::create_directories(folder.parent_path(), error);
    // What is wrong with it shows when the file is opened.
    std::ignore = mkdir(folder.c_str(), folder_mode);
  }
  // A FIFO or device would make the host wait for whoever reads it.
  fd_ = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode);
  if (fd_ < 0) return fail(failure("open", options_.path.string(), errno));
  struct stat now{};
  if (fstat(fd_, &now) == 0 && S_ISREG(now.st_mode)) return {};
  close(std::exchange(fd_, -1));
  return fail(failure("open", options_.path.string(), EINVAL));
}

void AuditLog::rotate() {
  const std::string path = options_.path.string();
  // A file that cannot be moved is overwritten by the next one's move, or stays: the log goes on in any case.
  for (std::uint32_t number = options_.keep - 1; number > 0; --number)
    std::ignore = std::rename(numbered(path, number - 1).c_str(), numbered(path, number).c_str());
  if (options_.keep == 1) std::ignore = unlink(path.c_str());
}

Status AuditLog::make_room(std::uint64_t bytes) {
  struct stat now{};
  if (fstat(fd_, &now) != 0) return fail(failure("look at", options_.path.string(), errno));
  const auto size = static_cast<std::uint64_t>(now.st_size);
  if (size == 0 || size + bytes <= options_.size_bytes) return {};
  rotate();
  return reopen();
}

Status AuditLog::append(std::string_view text) {
  if (options_.target == config::AuditTarget::stdout_lines) {
    const int error_number = write_whole(options_.stdout_fd, text);
    return error_number == 0 ? Status() : fail(failure("write to", "stdout", error_number));
  }
  const std::string path = options_.path.string();
  // Twice at most in earnest: between the opening of a file and the lock, another process may have moved it away.
  constexpr int tries = 8;
  for (int i = 0; i < tries; ++i) {
    if (fd_ < 0) TORVYN_TRY(reopen());
    const int locked = fd_;
    {
      const FileLock lock(locked);
      if (is_current(locked, path)) {
        TORVYN_TRY(make_room(text.size()));
        const int error_number = write_whole(fd_, text);
        return error_number == 0 ? Status() : fail(failure("write to", path, error_number));
      }
    }
    TORVYN_TRY(reopen());
  }
  return fail(failure("open", path, EBUSY));
}

}  // namespace torvyn::security
