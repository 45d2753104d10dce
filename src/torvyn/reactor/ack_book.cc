#include "torvyn/reactor/ack_book.h"

#include <algorithm>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

void Frontier::settle(std::uint64_t number) {
  if (number == next_) {
    ++next_;
    if (!beyond_.empty() && beyond_.front().first == next_) {
      next_ = beyond_.front().second;
      beyond_.erase(beyond_.begin());
    }
    return;
  }
  TORVYN_ASSERT(number > next_, "an element settled twice");
  const auto after = std::ranges::upper_bound(beyond_, number, {}, &std::pair<std::uint64_t, std::uint64_t>::first);
  const bool extends = after != beyond_.begin() && std::prev(after)->second == number;
  const bool precedes = after != beyond_.end() && after->first == number + 1;
  if (extends && precedes) {
    std::prev(after)->second = after->second;
    beyond_.erase(after);
  } else if (extends) {
    ++std::prev(after)->second;
  } else if (precedes) {
    --after->first;
  } else {
    beyond_.emplace(after, number, number + 1);
  }
}

AckBook::AckBook(std::size_t sources, std::size_t aggregators) : frontiers_(sources), holds_(aggregators) {
  for (Hold& hold : holds_) {
    hold.taken.assign(sources, nothing);
    hold.newest.assign(sources, nothing);
    for (Generation& generation : hold.given) generation.oldest.assign(sources, nothing);
  }
}

void AckBook::begin_call(std::size_t aggregator) noexcept {
  Hold& hold = holds_[aggregator];
  for (std::size_t source = 0; source < hold.taken.size(); ++source) {
    hold.taken[source] = hold.oldest(source);
    hold.newest[source] = nothing;
  }
  hold.gave = false;
}

void AckBook::absorb(std::size_t aggregator, std::size_t source, std::uint64_t number) noexcept {
  std::uint64_t& oldest = holds_[aggregator].newest[source];
  oldest = std::min(oldest, number);
}

std::uint8_t AckBook::create(std::size_t aggregator, std::uint64_t count) noexcept {
  Hold& hold = holds_[aggregator];
  // The older generation has run out, so the newer one becomes the one that runs out: both can't wait for ever.
  if (hold.given[hold.active].in_flight != 0 && hold.given[hold.active ^ 1U].in_flight == 0) hold.active ^= 1U;
  Generation& generation = hold.given[hold.active];
  generation.in_flight += count;
  for (std::size_t source = 0; source < hold.taken.size(); ++source)
    generation.oldest[source] = std::min(generation.oldest[source], hold.oldest(source));
  hold.gave = true;
  return hold.active;
}

void AckBook::settle_created(std::size_t aggregator, std::uint8_t generation) noexcept {
  Generation& given = holds_[aggregator].given[generation];
  if (--given.in_flight == 0) std::ranges::fill(given.oldest, nothing);
}

void AckBook::release(std::size_t aggregator) noexcept {
  Hold& hold = holds_[aggregator];
  std::ranges::fill(hold.taken, nothing);
  std::ranges::fill(hold.newest, nothing);
}

bool AckBook::only_aggregators_hold(std::size_t source, std::uint64_t given) const noexcept {
  return frontiers_[source].next() == given &&
         std::ranges::any_of(holds_, [source](const Hold& hold) { return hold.oldest(source) != nothing; });
}

std::uint64_t AckBook::up_to(std::size_t source) const noexcept {
  std::uint64_t held = nothing;
  for (const Hold& hold : holds_)
    held = std::min({held, hold.oldest(source), hold.given[0].oldest[source], hold.given[1].oldest[source]});
  return std::min(frontiers_[source].next(), held);
}

}  // namespace torvyn::reactor
