#include "torvyn/cli/screen.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

}  // namespace

bool write_text(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else who holds this pipe or terminal made it non-blocking
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void Screen::print(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (live_.empty()) {
    write_text(fd_, text);
    return;
  }
  // In one write, so that the live line doesn't flicker.
  std::string all(erase_line);
  all.append(text).append(live_);
  write_text(fd_, all);
}

void Screen::show_live(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  // A line that fills the last column would wrap, and could not be erased any more.
  live_ = clipped(line, terminal_.columns - 1);
  write_text(fd_, std::string(erase_line) + live_);
}

void Screen::clear_live() {
  const std::scoped_lock lock(mutex_);
  if (live_.empty()) return;
  live_.clear();
  write_text(fd_, erase_line);
}

}  // namespace torvyn::cli
