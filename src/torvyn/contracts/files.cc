#include "torvyn/contracts/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "torvyn/config/nearest.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(std::string_view what, const fs::path& path, int error) {
  return fail(ErrorCode::io_failed, fmt::format("`{}` cannot be {}: {}", path.string(), what, std::strerror(error)));
}

struct Descriptor {
  int fd;
  explicit Descriptor(int descriptor) noexcept : fd(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return failed("read", path, errno);
  std::string bytes;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t size = ::read(file.fd, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed("read", path, errno);
    if (size == 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

Status write_file(const fs::path& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.fd < 0) return failed("written", path, errno);
  while (!bytes.empty()) {
    const ssize_t size = ::write(file.fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed("written", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

Status replace_file(const fs::path& path, std::string_view bytes) {
  fs::path temporary = path;
  temporary += fmt::format(".{}.partial", ::getpid());
  const Status written = write_file(temporary, bytes);
  std::error_code error;
  if (written) fs::rename(temporary, path, error);
  if (written && !error) return {};
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return written ? failed("written", path, error.value()) : written;
}

Status make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failed("made", path, error.value());
  return {};
}

bool is_there(const fs::path& path) noexcept {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Error not_there(const fs::path& path, const std::error_code& error) {
  return Error(ErrorCode::io_failed,
               fmt::format("`{}` cannot be read: {}{}", path.string(),
                           error ? error.message() : "No such file or directory", config::did_you_mean_file(path)),
               "look at the spelling and at the folder it is taken from");
}

}  // namespace torvyn::contracts
