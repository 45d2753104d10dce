#include "torvyn/connectors/io.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "torvyn/config/units.h"

namespace torvyn::connectors {
namespace {

// How often a wait looks at an interrupt that has no descriptor (the machine had none left): a tenth of a second is soon
// for a person and nothing for a processor.
constexpr std::int64_t interrupt_look_ns = 100'000'000;

}  // namespace

int FileDescriptor::close() noexcept {
  if (fd_ < 0) return 0;
  // Linux has closed it even where it says EINTR.
  return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR ? 0 : errno;
}

WaitStatus wait_for(int fd, short events, const reactor::Interrupt* interrupt, std::int64_t timeout_ns) noexcept {
  std::array<pollfd, 2> waits{
      pollfd{.fd = fd, .events = events, .revents = 0},
      pollfd{.fd = interrupt == nullptr ? -1 : interrupt->fd(), .events = POLLIN, .revents = 0}};
  const bool look = interrupt != nullptr && interrupt->fd() < 0;
  for (;;) {
    if (interrupt != nullptr && interrupt->raised()) return WaitStatus::interrupted;
    const std::int64_t slice_ns =
        !look ? timeout_ns : (timeout_ns < 0 ? interrupt_look_ns : std::min(timeout_ns, interrupt_look_ns));
    const timespec slice{.tv_sec = slice_ns / 1'000'000'000, .tv_nsec = slice_ns % 1'000'000'000};
    const int count = ppoll(waits.data(), waits.size(), slice_ns < 0 ? nullptr : &slice, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return WaitStatus::ready;
    if (waits[1].revents != 0) return WaitStatus::interrupted;
    if (count > 0) return WaitStatus::ready;
    if (!look || slice_ns == timeout_ns) return WaitStatus::timed_out;
    if (timeout_ns > 0) timeout_ns -= slice_ns;
  }
}

namespace {

bool is_slow_mode(mode_t mode) noexcept { return !S_ISREG(mode) && !S_ISBLK(mode); }

}  // namespace

bool is_slow(int fd) noexcept {
  struct stat info{};
  return fstat(fd, &info) == 0 && is_slow_mode(info.st_mode);
}

bool is_slow(const std::filesystem::path& path) noexcept {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && is_slow_mode(info.st_mode);
}

Error allocation_error(resources::AllocateStatus status, std::uint64_t size_bytes) {
  const std::string size = config::format_size(size_bytes);
  switch (status) {
    case resources::AllocateStatus::exhausted:
      return Error(ErrorCode::pool_exhausted, fmt::format("no buffer of {} is left in its pool", size),
                   "enlarge the pool in [runtime.pools], or set exhaustion_policy = \"fallback-alloc\" there");
    case resources::AllocateStatus::too_large:
      return Error(ErrorCode::capacity_exceeded, fmt::format("a buffer of {} is beyond the largest allowed", size),
                   "raise max-buffer-size in [capabilities.torvyn]");
    case resources::AllocateStatus::ok:
    case resources::AllocateStatus::no_memory:
      break;
  }
  return Error(ErrorCode::allocation_failed, fmt::format("the machine has no memory for a buffer of {}", size),
               "free some memory, or lower max-buffer-size and the pools' sizes");
}

}  // namespace torvyn::connectors
