// A descriptor cut into lines or chunks: the `file` and `stdin` sources. Internal to connectors.
#pragma once

#include <optional>
#include <string>

#include "torvyn/connectors/connectors.h"
#include "torvyn/connectors/io.h"

namespace torvyn::connectors {

struct ReadOptions {
  std::filesystem::path path = {};  // opened by `start`; empty: `fd` is read
  int fd = -1;                      // borrowed
  std::string name;                 // for messages: the path as the user wrote it, "standard input"
  std::uint32_t chunk_bytes = 0;    // 0: lines
  bool split_long_lines = false;
  std::uint32_t element_bytes_max = 0;
};

// The input is read in blocks, each into one pool buffer, and the elements are slices of it; a pull never crosses a block.
// What a block ends with but does not complete moves to the beginning of the next one.
//
// A line ending in "\r" is known to be complete only when the next byte is there, or the end: it may be half a "\r\n".
// A chunk is whole, or the input's last: chunks of a pipe do not depend on how its writer wrote.
class ReadSource final : public reactor::Stage {
 public:
  // Requires: chunk_bytes <= element_bytes_max, which is above 0 and within what the pool allows.
  ReadSource(ReadOptions options, const ConnectorContext& context, ContentTypeId content_type);
  ~ReadSource() override { release_block(); }

  Status start() override;
  reactor::StageOutcome pull(const reactor::PullLimits& limits, reactor::Run& out) noexcept override;
  void finish(bool orderly) noexcept override;
  Error failure() const override;
  bool may_block() const noexcept override {
    return options_.path.empty() ? is_slow(options_.fd) : is_slow(options_.path);
  }
  std::string_view path() const noexcept override { return "builtin"; }
  std::string describe_element(std::uint64_t index) const override;

 private:
  enum class Fill : std::uint8_t { filled, end_of_input, nothing_yet, failed };
  enum class Failure : std::uint8_t { none, read, long_line, allocate };

  // Gives the complete elements of the block, up to the limits.
  std::uint32_t give_elements(const reactor::PullLimits& limits, reactor::Run& out) noexcept;
  // Gives what is left of the block as one element.
  void give_rest(reactor::Run& out) noexcept;
  void give(std::uint32_t end, reactor::Run& out) noexcept;
  // Where the element that begins at `begin_` ends; 0 where the block does not hold its end.
  std::uint32_t element_end() noexcept;
  std::uint32_t line_end() noexcept;
  std::uint32_t find(char byte, std::uint32_t from) const noexcept;

  // Reads on. `filled`: there are bytes to look at that were not there before.
  Fill fill(bool may_wait) noexcept;
  bool block_is_one_long_line() const noexcept { return byte_beyond_.has_value() && filled_ != 0; }
  // Moves what is left of the block into a new one with room.
  bool next_block() noexcept;
  std::uint32_t next_block_bytes(std::uint32_t rest) const noexcept;
  void accept(std::uint32_t count) noexcept;
  // Freezes the block and sees that `references` of it can be given.
  void freeze_block(std::uint32_t references) noexcept;
  void release_block() noexcept;

  ReadOptions options_;
  resources::BufferPool* pool_;
  const reactor::Interrupt* interrupt_;
  ContentTypeId content_type_;
  std::uint32_t block_bytes_;  // of a block that begins with nothing carried over

  FileDescriptor opened_;
  int fd_ = -1;
  bool may_block_ = true;  // not a file on a disk: poll before reading
  bool at_end_ = false;

  // The block: [begin_, filled_) has not been given yet. Before it is frozen it is read into, from then on cut.
  resources::BufferRef block_;
  std::uint32_t capacity_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t filled_ = 0;
  bool frozen_ = false;
  std::uint32_t spare_references_ = 0;  // taken in advance, to be given with elements
  // The first LF and the first CR of [begin_, filled_), or `filled_` for none; below `begin_`: to be looked for.
  // Most files have no CR, and are then searched for it once a block, not once a line.
  std::uint32_t lf_at_ = 0;
  std::uint32_t cr_at_ = 0;
  // Read when the block was full of one unfinished line as long as an element can be: tells whether more follows.
  std::optional<char> byte_beyond_;

  std::uint64_t given_ = 0;  // elements
  std::optional<std::uint64_t>
      first_continuation_;  // the first element that goes on with the line of the one before it

  Failure failure_ = Failure::none;
  int errno_ = 0;
  resources::AllocateStatus allocate_status_ = resources::AllocateStatus::ok;
};

}  // namespace torvyn::connectors
