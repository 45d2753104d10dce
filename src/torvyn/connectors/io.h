// Descriptors and waiting for them. Internal to connectors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "torvyn/reactor/stage.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/types/error.h"

namespace torvyn::connectors {

// An owned file descriptor; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() noexcept = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  // 0, or the errno of closing: on some file systems the first to hear of a full disk.
  int close() noexcept;

 private:
  int fd_ = -1;
};

enum class WaitStatus : std::uint8_t {
  ready,        // also where the descriptor has an error to report: reading or writing tells
  interrupted,  // the interrupt is raised
  timed_out,
};

inline constexpr std::int64_t wait_for_ever = -1;

// Waits until `fd` has one of `events` (poll's), `interrupt` is raised, or `timeout_ns` have passed. Either of the first two
// may be absent: -1, null.
WaitStatus wait_for(int fd, short events, const reactor::Interrupt* interrupt, std::int64_t timeout_ns) noexcept;

// Reading or writing it may take for ever: it is there, and neither a regular file nor a block device.
bool is_slow(int fd) noexcept;
bool is_slow(const std::filesystem::path& path) noexcept;

// The error of a pool that gave no buffer. Requires: status is not ok.
Error allocation_error(resources::AllocateStatus status, std::uint64_t size_bytes);

}  // namespace torvyn::connectors
