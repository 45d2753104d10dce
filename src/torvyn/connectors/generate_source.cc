#include "torvyn/connectors/generate_source.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "torvyn/connectors/io.h"
#include "torvyn/types/assert.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;

constexpr std::string_view number_mark = "{n}";
constexpr std::size_t digits_max = 20;  // of a 64-bit number
constexpr char filler = '.';

// A run is written into one buffer of at most this size, unless one payload is larger: it stays in a core's cache until read.
constexpr std::uint64_t block_bytes = resources::medium_buffer_bytes;

std::vector<std::string> split_at_marks(std::string_view text) {
  std::vector<std::string> pieces;
  for (;;) {
    const std::size_t mark = text.find(number_mark);
    pieces.emplace_back(text.substr(0, mark));
    if (mark == std::string_view::npos) return pieces;
    text.remove_prefix(mark + number_mark.size());
  }
}

// Bytes that one rendering can take before it is cut to size.
std::uint64_t rendered_bytes_max(const GenerateOptions& options) noexcept {
  std::uint64_t marks = 0;
  for (std::size_t at = options.text.find(number_mark); at != std::string::npos;
       at = options.text.find(number_mark, at + number_mark.size()))
    ++marks;
  return options.text.size() - marks * number_mark.size() + marks * digits_max;
}

}  // namespace

std::uint64_t generated_bytes_max(const GenerateOptions& options) noexcept {
  return std::max<std::uint64_t>(rendered_bytes_max(options), options.size_bytes.value_or(0));
}

GenerateSource::GenerateSource(const GenerateOptions& options, const ConnectorContext& context,
                               ContentTypeId content_type)
    : count_(options.count),
      size_bytes_(options.size_bytes),
      interval_ns_(options.rate_per_s ? 1e9 / *options.rate_per_s : 0),
      payload_bytes_max_(generated_bytes_max(options)),
      pool_(context.pool),
      clock_(context.clock),
      interrupt_(context.interrupt),
      content_type_(content_type) {
  std::string_view body = options.text;
  if (body.ends_with('\n') && size_bytes_ != 0U) {
    ending_.push_back('\n');
    body.remove_suffix(1);
  }
  pieces_ = split_at_marks(body);
}

reactor::StageOutcome GenerateSource::pull(const reactor::PullLimits& limits, reactor::Run& out) noexcept {
  if (count_ && given_ >= *count_) return {StageStatus::end_of_stream, 0};
  std::uint64_t wanted = std::max(limits.elements_max, 1U);
  if (count_) wanted = std::min(wanted, *count_ - given_);
  if (interval_ns_ > 0) wanted = std::min(wanted, due(limits.may_wait));
  if (wanted == 0) return {StageStatus::nothing_yet, 0};

  // All sizes are reckoned with the longest payload, so the run is known to fit before it is written.
  const std::uint64_t room_bytes = std::max<std::uint64_t>(payload_bytes_max_, 1);
  const std::uint64_t run_bytes_max = std::min({limits.bytes_max, block_bytes, pool_->max_buffer_bytes()});
  wanted = std::min(wanted, std::max<std::uint64_t>(run_bytes_max / room_bytes, 1));
  resources::BufferRef buffer;
  allocate_status_ = pool_->allocate(wanted * room_bytes, buffer);
  if (allocate_status_ != resources::AllocateStatus::ok) return {StageStatus::failed, 0};

  char* const begin = reinterpret_cast<char*>(buffer.writable().data());
  char* end = begin;
  ends_.clear();
  for (std::uint64_t i = 0; i < wanted; ++i) {
    end = render(given_ + i, end);
    ends_.push_back(static_cast<std::uint32_t>(end - begin));
  }
  buffer.set_size(ends_.back());
  buffer.set_content_type(content_type_);
  const bool published = buffer.apply(resources::BufferAction::publish);
  TORVYN_ASSERT(published, "a buffer just allocated can be published");

  buffer.reserve_references(static_cast<std::uint32_t>(wanted) - 1);
  std::uint32_t offset = 0;
  for (const std::uint32_t payload_end : ends_) {
    out.push_back(
        {.meta = {.content_type = content_type_}, .payload = buffer.adopt_slice(offset, payload_end - offset)});
    offset = payload_end;
  }
  buffer.detach();  // its own reference is the last slice's

  given_ += wanted;
  return {count_ && given_ == *count_ ? StageStatus::end_of_stream : StageStatus::ok, 0};
}

std::uint64_t GenerateSource::due(bool may_wait) noexcept {
  if (!first_pull_ns_) first_pull_ns_ = clock_->monotonic_ns();
  const auto due_now = [&] {
    const auto elapsed_ns = static_cast<double>(clock_->monotonic_ns() - *first_pull_ns_);
    const auto due = static_cast<std::uint64_t>(elapsed_ns / interval_ns_) + 1;
    return due > given_ ? due - given_ : 0;
  };
  if (const std::uint64_t due = due_now(); due != 0) return due;
  // A sleep has an end even at one element in a year: the driver looks around and asks again.
  constexpr double sleep_ns_max = 1e9;
  constexpr double wait_ns_max = 366 * 86'400e9;
  const double next_due_ns = static_cast<double>(given_) * interval_ns_;
  const auto elapsed_ns = static_cast<double>(clock_->monotonic_ns() - *first_pull_ns_);
  const double wait_ns = std::clamp(std::ceil(next_due_ns - elapsed_ns), 1.0, wait_ns_max);
  ready_at_ns_ = clock_->monotonic_ns() + static_cast<std::uint64_t>(wait_ns);
  if (!may_wait) return 0;
  const auto sleep_ns = static_cast<std::int64_t>(std::min(wait_ns, sleep_ns_max));
  if (wait_for(-1, 0, interrupt_, sleep_ns) == WaitStatus::interrupted) return 0;
  return due_now();
}

char* GenerateSource::render(std::uint64_t number, char* out) const noexcept {
  std::array<char, digits_max> digits;
  const auto digits_end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto digit_count = static_cast<std::size_t>(digits_end - digits.data());

  char* end = out;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (i != 0) end = std::copy_n(digits.data(), digit_count, end);
    end = std::copy(pieces_[i].begin(), pieces_[i].end(), end);
  }
  if (size_bytes_) {
    char* const sized_end = out + (*size_bytes_ - ending_.size());
    if (end < sized_end) std::memset(end, filler, static_cast<std::size_t>(sized_end - end));
    end = sized_end;
  }
  return std::copy(ending_.begin(), ending_.end(), end);
}

Error GenerateSource::failure() const { return allocation_error(allocate_status_, payload_bytes_max_); }

}  // namespace torvyn::connectors
