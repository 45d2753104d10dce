// Private to the engine: what a guest says, bounded in every direction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/types/clock.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::engine {

// Longest text kept of one log call or line; the rest is cut.
inline constexpr std::size_t guest_line_bytes_max = 4096;
// Lines kept for a trap's report.
inline constexpr std::size_t guest_lines_kept = 8;

// The first `bytes_max` bytes of what a guest said, or a few less: a character of UTF-8 is not cut in two.
std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept;

// What a dying guest says in its log, just before it traps: `panicked at PLACE: MESSAGE`, or `panicked: MESSAGE`.
struct LastWords {
  std::string place;  // "src/lib.rs:8:5"; empty where the guest doesn't know
  std::string message;
};

// Passes a guest's log and output on, line by line, within `max_bytes_per_s` (a bucket of one second's worth, so that a burst passes);
// what is beyond is counted, and the count told when lines pass again. The last lines are kept whatever the limit.
// Thread: one at a time, the instance's.
class GuestLog {
 public:
  GuestLog(EventSink* events, const Clock* clock, std::string node, std::uint64_t max_bytes_per_s);

  // One message; may hold several lines.
  void message(Severity severity, std::string_view text) noexcept;
  // Bytes of stdout (1) or stderr (2) as they come; lines are put together.
  void output(std::uint32_t stream, std::string_view bytes) noexcept;
  // Passes on an unfinished line: the guest's call is over, or the guest is.
  void finish_lines() noexcept;

  // Oldest first. Last words are kept apart.
  std::vector<std::string> last_lines() const;

  // A call begins: what was said in an earlier one is not why this one ends.
  void forget_last_words() noexcept { last_words_.reset(); }
  const std::optional<LastWords>& last_words() const noexcept { return last_words_; }

 private:
  bool keep_last_words(std::string_view text) noexcept;
  void pass_on(Severity severity, std::string_view text) noexcept;
  void line(Severity severity, std::string_view text) noexcept;
  bool admits(std::size_t bytes) noexcept;

  EventSink* events_;
  const Clock* clock_;
  std::string node_;
  std::uint64_t max_bytes_per_s_;
  std::uint64_t budget_bytes_;
  std::uint64_t refilled_ns_;
  std::uint64_t suppressed_ = 0;
  std::array<std::string, 2> partial_;
  std::array<std::string, guest_lines_kept> last_;
  std::size_t lines_ = 0;
  std::optional<LastWords> last_words_;
};

}  // namespace torvyn::engine
