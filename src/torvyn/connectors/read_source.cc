#include "torvyn/connectors/read_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "torvyn/config/nearest.h"
#include "torvyn/config/units.h"
#include "torvyn/types/assert.h"
#include "torvyn/types/file.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;
using resources::AllocateStatus;
using resources::BufferAction;

// A block is read, cut, and consumed by the next stages while it is in a core's cache. Larger ones would save system calls,
// which are one in hundreds of lines already.
constexpr std::uint64_t read_block_bytes = resources::medium_buffer_bytes;

Error cannot_open(const ReadOptions& options, int error_number) {
  Error error = io_error("cannot read", options.name, error_number);
  if (error_number == ENOENT) error.detail().message += config::did_you_mean_file(options.path);
  return error;
}

}  // namespace

ReadSource::ReadSource(ReadOptions options, const ConnectorContext& context, ContentTypeId content_type)
    : options_(std::move(options)), pool_(context.pool), interrupt_(context.interrupt), content_type_(content_type) {
  std::uint64_t block_bytes = std::min<std::uint64_t>(read_block_bytes, options_.element_bytes_max);
  // Whole chunks: a file on a disk then never has one to carry over.
  if (const std::uint64_t chunk = options_.chunk_bytes; chunk != 0)
    block_bytes = chunk < block_bytes ? block_bytes / chunk * chunk : chunk;
  block_bytes_ = static_cast<std::uint32_t>(block_bytes);
}

Status ReadSource::start() {
  if (options_.path.empty()) {
    fd_ = options_.fd;
  } else {
    // Non-blocking matters to FIFOs, whose open and read would wait where no interrupt reaches.
    opened_ = FileDescriptor(open(options_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!opened_) return fail(cannot_open(options_, errno));
    fd_ = opened_.get();
  }
  struct stat info{};
  if (fstat(fd_, &info) != 0) return fail(io_error("cannot read", options_.name, errno));
  if (S_ISDIR(info.st_mode)) return fail(io_error("cannot read", options_.name, EISDIR));
  may_block_ = !S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode);
  if (!may_block_) posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  return {};
}

reactor::StageOutcome ReadSource::pull(const reactor::PullLimits& limits, reactor::Run& out) noexcept {
  for (;;) {
    if (give_elements(limits, out) != 0) return {StageStatus::ok, 0};
    if (block_is_one_long_line()) {
      if (!options_.split_long_lines) {
        failure_ = Failure::long_line;
        return {StageStatus::failed, 0};
      }
      give_rest(out);
      if (!first_continuation_) first_continuation_ = given_;
      return {StageStatus::ok, 0};
    }
    switch (fill(limits.may_wait)) {
      case Fill::filled:
        continue;
      case Fill::end_of_input:
        if (begin_ != filled_) give_rest(out);
        release_block();
        return {StageStatus::end_of_stream, 0};
      case Fill::nothing_yet:
        return {StageStatus::nothing_yet, 0};
      case Fill::failed:
        return {StageStatus::failed, 0};
    }
  }
}

std::uint32_t ReadSource::give_elements(const reactor::PullLimits& limits, reactor::Run& out) noexcept {
  const std::uint32_t elements_max = std::max(limits.elements_max, 1U);
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
  while (count < elements_max) {
    const std::uint32_t end = element_end();
    if (end == 0) break;
    bytes += end - begin_;
    if (count != 0 && bytes > limits.bytes_max) break;
    if (count == 0) freeze_block(std::min(elements_max, filled_ - begin_));
    give(end, out);
    ++count;
  }
  if (begin_ == filled_) release_block();
  return count;
}

void ReadSource::give_rest(reactor::Run& out) noexcept {
  freeze_block(1);
  give(filled_, out);
  release_block();
}

void ReadSource::give(std::uint32_t end, reactor::Run& out) noexcept {
  --spare_references_;
  out.push_back({.meta = {.content_type = content_type_}, .payload = block_.adopt_slice(begin_, end - begin_)});
  begin_ = end;
  ++given_;
}

std::uint32_t ReadSource::element_end() noexcept {
  if (begin_ == filled_) return 0;
  if (options_.chunk_bytes == 0) return line_end();
  return filled_ - begin_ < options_.chunk_bytes ? 0 : begin_ + options_.chunk_bytes;
}

std::uint32_t ReadSource::line_end() noexcept {
  if (lf_at_ < begin_) lf_at_ = find('\n', begin_);
  if (cr_at_ < begin_) cr_at_ = find('\r', begin_);
  if (lf_at_ < cr_at_) return lf_at_ + 1;
  if (cr_at_ == filled_) return 0;
  if (cr_at_ + 1 < filled_) return cr_at_ + (lf_at_ == cr_at_ + 1 ? 2 : 1);
  return byte_beyond_ && *byte_beyond_ != '\n' ? filled_ : 0;
}

std::uint32_t ReadSource::find(char byte, std::uint32_t from) const noexcept {
  const std::byte* const data = block_.bytes().data();
  const void* const found = from == filled_ ? nullptr : std::memchr(data + from, byte, filled_ - from);
  return found == nullptr ? filled_ : static_cast<std::uint32_t>(static_cast<const std::byte*>(found) - data);
}

ReadSource::Fill ReadSource::fill(bool may_wait) noexcept {
  if (at_end_) return Fill::end_of_input;
  if (byte_beyond_) {  // all before it has been given
    if (!next_block()) return Fill::failed;
    std::memcpy(block_.writable().data(), &*byte_beyond_, 1);
    byte_beyond_.reset();
    accept(1);
    return Fill::filled;
  }
  for (;;) {
    // No block is held through the wait if nothing was carried over.
    if (may_block_ && wait_for(fd_, POLLIN, interrupt_, may_wait ? wait_for_ever : 0) != WaitStatus::ready)
      return Fill::nothing_yet;
    char beyond = 0;
    const bool look_beyond = !frozen_ && filled_ == options_.element_bytes_max;
    if (!look_beyond && (frozen_ || filled_ == capacity_) && !next_block()) return Fill::failed;
    const ssize_t count =
        look_beyond ? read(fd_, &beyond, 1) : read(fd_, block_.writable().data() + filled_, capacity_ - filled_);
    if (count > 0) {
      if (look_beyond) {
        byte_beyond_ = beyond;
      } else {
        accept(static_cast<std::uint32_t>(count));
      }
      return Fill::filled;
    }
    if (count == 0) {
      at_end_ = true;
      return Fill::end_of_input;
    }
    if (errno != EINTR && errno != EAGAIN) {
      failure_ = Failure::read;
      errno_ = errno;
      return Fill::failed;
    }
  }
}

bool ReadSource::next_block() noexcept {
  const std::uint32_t rest = filled_ - begin_;
  // Nothing in the rest ends an element: there is no LF in it, and a CR only as its last byte.
  const std::uint32_t cr_at = rest == 0 ? 0 : cr_at_ - begin_;
  const std::uint32_t capacity = next_block_bytes(rest);
  resources::BufferRef next;
  allocate_status_ = pool_->allocate(capacity, next);
  if (allocate_status_ != AllocateStatus::ok) {
    failure_ = Failure::allocate;
    return false;
  }
  if (rest != 0) std::memcpy(next.writable().data(), block_.bytes().data() + begin_, rest);
  release_block();
  block_ = std::move(next);
  capacity_ = capacity;
  filled_ = lf_at_ = rest;
  cr_at_ = cr_at;
  return true;
}

// At least half of a block is new bytes, so what is moved stays below what is read, and a line that needs many blocks
// costs a few moves. The steps are the pool's tiers, then doublings.
std::uint32_t ReadSource::next_block_bytes(std::uint32_t rest) const noexcept {
  std::uint64_t bytes = block_bytes_;
  while (bytes < std::uint64_t{rest} * 2) bytes = std::max(bytes * 2, resources::large_buffer_bytes);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, options_.element_bytes_max));
}

void ReadSource::accept(std::uint32_t count) noexcept {
  const std::uint32_t before = filled_;
  filled_ += count;
  if (options_.chunk_bytes != 0) return;
  if (lf_at_ == before) lf_at_ = find('\n', before);
  if (cr_at_ == before) cr_at_ = find('\r', before);
}

void ReadSource::freeze_block(std::uint32_t references) noexcept {
  if (!frozen_) {
    block_.set_size(filled_);
    block_.set_content_type(content_type_);
    frozen_ = block_.apply(BufferAction::publish);
    TORVYN_ASSERT(frozen_, "a block that was read into can be published");
  }
  if (spare_references_ < references) {
    block_.reserve_references(references - spare_references_);
    spare_references_ = references;
  }
}

void ReadSource::release_block() noexcept {
  if (block_) resources::BufferRef::drop_references(block_.detach(), spare_references_ + 1);
  capacity_ = begin_ = filled_ = lf_at_ = cr_at_ = spare_references_ = 0;
  frozen_ = false;
}

void ReadSource::finish(bool /*orderly*/) noexcept {
  release_block();
  opened_.close();
}

Error ReadSource::failure() const {
  switch (failure_) {
    case Failure::long_line: {
      const std::string size = config::format_size(options_.element_bytes_max);
      return Error(ErrorCode::capacity_exceeded,
                   fmt::format("{} is longer than {}, the most an element may hold", describe_element(given_), size),
                   "long_lines=split passes such lines on in pieces; or raise max-buffer-size in [capabilities.torvyn]")
          .at_file(options_.name, static_cast<std::uint32_t>(std::min<std::uint64_t>(given_ + 1, 0xffffffffU)), 1);
    }
    case Failure::allocate:
      return allocation_error(allocate_status_, next_block_bytes(filled_ - begin_));
    case Failure::read:
      return io_error("cannot read on from", options_.name, errno_);
    case Failure::none:
      break;
  }
  return Stage::failure();
}

std::string ReadSource::describe_element(std::uint64_t index) const {
  if (options_.chunk_bytes != 0) return fmt::format("byte {} of {}", index * options_.chunk_bytes, options_.name);
  // Once a line was given in pieces, elements and lines no longer count alike.
  if (first_continuation_ && index >= *first_continuation_) return {};
  return fmt::format("line {} of {}", index + 1, options_.name);
}

}  // namespace torvyn::connectors
