#include "torvyn/resources/buffer_state.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "torvyn/resources/test_pool.h"

namespace torvyn::resources {
namespace {

using enum BufferState;
using enum BufferAction;

constexpr BufferState all_states[] = {BufferState::free, host_owned, guest_writing, guest_owned,
                                      in_transit,        lent,       released};
constexpr BufferAction all_actions[] = {acquire, lend_for_writing, freeze,  hand_over, publish,
                                        lend,    give_back,        release, recycle};
static_assert(std::size(all_states) == buffer_state_count);
static_assert(std::size(all_actions) == buffer_action_count);

// The legal steps, written down from the contract and not from the machine: state, action, other loans, state after.
const std::map<std::tuple<BufferState, BufferAction, std::uint32_t>, BufferState>& legal_steps() {
  static const std::map<std::tuple<BufferState, BufferAction, std::uint32_t>, BufferState> steps = [] {
    std::map<std::tuple<BufferState, BufferAction, std::uint32_t>, BufferState> legal;
    const auto whatever_the_loans = [&](BufferState from, BufferAction action, BufferState to) {
      legal[{from, action, 0}] = to;
      legal[{from, action, 1}] = to;
    };
    // Free in a pool → owned by the host → written by one component → frozen, owned by a component → in transit.
    whatever_the_loans(BufferState::free, acquire, host_owned);
    whatever_the_loans(host_owned, lend_for_writing, guest_writing);
    whatever_the_loans(guest_writing, freeze, guest_owned);
    whatever_the_loans(guest_owned, hand_over, in_transit);
    // The host may pass on what it filled itself.
    whatever_the_loans(host_owned, publish, in_transit);
    // Lent to one or several, and back when the last one is done.
    whatever_the_loans(in_transit, lend, lent);
    whatever_the_loans(lent, lend, lent);
    legal[{lent, give_back, 0}] = in_transit;
    legal[{lent, give_back, 1}] = lent;
    // Whoever holds it may let it go, but not while it is lent.
    for (const BufferState held : {host_owned, guest_writing, guest_owned, in_transit})
      whatever_the_loans(held, release, released);
    whatever_the_loans(released, recycle, BufferState::free);
    return legal;
  }();
  return steps;
}

std::string describe(BufferState state, BufferAction action, std::uint32_t loans) {
  return std::string(state_name(state)) + " " + std::string(action_name(action)) + " with " + std::to_string(loans) +
         " other loans";
}

TEST(BufferState, AllowsTheLegalStepsAndNoOther) {
  for (const BufferState state : all_states)
    for (const BufferAction action : all_actions)
      for (const std::uint32_t loans : {0U, 1U}) {
        const auto found = legal_steps().find({state, action, loans});
        const std::optional<BufferState> expected =
            found == legal_steps().end() ? std::nullopt : std::optional(found->second);
        EXPECT_EQ(next_state(state, action, loans), expected) << describe(state, action, loans);
      }
}

TEST(BufferState, StaysLentWhileAnyOfManyLoansLasts) {
  for (const std::uint32_t loans : {1U, 2U, 1000U, 0xffffffffU}) EXPECT_EQ(next_state(lent, give_back, loans), lent);
}

TEST(BufferState, CanReachEveryStateAndComeBackToFreeFromEach) {
  const auto reach = [](BufferState from) {
    std::set<BufferState> seen{from};
    for (bool grew = true; grew;) {
      grew = false;
      for (const BufferState state : all_states)
        for (const BufferAction action : all_actions)
          if (seen.contains(state))
            if (const auto next = next_state(state, action)) grew |= seen.insert(*next).second;
    }
    return seen;
  };
  EXPECT_EQ(reach(BufferState::free).size(), std::size_t{buffer_state_count});
  for (const BufferState state : all_states) EXPECT_TRUE(reach(state).contains(BufferState::free)) << state_name(state);
}

TEST(BufferState, NamesEveryStateAndActionDifferently) {
  std::set<std::string_view> names;
  for (const BufferState state : all_states) names.insert(state_name(state));
  EXPECT_EQ(names.size(), std::size_t{buffer_state_count});
  EXPECT_FALSE(names.contains("?"));
  names.clear();
  for (const BufferAction action : all_actions) names.insert(action_name(action));
  EXPECT_EQ(names.size(), std::size_t{buffer_action_count});
  EXPECT_FALSE(names.contains("?"));
  EXPECT_EQ(state_name(guest_writing), "guest_writing");
  EXPECT_EQ(action_name(give_back), "give_back");
}

// Everything one can see of a buffer from outside.
struct Seen {
  BufferState state;
  std::uint32_t loans;
  std::uint32_t references;
  std::uint32_t size;
  std::uint32_t offset;
  ContentTypeId content_type;
  ResourceId id;
  bool operator==(const Seen&) const = default;
};

Seen look(const BufferRef& buffer) {
  return {buffer.state(),  buffer.loans(),        buffer.references(), buffer.size(),
          buffer.offset(), buffer.content_type(), buffer.id()};
}

// A real buffer beside a model of it, which knows only the list above and a number of loans.
TEST(BufferState, HoldsForRealBuffersOnRandomWalks) {
  const auto pool = make_pool({.kept = {2, 0, 0, 0}});
  std::set<std::tuple<BufferState, BufferAction, std::uint32_t>> tried;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    BufferRef buffer = allocate(*pool, 100);
    BufferState state = host_owned;
    std::uint32_t loans = 0;
    for (int step = 0; step < 300; ++step) {
      const BufferAction action = all_actions[random() % std::size(all_actions)];
      const std::uint32_t other_loans = action == give_back ? (loans > 1 ? 1 : 0) : (loans > 0 ? 1 : 0);
      const auto found = legal_steps().find({state, action, other_loans});
      tried.insert({state, action, other_loans});
      if (found != legal_steps().end() && action == release) {
        const ResourceId old = buffer.id();
        buffer.reset();
        buffer = allocate(*pool, 100);
        ASSERT_NE(buffer.id(), old);
        state = host_owned;
        continue;
      }
      const Seen before = look(buffer);
      const bool legal = found != legal_steps().end();
      ASSERT_EQ(buffer.apply(action), legal) << describe(state, action, other_loans);
      if (!legal) {
        ASSERT_EQ(look(buffer), before) << describe(state, action, other_loans);
        continue;
      }
      state = found->second;
      if (action == lend) ++loans;
      if (action == give_back) --loans;
      ASSERT_EQ(buffer.state(), state);
      ASSERT_EQ(buffer.loans(), loans);
    }
    while (loans-- != 0) ASSERT_TRUE(buffer.apply(give_back));
  }
  // 5 states a live buffer can be in, 9 actions; lent has two more with one other loan.
  std::set<std::tuple<BufferState, BufferAction>> pairs;
  for (const auto& [state, action, loans] : tried) pairs.insert({state, action});
  EXPECT_EQ(pairs.size(), 45U) << "the walks missed something: more of them are needed";
  EXPECT_TRUE(tried.contains({lent, give_back, 1}));
  EXPECT_EQ(pool->stats().live, 0U);
}

}  // namespace
}  // namespace torvyn::resources
