// How far a source's elements have met their fates, in order: what it may hear by torvyn:acks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace torvyn::reactor {

// Numbers settle in any order; this knows up to where all of them have. Memory follows the gaps, not the numbers.
class Frontier {
 public:
  // Requires: `number` was not settled before.
  void settle(std::uint64_t number);
  // All numbers below this have settled.
  std::uint64_t next() const noexcept { return next_; }

 private:
  std::uint64_t next_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>>
      beyond_;  // [first, end), sorted, none touching another or `next_`
};

// The frontiers of a flow's sources, and what its aggregators hold back.
//
// An element that an aggregator has absorbed has met its fate, but what it became has not: were its source told, a crash would lose it. So
// an aggregator holds its source back at the oldest element it took since it last gave something, and what it gave holds back those before
// until it has met its own fate. Which elements an output was made of nobody knows: it stands for all that were taken before it. Those of
// the call that it came from may have come after it, so they are held back until the next one. A few numbers a source and aggregator,
// whatever the length of the stream.
// Thread: one at a time.
class AckBook {
 public:
  AckBook() = default;
  // `sources`: how many there are that want to hear; `aggregators`: all.
  AckBook(std::size_t sources, std::size_t aggregators);

  // An element of `source` has met its fate.
  void settle(std::size_t source, std::uint64_t number) { frontiers_[source].settle(number); }

  // An aggregator is called: what it takes from here on it may still hold after it gave something in this call.
  void begin_call(std::size_t aggregator) noexcept;
  // It took an element.
  void absorb(std::size_t aggregator, std::size_t source, std::uint64_t number) noexcept;
  // It gave `count` elements: each carries the generation that this returns, until it has met its fate.
  std::uint8_t create(std::size_t aggregator, std::uint64_t count) noexcept;
  void settle_created(std::size_t aggregator, std::uint8_t generation) noexcept;
  // What it just gave was a part of what it will give of those it holds.
  void go_on_holding(std::size_t aggregator) noexcept { holds_[aggregator].gave = false; }
  // It has nothing any more: its stream ended and it gave all it would, or it lost what it had.
  void release(std::size_t aggregator) noexcept;

  // Elements of `source`, counted from its first, that are settled and held back by nobody.
  std::uint64_t up_to(std::size_t source) const noexcept;
  // Of the first `given`, all have met their fates, and aggregators hold some back until they give something.
  bool only_aggregators_hold(std::size_t source, std::uint64_t given) const noexcept;

 private:
  static constexpr std::uint64_t nothing = std::numeric_limits<std::uint64_t>::max();
  struct Generation {
    std::uint64_t in_flight = 0;
    std::vector<std::uint64_t> oldest;  // by source
  };
  struct Hold {
    // By source, the oldest taken before the last call, since it gave something; and in the last call.
    std::vector<std::uint64_t> taken;
    std::vector<std::uint64_t> newest;
    bool gave = false;                // something since: what is in `taken` is behind it
    std::array<Generation, 2> given;  // an old one that runs out, and the one that is added to
    std::uint8_t active = 0;

    std::uint64_t oldest(std::size_t source) const noexcept {
      return gave ? newest[source] : std::min(taken[source], newest[source]);
    }
  };

  std::vector<Frontier> frontiers_;
  std::vector<Hold> holds_;
};

}  // namespace torvyn::reactor
