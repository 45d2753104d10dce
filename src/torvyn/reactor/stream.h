// The way between two stages: a bounded queue that says how much it will take, and when.
#pragma once

#include <cstddef>
#include <cstdint>

#include "torvyn/config/flow_config.h"
#include "torvyn/resources/element.h"

namespace torvyn::reactor {

using config::FullPolicy;
using resources::Element;
using resources::Run;

struct StreamBounds {
  std::uint32_t depth = 64;                       // elements, at least 1
  std::uint64_t bytes = std::uint64_t{16} << 20;  // of payload; an element larger than this passes alone
  double low_watermark_ratio = 0.5;               // of both; from 0 to below 1
  FullPolicy full_policy = FullPolicy::block;
};

// Elements wait here in order while whoever takes them is slower than whoever gives them. It never holds more than its bounds.
//
// A stream that was full takes nothing until it has run down to its low mark, where its policy is `block`: a producer that is woken for
// every single free place does a call for every single element. A payload that neighbours share (one slice, sent on several times) counts
// once.
//
// Where it is empty, a whole run goes in and comes out by exchanging two vectors: a hand-over between stages costs nothing an element.
// Thread: one at a time. Allocates nothing once it was as full as it gets.
class Stream {
 public:
  explicit Stream(const StreamBounds& bounds);

  const StreamBounds& bounds() const noexcept { return bounds_; }
  bool empty() const noexcept { return head_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - head_; }
  // Of payload, what neighbours share counted once.
  std::uint64_t bytes() const noexcept;
  bool at_low_mark() const noexcept { return size() <= low_depth_ && holds_at_most(low_bytes_); }

  // Demand: how many elements it would take now, were they small.
  std::size_t credits() const noexcept { return full_ ? 0 : bounds_.depth - size(); }
  // The same for a producer that is ready to give: where there is no place, a blocking stream is full from here on.
  std::size_t ask() noexcept {
    if (credits() == 0) full_ = bounds_.full_policy == FullPolicy::block;
    return credits();
  }
  // It refused an element and has not run down since. Always false for policies other than `block`.
  bool full() const noexcept { return full_; }

  // Is there a place for `element` now? Where there is none, a blocking stream is full from here on.
  bool offer(const Element& element) noexcept;
  // Requires: the last `offer` was about this element, and was true.
  void put(Element element);
  // All of `run` from `first` on, or nothing. An empty stream exchanges vectors: `run` comes back empty with the memory of the old one.
  bool offer_run(Run& run, std::size_t first);

  // The one that waited longest, out of turn. Requires: not empty.
  Element take_oldest() noexcept;

  // Moves the first elements to `out`, which is empty: at most `elements_max` of them and `bytes_max` of payload, at least one, as long as
  // there are any. True: the stream was full, and takes elements again.
  bool take_run(Run& out, std::size_t elements_max, std::uint64_t bytes_max);

  // Empties it.
  void clear() noexcept;

 private:
  // Counting what is shared once takes a look at every element: done only where the plain sum is too much.
  bool holds_at_most(std::uint64_t bytes) const noexcept { return sum_bytes_ <= bytes || this->bytes() <= bytes; }
  Element take_front() noexcept;
  bool drained() noexcept;

  StreamBounds bounds_;
  std::size_t low_depth_;
  std::uint64_t low_bytes_;
  Run items_;  // the first `head_` are gone
  std::size_t head_ = 0;
  std::uint64_t sum_bytes_ = 0;  // of payload, what neighbours share counted for each
  bool full_ = false;
};

}  // namespace torvyn::reactor
