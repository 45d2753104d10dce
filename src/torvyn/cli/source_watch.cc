#include "torvyn/cli/source_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

// A file is written, put in a place, or gone. Not IN_MODIFY: half a file is nobody's source.
constexpr std::uint32_t wanted = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

bool counts(std::string_view name) { return !name.empty() && !name.starts_with('.') && !name.ends_with('~'); }

}  // namespace

Result<SourceWatch> SourceWatch::make() {
  const int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (events < 0)
    return fail(io_error("cannot watch", "sources", errno).with_hint("fs.inotify.max_user_instances may be reached"));
  const int stopped = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (stopped < 0) {
    const int error = errno;
    close(events);
    return fail(io_error("cannot watch", "sources", error));
  }
  return SourceWatch(events, stopped);
}

SourceWatch::SourceWatch(SourceWatch&& other) noexcept
    : events_(std::exchange(other.events_, -1)),
      stopped_(std::exchange(other.stopped_, -1)),
      folders_(std::move(other.folders_)) {}

SourceWatch::~SourceWatch() {
  if (events_ >= 0) close(events_);
  if (stopped_ >= 0) close(stopped_);
}

Status SourceWatch::add(std::span<const std::filesystem::path> files) {
  for (const std::filesystem::path& file : files) {
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    if (folders_.contains(folder)) continue;
    const int watch = inotify_add_watch(events_, folder.c_str(), wanted);
    if (watch < 0) return fail(io_error("cannot watch", folder, errno));
    folders_.emplace(folder, watch);
  }
  return {};
}

SourceWatch::Heard SourceWatch::listen(int timeout_ms) {
  std::array<pollfd, 2> sources = {pollfd{stopped_, POLLIN, 0}, pollfd{events_, POLLIN, 0}};
  if (poll(sources.data(), sources.size(), timeout_ms) < 0) return Heard::nothing;  // a signal: others hear of it
  if (sources[0].revents != 0) return Heard::stop;
  if (sources[1].revents == 0) return Heard::nothing;
  alignas(inotify_event) std::array<char, 4096> bytes;
  Heard heard = Heard::nothing;
  for (;;) {
    const ssize_t size = read(events_, bytes.data(), bytes.size());
    if (size <= 0) return heard;
    for (const char* at = bytes.data(); at < bytes.data() + size;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(at);
      if ((event->mask & IN_Q_OVERFLOW) != 0 || (event->len > 0 && counts(event->name))) heard = Heard::change;
      at += sizeof(inotify_event) + event->len;
    }
  }
}

bool SourceWatch::wait() {
  Heard heard = Heard::nothing;
  while (heard == Heard::nothing) heard = listen(-1);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(flock_ms_max);
  while (heard == Heard::change && std::chrono::steady_clock::now() < until) heard = listen(quiet_ms);
  return heard != Heard::stop;
}

void SourceWatch::stop() noexcept {
  const std::uint64_t one = 1;
  // Fails only where it is stopped already as often as a counter can count.
  static_cast<void>(::write(stopped_, &one, sizeof one) == sizeof one);
}

}  // namespace torvyn::cli
