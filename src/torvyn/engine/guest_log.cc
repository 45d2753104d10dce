#include "torvyn/engine/guest_log.h"

#include <algorithm>
#include <utility>

namespace torvyn::engine {

std::string_view cut_text(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  const auto continues = [&text](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U; };
  std::size_t end = bytes_max;
  while (end != 0 && bytes_max - end < 3 && continues(end)) --end;
  return text.substr(0, end);
}

GuestLog::GuestLog(EventSink* events, const Clock* clock, std::string node, std::uint64_t max_bytes_per_s)
    : events_(events),
      clock_(clock),
      node_(std::move(node)),
      max_bytes_per_s_(max_bytes_per_s),
      budget_bytes_(max_bytes_per_s),
      refilled_ns_(clock->monotonic_ns()) {}

bool GuestLog::admits(std::size_t bytes) noexcept {
  const std::uint64_t now_ns = clock_->monotonic_ns();
  const std::uint64_t elapsed_ns = std::min<std::uint64_t>(now_ns - refilled_ns_, 1'000'000'000);
  const auto refill =
      static_cast<std::uint64_t>(static_cast<unsigned __int128>(elapsed_ns) * max_bytes_per_s_ / 1'000'000'000);
  if (refill != 0) {
    budget_bytes_ = std::min(max_bytes_per_s_, budget_bytes_ + refill);
    refilled_ns_ = now_ns;
  }
  if (budget_bytes_ < bytes) return false;
  budget_bytes_ -= bytes;
  return true;
}

void GuestLog::line(Severity severity, std::string_view text) noexcept {
  text = cut_text(text, guest_line_bytes_max);
  last_[lines_++ % guest_lines_kept].assign(text);
  pass_on(severity, text);
}

void GuestLog::pass_on(Severity severity, std::string_view text) noexcept {
  if (!admits(text.size() + 1)) {
    ++suppressed_;
    return;
  }
  if (suppressed_ != 0) {
    const std::string note = std::to_string(suppressed_) + " lines were not shown: more than max_log allows";
    events_->event(Severity::warn, {}, node_, note);
    suppressed_ = 0;
  }
  events_->guest_line(severity, node_, text);
}

bool GuestLog::keep_last_words(std::string_view text) noexcept {
  constexpr std::string_view begin = "panicked";
  constexpr std::string_view before_place = " at ";
  constexpr std::string_view before_message = ": ";
  if (!text.starts_with(begin)) return false;
  text.remove_prefix(begin.size());
  const std::size_t place_end = text.find(before_message);
  const bool has_place = text.starts_with(before_place) && place_end != std::string_view::npos;
  if (!has_place && !text.starts_with(before_message)) return false;
  LastWords words;
  if (has_place) words.place = text.substr(before_place.size(), place_end - before_place.size());
  words.message = text.substr(place_end + before_message.size());
  last_words_ = std::move(words);
  return true;
}

void GuestLog::message(Severity severity, std::string_view text) noexcept {
  const bool apart = severity == Severity::error && keep_last_words(cut_text(text, guest_line_bytes_max));
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (apart) {
      pass_on(severity, cut_text(text.substr(0, end), guest_line_bytes_max));
    } else {
      line(severity, text.substr(0, end));
    }
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
}

void GuestLog::output(std::uint32_t stream, std::string_view bytes) noexcept {
  std::string& partial = partial_[stream == 2 ? 1 : 0];
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = guest_line_bytes_max - partial.size();
    partial.append(bytes.substr(0, std::min(end, room)));
    if (end == std::string_view::npos) return;
    line(Severity::info, partial);
    partial.clear();
    bytes = bytes.substr(end + 1);
  }
}

void GuestLog::finish_lines() noexcept {
  for (std::string& partial : partial_) {
    if (partial.empty()) continue;
    line(Severity::info, partial);
    partial.clear();
  }
}

std::vector<std::string> GuestLog::last_lines() const {
  std::vector<std::string> lines;
  const std::size_t kept = std::min(lines_, guest_lines_kept);
  for (std::size_t i = lines_ - kept; i < lines_; ++i) lines.push_back(last_[i % guest_lines_kept]);
  return lines;
}

}  // namespace torvyn::engine
