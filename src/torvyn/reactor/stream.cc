#include "torvyn/reactor/stream.h"

#include <algorithm>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

namespace {

bool same_slice(const Element& a, const Element& b) noexcept {
  return a.payload && b.payload && a.payload.same_buffer(b.payload) && a.payload.offset() == b.payload.offset() &&
         a.payload.size() == b.payload.size();
}

std::uint64_t payload_bytes(const Element& element) noexcept { return element.payload ? element.payload.size() : 0; }

}  // namespace

Stream::Stream(const StreamBounds& bounds)
    : bounds_(bounds),
      low_depth_(static_cast<std::size_t>(bounds.depth * bounds.low_watermark_ratio)),
      low_bytes_(static_cast<std::uint64_t>(static_cast<double>(bounds.bytes) * bounds.low_watermark_ratio)) {
  TORVYN_ASSERT(bounds.depth >= 1, "a stream that holds nothing");
  constexpr std::uint32_t reserved_max = 64;
  items_.reserve(std::min(bounds.depth, reserved_max));
  TORVYN_ASSERT(bounds.low_watermark_ratio >= 0 && bounds.low_watermark_ratio < 1, "a low mark that is none");
}

std::uint64_t Stream::bytes() const noexcept {
  std::uint64_t bytes = 0;
  for (std::size_t i = head_; i < items_.size(); ++i)
    if (i == head_ || !same_slice(items_[i], items_[i - 1])) bytes += payload_bytes(items_[i]);
  return bytes;
}

bool Stream::offer(const Element& element) noexcept {
  if (!full_) {
    if (empty()) return true;
    const std::uint64_t more = same_slice(element, items_.back()) ? 0 : payload_bytes(element);
    if (size() < bounds_.depth && more <= bounds_.bytes && holds_at_most(bounds_.bytes - more)) return true;
  }
  full_ = bounds_.full_policy == FullPolicy::block;
  return false;
}

void Stream::put(Element element) {
  sum_bytes_ += payload_bytes(element);
  if (head_ != 0 && items_.size() == items_.capacity()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  items_.push_back(std::move(element));
}

bool Stream::offer_run(Run& run, std::size_t first) {
  const std::size_t count = run.size() - first;
  if (full_ || size() + count > bounds_.depth) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = first; i < run.size(); ++i) sum += payload_bytes(run[i]);
  // A run that shares much may fit all the same: it goes in one by one.
  if (sum > bounds_.bytes || sum_bytes_ > bounds_.bytes - sum) return false;
  if (empty() && first == 0) {
    items_.clear();
    head_ = 0;
    items_.swap(run);
    sum_bytes_ = sum;
    return true;
  }
  for (std::size_t i = first; i < run.size(); ++i) put(std::move(run[i]));
  return true;
}

// A blocking stream that ran down takes elements again.
bool Stream::drained() noexcept {
  if (!full_ || !at_low_mark()) return false;
  full_ = false;
  return true;
}

Element Stream::take_oldest() noexcept {
  Element oldest = take_front();
  drained();
  return oldest;
}

bool Stream::take_run(Run& out, std::size_t elements_max, std::uint64_t bytes_max) {
  if (head_ == 0 && size() <= elements_max && (sum_bytes_ <= bytes_max || size() == 1)) {
    out.swap(items_);
    items_.clear();
    sum_bytes_ = 0;
    return drained();
  }
  std::uint64_t sum = 0;
  for (std::size_t count = 0; count < elements_max && !empty(); ++count) {
    sum += payload_bytes(items_[head_]);
    if (count != 0 && sum > bytes_max) break;
    out.push_back(take_front());
  }
  if (empty()) {
    items_.clear();
    head_ = 0;
  }
  return drained();
}

Element Stream::take_front() noexcept {
  Element front = std::move(items_[head_]);
  ++head_;
  sum_bytes_ -= payload_bytes(front);
  return front;
}

void Stream::clear() noexcept {
  resources::clear_run(items_);
  head_ = 0;
  sum_bytes_ = 0;
  full_ = false;
}

}  // namespace torvyn::reactor
