// Payloads written to a descriptor as they are: the `stdout` and `file` sinks. Internal to connectors.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "torvyn/connectors/connectors.h"
#include "torvyn/connectors/io.h"

namespace torvyn::connectors {

// Writes each run with as few system calls as it takes, and keeps nothing back: what `push` has taken is with the kernel.
class WriteSink : public reactor::Stage {
 public:
  reactor::StageOutcome push(std::span<reactor::Element> in) noexcept final;
  Error failure() const override;
  std::string_view path() const noexcept final { return "builtin"; }
  // The reader is not waited for any longer.
  void stop() noexcept final { stopped_.store(true, std::memory_order_relaxed); }

 protected:
  WriteSink(std::string name, const ConnectorContext& context)
      : name_(std::move(name)), interrupt_(context.interrupt) {}

  void write_to(int fd) noexcept { fd_ = fd; }
  const std::string& name() const noexcept { return name_; }
  const reactor::Interrupt* interrupt() const noexcept { return interrupt_; }

 private:
  // Writes [data, data + count) of `parts`, and adds what was written to `written`.
  reactor::StageStatus write_all(iovec* parts, int count, std::uint64_t& written) noexcept;
  // Waits until the reader takes more. False: it didn't, long after the flow was stopped.
  bool wait_for_reader() noexcept;

  std::string name_;  // for messages
  const reactor::Interrupt* interrupt_;
  int fd_ = -1;
  int errno_ = 0;
  bool reader_stuck_ = false;
  std::atomic<bool> stopped_{false};
};

// Standard output.
class StdoutSink final : public WriteSink {
 public:
  explicit StdoutSink(const ConnectorContext& context)
      : WriteSink("standard output", context), given_fd_(context.stdout_fd) {}
  Status start() override;
  void finish(bool orderly) noexcept override;
  bool may_block() const noexcept override { return is_slow(given_fd_); }

 private:
  int given_fd_;
  FileDescriptor reopened_;
};

struct FileSinkOptions {
  std::filesystem::path path;
  std::string name;  // the path as the user wrote it
  bool append = false;
  bool sync = false;  // wait for the disk at the end
};

// A file. Unless it is appended to, NAME.partial is written, locked against other runs, and renamed to NAME by `complete`;
// until then a NAME that was there stays. What is there and is no regular file (a FIFO, a device) is written to directly; of
// a symbolic link, the file it leads to is replaced.
class FileSink final : public WriteSink {
 public:
  FileSink(FileSinkOptions options, const ConnectorContext& context)
      : WriteSink(options.name, context), options_(std::move(options)) {}
  Status start() override;
  Status complete() override;
  void finish(bool orderly) noexcept override;
  std::string leftover() const override;
  bool may_block() const noexcept override { return is_slow(options_.path); }

 private:
  Status open_directly(int flags, bool is_fifo);
  Status open_partial();

  FileSinkOptions options_;
  std::filesystem::path target_;   // options_.path, links followed
  std::filesystem::path partial_;  // empty: written directly
  std::string partial_name_;       // for messages
  bool left_partial_ = false;      // it is there, and has not been renamed
  FileDescriptor file_;
};

}  // namespace torvyn::connectors
