#include "torvyn/cli/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace torvyn::cli {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ServiceNotify::ServiceNotify() : socket_(variable("NOTIFY_SOCKET")) {
  // Meant for another process, it was inherited by accident.
  const auto pid = number(variable("WATCHDOG_PID"));
  if (pid && *pid != static_cast<std::uint64_t>(::getpid())) return;
  if (const auto us = number(variable("WATCHDOG_USEC")); us && *us > 0) watchdog_interval_ns_ = *us * 1000 / 2;
}

void ServiceNotify::send(std::string_view state) const noexcept {
  sockaddr_un name{};
  if (socket_.empty() || socket_.size() >= sizeof name.sun_path) return;
  name.sun_family = AF_UNIX;
  socket_.copy(name.sun_path, socket_.size());
  if (socket_.front() == '@') name.sun_path[0] = '\0';  // a socket of the abstract namespace
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  static_cast<void>(::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&name), length));
  ::close(fd);
}

}  // namespace torvyn::cli
