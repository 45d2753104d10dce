#include "torvyn/types/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <tuple>
#include <utility>

namespace torvyn {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }
  bool close() noexcept { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

const char* hint_for(int error_number) noexcept {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space, or write to another disk";
    case EACCES:
    case EPERM:
      return "look at the permissions of the file and of the folders above it";
    case ENOENT:
      return "look at the spelling and at the folder it is taken from";
    case EISDIR:
      return "name a file in it";
    default:
      return "";
  }
}

}  // namespace

Error io_error(std::string_view what, const std::string& path, int error_number) {
  return {ErrorCode::io_failed, std::string(what) + " `" + path + "`: " + std::generic_category().message(error_number),
          hint_for(error_number)};
}

Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(io_error("cannot read", path.string(), errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(io_error("cannot read", path.string(), errno));
  if (S_ISDIR(status.st_mode)) return fail(io_error("cannot read", path.string(), EISDIR));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(io_error("cannot read", path.string(), errno));
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size == bytes.size()) bytes.resize(2 * size);
  }
  bytes.resize(size);
  return bytes;
}

Status replace_file(const std::filesystem::path& path, std::initializer_list<std::span<const std::uint8_t>> parts,
                    unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return fail(io_error("cannot write", path.string(), errno));
  bool ok = ::fchmod(file.get(), mode) == 0;
  for (const auto part : parts) ok = ok && write_all(file.get(), std::as_bytes(part)) == 0;
  ok = ok && file.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!ok) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    return fail(io_error("cannot write", path.string(), error_number));
  }
  return {};
}

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
      std::ignore = poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace torvyn
