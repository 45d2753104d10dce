#include "torvyn/contracts/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace torvyn::contracts {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, const std::function<void()>& on_wait) {
  const std::filesystem::path path = folder / "lock";
  FolderLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  bool held = lock.fd_ >= 0 && ::flock(lock.fd_, LOCK_EX | LOCK_NB) == 0;
  if (!held && lock.fd_ >= 0 && errno == EWOULDBLOCK) {
    if (on_wait) on_wait();
    do {
      held = ::flock(lock.fd_, LOCK_EX) == 0;
    } while (!held && errno == EINTR);
  }
  if (held) return lock;
  return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be locked: {}", path.string(), std::strerror(errno)));
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace torvyn::contracts
