#include "torvyn/connectors/write_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "torvyn/types/file.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;

// Once the flow is stopped, a reader that takes nothing for this long is not waited for any more: below the time after
// which service managers kill, above a hiccup.
constexpr std::int64_t stuck_reader_ns = 2'000'000'000;
// Between two looks at whether the flow is to end, where the interrupt cannot be waited for.
constexpr std::int64_t nudged_look_ns = 5'000'000;
// How often the opening of a FIFO looks whether somebody reads it. Nothing can be polled for that.
constexpr std::int64_t fifo_look_ns = 20'000'000;

constexpr std::string_view partial_ending = ".partial";

}  // namespace

reactor::StageOutcome WriteSink::push(std::span<reactor::Element> in) noexcept {
  std::array<iovec, IOV_MAX> parts;  // filled as far as it is used
  std::size_t begin = 0;
  while (begin < in.size()) {
    // Neighbours in memory are one part: an unfiltered run of lines is a single one.
    std::size_t end = begin;
    std::size_t count = 0;
    for (; end < in.size(); ++end) {
      if (in[end].payload.size() == 0) continue;
      const auto bytes = in[end].payload.bytes();
      auto* const data = const_cast<std::byte*>(bytes.data());  // writev has one iovec for reading and writing
      if (count != 0 && static_cast<std::byte*>(parts[count - 1].iov_base) + parts[count - 1].iov_len == data) {
        parts[count - 1].iov_len += bytes.size();
      } else if (count == parts.size()) {
        break;
      } else {
        parts[count++] = {.iov_base = data, .iov_len = bytes.size()};
      }
    }
    std::uint64_t written = 0;
    const StageStatus status = write_all(parts.data(), static_cast<int>(count), written);
    if (status != StageStatus::ok) {
      while (begin < end && written >= in[begin].payload.size()) written -= in[begin++].payload.size();
      return {status, static_cast<std::uint32_t>(begin)};
    }
    begin = end;
  }
  return {StageStatus::ok, static_cast<std::uint32_t>(in.size())};
}

StageStatus WriteSink::write_all(iovec* parts, int count, std::uint64_t& written) noexcept {
  while (count > 0) {
    const ssize_t result = writev(fd_, parts, count);
    if (result > 0) {
      auto bytes = static_cast<std::size_t>(result);
      written += bytes;
      for (; count > 0 && bytes >= parts->iov_len; ++parts, --count) bytes -= parts->iov_len;
      if (bytes != 0) {
        parts->iov_base = static_cast<std::byte*>(parts->iov_base) + bytes;
        parts->iov_len -= bytes;
      }
      continue;
    }
    errno_ = result == 0 ? EIO : errno;
    if (errno_ == EINTR) continue;
    if (errno_ == EAGAIN && wait_for_reader()) continue;
    return errno_ == EPIPE || errno_ == ECONNRESET ? StageStatus::closed : StageStatus::failed;
  }
  return StageStatus::ok;
}

bool WriteSink::wait_for_reader() noexcept {
  while (interrupt_ == nullptr || !interrupt_->raised()) {
    if (wait_for(fd_, POLLOUT, interrupt_, wait_for_ever) == WaitStatus::ready) return true;
    // A nudge is meant for the flow's driver, whose turn comes after this.
    if (wait_for(fd_, POLLOUT, nullptr, nudged_look_ns) == WaitStatus::ready) return true;
  }
  for (std::int64_t waited_ns = 0; waited_ns < stuck_reader_ns && !stopped_; waited_ns += nudged_look_ns)
    if (wait_for(fd_, POLLOUT, nullptr, nudged_look_ns) == WaitStatus::ready) return true;
  reader_stuck_ = true;
  return false;
}

Error WriteSink::failure() const {
  if (reader_stuck_)
    return Error(ErrorCode::flow_cancelled,
                 fmt::format("the reader of `{}` took nothing for {} s after the flow was stopped", name_,
                             stuck_reader_ns / 1'000'000'000));
  return io_error("cannot write to", name_, errno_);
}

Status StdoutSink::start() {
  struct stat info{};
  if (fstat(given_fd_, &info) != 0) return fail(io_error("cannot write to", name(), errno));
  // A pipe whose reader has stopped reading must not hold a flow that is to end, so it is written to without blocking:
  // through a description of our own, since the mode of the one we were given is shared with other programs. Where that
  // can't be had, it blocks.
  if (S_ISFIFO(info.st_mode))
    reopened_ =
        FileDescriptor(open(fmt::format("/proc/self/fd/{}", given_fd_).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  write_to(reopened_ ? reopened_.get() : given_fd_);
  return {};
}

void StdoutSink::finish(bool /*orderly*/) noexcept { reopened_.close(); }

Status FileSink::start() {
  target_ = options_.path;
  std::error_code ignored;  // a link that leads nowhere is replaced itself
  if (std::filesystem::is_symlink(target_, ignored)) {
    if (auto led_to = std::filesystem::canonical(target_, ignored); !ignored) target_ = std::move(led_to);
  }
  struct stat info{};
  const bool exists = stat(target_.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) return fail(io_error("cannot write to", name(), errno));
  if (exists && S_ISDIR(info.st_mode)) return fail(io_error("cannot write to", name(), EISDIR));
  const bool is_fifo = exists && S_ISFIFO(info.st_mode);
  if (options_.append) return open_directly(O_APPEND | O_CREAT, is_fifo);
  if (exists && !S_ISREG(info.st_mode)) return open_directly(0, is_fifo);
  // Renaming over a file asks nothing of the file itself; writing it would.
  if (exists && access(target_.c_str(), W_OK) != 0) return fail(io_error("cannot write to", name(), errno));
  TORVYN_TRY(open_partial());
  if (exists) {
    // The new file is the old one with other bytes. Giving it to its owner takes privileges that most users lack.
    [[maybe_unused]] const int owned = fchown(file_.get(), info.st_uid, info.st_gid);
    [[maybe_unused]] const int allowed = fchmod(file_.get(), info.st_mode & 0777);
  }
  return {};
}

Status FileSink::open_directly(int flags, bool is_fifo) {
  for (;;) {
    file_ = FileDescriptor(open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0666));
    if (file_) break;
    if (!is_fifo || errno != ENXIO) return fail(io_error("cannot write to", name(), errno));
    // A FIFO that nobody reads yet.
    if (wait_for(-1, 0, interrupt(), fifo_look_ns) == WaitStatus::interrupted)
      return fail(ErrorCode::flow_cancelled, fmt::format("stopped while nobody read `{}`", name()));
  }
  write_to(file_.get());
  return {};
}

Status FileSink::open_partial() {
  partial_ = target_;
  partial_ += partial_ending;
  partial_name_ = (target_ == options_.path ? name() : target_.string()) + std::string(partial_ending);
  for (;;) {
    file_ = FileDescriptor(open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file_) return fail(io_error("cannot write to", partial_name_, errno));
    if (flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail(io_error("cannot lock", partial_name_, errno));
      return fail(ErrorCode::io_failed, fmt::format("`{}` is being written by another run", partial_name_),
                  "wait until that run has ended, or write to another file");
    }
    // Between opening and locking, another run may have renamed this very file to NAME: then it is not ours to empty.
    struct stat opened{};
    struct stat named{};
    if (fstat(file_.get(), &opened) == 0 && lstat(partial_.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev)
      break;
  }
  if (ftruncate(file_.get(), 0) != 0) return fail(io_error("cannot write to", partial_name_, errno));
  left_partial_ = true;
  write_to(file_.get());
  return {};
}

Status FileSink::complete() {
  // EINVAL: a FIFO or a terminal, behind which there is no disk.
  if (options_.sync && fsync(file_.get()) != 0 && errno != EINVAL)
    return fail(io_error("cannot write to", name(), errno));
  // Some file systems report a full disk only when a descriptor is closed. Closing a second one asks for that while the
  // first still holds the lock.
  FileDescriptor second(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (const int error = second.close(); error != 0) return fail(io_error("cannot write to", name(), error));
  // Renamed while locked: whoever opened the partial file meanwhile finds that it has gone.
  if (!partial_.empty()) {
    if (rename(partial_.c_str(), target_.c_str()) != 0) return fail(io_error("cannot write to", name(), errno));
    left_partial_ = false;
  }
  if (options_.sync && !partial_.empty()) {  // the new name is written in the folder
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || (fsync(opened.get()) != 0 && errno != EINVAL))
      return fail(io_error("cannot write to", folder.string(), errno));
  }
  file_.close();
  return {};
}

void FileSink::finish(bool /*orderly*/) noexcept { file_.close(); }

std::string FileSink::leftover() const { return left_partial_ ? partial_name_ + " kept" : std::string(); }

}  // namespace torvyn::connectors
