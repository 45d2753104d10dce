#include "torvyn/resources/resource_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "torvyn/resources/test_pool.h"

namespace torvyn::resources {
namespace {

constexpr Rep no_rep = 0;

// A table over a pool, with what a component does most.
class ResourceTableTest : public testing::Test {
 protected:
  std::unique_ptr<BufferPool> pool_ = make_pool({.kept = {64, 8, 2, 0}});
  ResourceTable table_{HoldingLimits{}};

  static Rep add(ResourceTable& table, BufferPool& pool, std::uint64_t bytes = 10) {
    Rep rep = no_rep;
    EXPECT_EQ(table.add_mutable(allocate(pool, bytes), rep), TableStatus::ok);
    EXPECT_NE(rep, no_rep);
    return rep;
  }
  Rep add(std::uint64_t bytes = 10) { return add(table_, *pool_, bytes); }
  // Frozen, with the spent mutable handle dropped.
  Rep add_frozen() {
    const Rep writing = add();
    Rep frozen = no_rep;
    EXPECT_EQ(table_.freeze(writing, frozen), TableStatus::ok);
    EXPECT_EQ(table_.drop(writing, HandleKind::mutable_buffer), TableStatus::ok);
    return frozen;
  }
};

TEST_F(ResourceTableTest, TakesABufferFromWritingToTransit) {
  const Rep writing = add();
  ASSERT_NE(table_.writable(writing), nullptr);
  EXPECT_EQ(table_.writable(writing)->state(), BufferState::guest_writing);
  EXPECT_TRUE(table_.writable(writing)->write(0, bytes_of("hello")));
  EXPECT_EQ(table_.readable(writing), nullptr);

  Rep frozen = no_rep;
  ASSERT_EQ(table_.freeze(writing, frozen), TableStatus::ok);
  EXPECT_NE(frozen, writing);
  ASSERT_NE(table_.readable(frozen), nullptr);
  EXPECT_EQ(text_of(*table_.readable(frozen)), "hello");
  EXPECT_EQ(table_.readable(frozen)->state(), BufferState::guest_owned);

  BufferRef out;
  ASSERT_EQ(table_.take(frozen, out), TableStatus::ok);
  EXPECT_EQ(out.state(), BufferState::in_transit);
  EXPECT_EQ(out.references(), 1U);
  EXPECT_EQ(text_of(out), "hello");
  EXPECT_EQ(table_.take(frozen, out), TableStatus::stale);
  EXPECT_EQ(text_of(out), "hello") << "a refused step changed something";
}

TEST_F(ResourceTableTest, LeavesASpentHandleGoodForDroppingOnly) {
  const Rep writing = add();
  Rep frozen = no_rep;
  ASSERT_EQ(table_.freeze(writing, frozen), TableStatus::ok);
  EXPECT_TRUE(table_.spent(writing));
  EXPECT_FALSE(table_.spent(frozen));
  EXPECT_EQ(table_.writable(writing), nullptr);
  EXPECT_EQ(table_.readable(writing), nullptr);
  Rep again = 7;
  EXPECT_EQ(table_.freeze(writing, again), TableStatus::wrong_state);
  EXPECT_EQ(again, 7U);
  BufferRef out;
  EXPECT_EQ(table_.take(writing, out), TableStatus::stale);
  EXPECT_EQ(table_.drop(writing, HandleKind::buffer), TableStatus::stale);
  EXPECT_EQ(table_.drop(writing, HandleKind::mutable_buffer), TableStatus::ok);
  EXPECT_FALSE(table_.spent(writing));
  EXPECT_EQ(table_.drop(writing, HandleKind::mutable_buffer), TableStatus::stale);
  EXPECT_NE(table_.readable(frozen), nullptr) << "dropping the spent handle must not touch the buffer";
}

TEST_F(ResourceTableTest, ChecksTheKindOfAHandleInEveryUse) {
  BufferRef payload = publish(*pool_, "lent");
  Rep lent = no_rep;
  ASSERT_EQ(table_.lend(payload, lent), TableStatus::ok);
  const Rep writing = add();
  const Rep frozen = add_frozen();

  BufferRef out;
  Rep rep = no_rep;
  for (const Rep wrong : {lent, frozen}) {
    EXPECT_EQ(table_.writable(wrong), nullptr);
    EXPECT_EQ(table_.freeze(wrong, rep), TableStatus::stale);
    EXPECT_EQ(table_.drop(wrong, HandleKind::mutable_buffer), TableStatus::stale);
    EXPECT_FALSE(table_.spent(wrong));
  }
  for (const Rep wrong : {lent, writing}) {
    EXPECT_EQ(table_.take(wrong, out), TableStatus::stale);
    EXPECT_EQ(table_.drop(wrong, HandleKind::buffer), TableStatus::stale);
  }
  // A loan isn't the component's to drop, whatever it is called.
  for (const HandleKind kind :
       {HandleKind::none, HandleKind::buffer, HandleKind::lent_buffer, HandleKind::mutable_buffer})
    EXPECT_EQ(table_.drop(lent, kind), TableStatus::stale);
  EXPECT_EQ(text_of(*table_.readable(lent)), "lent");
  table_.end_loan(lent);
}

TEST_F(ResourceTableTest, LendsWithoutTakingAReference) {
  BufferRef payload = publish(*pool_, "lent");
  Rep rep = no_rep;
  ASSERT_EQ(table_.lend(payload, rep), TableStatus::ok);
  EXPECT_EQ(payload.state(), BufferState::lent);
  EXPECT_EQ(payload.references(), 1U);
  EXPECT_EQ(table_.held(), 0U);
  EXPECT_EQ(table_.held_bytes(), 0U);
  EXPECT_EQ(table_.lent(), 1U);
  EXPECT_EQ(table_.readable(rep), &payload);
  table_.end_loan(rep);
  EXPECT_EQ(payload.state(), BufferState::in_transit);
  EXPECT_EQ(table_.lent(), 0U);
  EXPECT_EQ(table_.readable(rep), nullptr);
}

TEST_F(ResourceTableTest, LendsOneBufferToSeveralInstances) {
  ResourceTable other{HoldingLimits{}};
  BufferRef payload = publish(*pool_, "shared");
  BufferRef copy = payload;
  Rep mine = no_rep;
  Rep theirs = no_rep;
  ASSERT_EQ(table_.lend(payload, mine), TableStatus::ok);
  ASSERT_EQ(other.lend(copy, theirs), TableStatus::ok);
  EXPECT_EQ(payload.loans(), 2U);
  table_.end_loan(mine);
  EXPECT_EQ(payload.state(), BufferState::lent);
  other.end_loan(theirs);
  EXPECT_EQ(payload.state(), BufferState::in_transit);
}

TEST_F(ResourceTableTest, RefusesToLendOrEnterWhatIsNotInTheStateForIt) {
  Rep rep = 7;
  BufferRef filling = allocate(*pool_, 10);
  EXPECT_EQ(table_.lend(filling, rep), TableStatus::wrong_state);
  BufferRef published = publish(*pool_, "x");
  EXPECT_EQ(table_.add_mutable(published, rep), TableStatus::wrong_state);
  EXPECT_EQ(published.state(), BufferState::in_transit);
  EXPECT_EQ(rep, 7U);
  EXPECT_EQ(table_.held(), 0U);
  EXPECT_EQ(table_.lent(), 0U);
}

TEST_F(ResourceTableTest, AnswersToNoForgedHandle) {
  const Rep real = add();
  std::mt19937 random(42);
  BufferRef out;
  Rep rep = no_rep;
  for (int i = 0; i < 100'000; ++i) {
    const Rep forged = i < 4096 ? static_cast<Rep>(i) << 20 : static_cast<Rep>(random());
    if (forged == real) continue;
    ASSERT_EQ(table_.readable(forged), nullptr) << forged;
    ASSERT_EQ(table_.writable(forged), nullptr) << forged;
    ASSERT_FALSE(table_.spent(forged)) << forged;
    ASSERT_EQ(table_.freeze(forged, rep), TableStatus::stale) << forged;
    ASSERT_EQ(table_.take(forged, out), TableStatus::stale) << forged;
    ASSERT_EQ(table_.drop(forged, HandleKind::buffer), TableStatus::stale) << forged;
    ASSERT_EQ(table_.drop(forged, HandleKind::mutable_buffer), TableStatus::stale) << forged;
  }
  EXPECT_NE(table_.writable(real), nullptr);
}

TEST_F(ResourceTableTest, GivesAReusedSlotANewHandleAndNeverZero) {
  std::set<Rep> seen;
  Rep last = no_rep;
  for (int i = 0; i < 4095; ++i) {
    const Rep rep = add();
    ASSERT_TRUE(seen.insert(rep).second) << "handle " << rep << " came back after " << i << " reuses";
    ASSERT_EQ(table_.writable(last), nullptr);
    ASSERT_EQ(table_.drop(rep, HandleKind::mutable_buffer), TableStatus::ok);
    last = rep;
  }
  // All generations are through; 0 is none of them.
  const Rep first_again = add();
  EXPECT_TRUE(seen.contains(first_again));
  EXPECT_FALSE(seen.contains(no_rep));
}

TEST_F(ResourceTableTest, ChargesBuffersByTheirCapacityUntilTheyLeave) {
  const Rep writing = add(100);
  EXPECT_EQ(table_.held_bytes(), small_buffer_bytes);
  const Rep medium = add(small_buffer_bytes + 1);
  EXPECT_EQ(table_.held_bytes(), small_buffer_bytes + medium_buffer_bytes);
  Rep frozen = no_rep;
  ASSERT_EQ(table_.freeze(writing, frozen), TableStatus::ok);
  EXPECT_EQ(table_.held(), 3U) << "the spent handle counts until it is dropped";
  EXPECT_EQ(table_.held_bytes(), small_buffer_bytes + medium_buffer_bytes) << "freezing moves a charge, and makes none";
  ASSERT_EQ(table_.drop(writing, HandleKind::mutable_buffer), TableStatus::ok);
  EXPECT_EQ(table_.held(), 2U);
  EXPECT_EQ(table_.held_bytes(), small_buffer_bytes + medium_buffer_bytes);
  BufferRef out;
  ASSERT_EQ(table_.take(frozen, out), TableStatus::ok);
  EXPECT_EQ(table_.held_bytes(), medium_buffer_bytes);
  ASSERT_EQ(table_.drop(medium, HandleKind::mutable_buffer), TableStatus::ok);
  EXPECT_EQ(table_.held_bytes(), 0U);
  EXPECT_EQ(table_.held(), 0U);
}

TEST_F(ResourceTableTest, HoldsBytesUpToTheBudgetAndNotOneMore) {
  ResourceTable table(HoldingLimits{.handles = 100, .buffer_bytes = 3 * small_buffer_bytes});
  std::vector<Rep> reps;
  for (int i = 0; i < 3; ++i) reps.push_back(add(table, *pool_));
  EXPECT_EQ(table.admits(0), TableStatus::ok);
  EXPECT_EQ(table.admits(1), TableStatus::over_budget);
  EXPECT_EQ(table.admits(~std::uint64_t{0}), TableStatus::over_budget);
  const std::uint64_t live = pool_->stats().live;
  Rep rep = 7;
  EXPECT_EQ(table.add_mutable(allocate(*pool_, 1), rep), TableStatus::over_budget);
  EXPECT_EQ(rep, 7U);
  EXPECT_EQ(pool_->stats().live, live) << "a refused buffer goes back to its pool";
  ASSERT_EQ(table.drop(reps[0], HandleKind::mutable_buffer), TableStatus::ok);
  EXPECT_EQ(table.admits(small_buffer_bytes), TableStatus::ok);
  EXPECT_EQ(table.admits(small_buffer_bytes + 1), TableStatus::over_budget);
}

TEST_F(ResourceTableTest, HoldsHandlesUpToTheLimitAndStillTakesLoans) {
  ResourceTable table(HoldingLimits{.handles = 2});
  const Rep writing = add(table, *pool_);
  add(table, *pool_);
  Rep rep = no_rep;
  EXPECT_EQ(table.admits(0), TableStatus::too_many);
  EXPECT_EQ(table.add_mutable(allocate(*pool_, 1), rep), TableStatus::too_many);
  EXPECT_EQ(table.freeze(writing, rep), TableStatus::too_many);
  ASSERT_NE(table.writable(writing), nullptr) << "a refused freeze leaves the buffer as it was";
  EXPECT_EQ(table.writable(writing)->state(), BufferState::guest_writing);
  std::vector<BufferRef> payloads;
  for (int i = 0; i < 5; ++i) payloads.push_back(publish(*pool_, "x"));
  std::vector<Rep> loans;
  for (BufferRef& payload : payloads) {
    ASSERT_EQ(table.lend(payload, rep), TableStatus::ok);
    loans.push_back(rep);
  }
  for (const Rep loan : loans) table.end_loan(loan);
}

TEST_F(ResourceTableTest, SweepsEverythingBackAndCountsWhatWasNotDropped) {
  BufferRef payload = publish(*pool_, "lent");
  Rep lent = no_rep;
  ASSERT_EQ(table_.lend(payload, lent), TableStatus::ok);
  const Rep writing = add();
  const Rep spent = add();
  Rep frozen = no_rep;
  ASSERT_EQ(table_.freeze(spent, frozen), TableStatus::ok);
  const Rep dropped = add();
  ASSERT_EQ(table_.drop(dropped, HandleKind::mutable_buffer), TableStatus::ok);
  EXPECT_EQ(pool_->stats().live, 3U);

  EXPECT_EQ(table_.sweep(), 3U);
  EXPECT_EQ(pool_->stats().live, 1U) << "the lent buffer is its owner's";
  EXPECT_EQ(payload.state(), BufferState::in_transit);
  EXPECT_EQ(table_.held(), 0U);
  EXPECT_EQ(table_.held_bytes(), 0U);
  EXPECT_EQ(table_.lent(), 0U);
  for (const Rep rep : {lent, writing, spent, frozen, dropped}) {
    EXPECT_EQ(table_.readable(rep), nullptr);
    EXPECT_EQ(table_.writable(rep), nullptr);
    EXPECT_FALSE(table_.spent(rep));
  }
  EXPECT_EQ(table_.sweep(), 0U);
  const Rep next = add();
  EXPECT_NE(table_.writable(next), nullptr) << "a swept table can be used again";
}

TEST_F(ResourceTableTest, GivesBackEverythingWhenItEnds) {
  BufferRef payload = publish(*pool_, "lent");
  {
    ResourceTable table{HoldingLimits{}};
    add(table, *pool_);
    Rep lent = no_rep;
    ASSERT_EQ(table.lend(payload, lent), TableStatus::ok);
  }
  EXPECT_EQ(payload.state(), BufferState::in_transit);
  EXPECT_EQ(pool_->stats().live, 1U);
}

// Random use, refused steps among it, against the plainest model of what is held; then a sweep from wherever that led.
TEST_F(ResourceTableTest, KeepsItsFiguresOnRandomWalks) {
  struct Held {
    Rep rep;
    HandleKind kind;
    std::uint64_t bytes;
  };
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const HoldingLimits limits{.handles = 12, .buffer_bytes = 3 * medium_buffer_bytes};
    ResourceTable table(limits);
    std::vector<Held> held;
    std::vector<BufferRef> taken;
    for (int step = 0; step < 400; ++step) {
      const std::size_t at = held.empty() ? 0 : random() % held.size();
      std::uint64_t bytes = 0;
      for (const Held& one : held) bytes += one.bytes;
      Rep rep = no_rep;
      switch (random() % 4) {
        case 0: {
          const std::uint64_t capacity = random() % 2 == 0 ? small_buffer_bytes : medium_buffer_bytes;
          const TableStatus expected = held.size() == limits.handles            ? TableStatus::too_many
                                       : bytes + capacity > limits.buffer_bytes ? TableStatus::over_budget
                                                                                : TableStatus::ok;
          ASSERT_EQ(table.add_mutable(allocate(*pool_, capacity), rep), expected);
          if (expected == TableStatus::ok) held.push_back({rep, HandleKind::mutable_buffer, capacity});
          break;
        }
        case 1: {
          if (held.empty()) break;
          const TableStatus expected = held[at].kind != HandleKind::mutable_buffer ? TableStatus::stale
                                       : held[at].bytes == 0                       ? TableStatus::wrong_state
                                       : held.size() == limits.handles             ? TableStatus::too_many
                                                                                   : TableStatus::ok;
          ASSERT_EQ(table.freeze(held[at].rep, rep), expected);
          if (expected == TableStatus::ok) held.push_back({rep, HandleKind::buffer, std::exchange(held[at].bytes, 0)});
          break;
        }
        case 2: {
          if (held.empty()) break;
          BufferRef out;
          const bool legal = held[at].kind == HandleKind::buffer;
          ASSERT_EQ(table.take(held[at].rep, out), legal ? TableStatus::ok : TableStatus::stale);
          ASSERT_EQ(static_cast<bool>(out), legal);
          if (!legal) break;
          taken.push_back(std::move(out));
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        }
        default: {
          if (held.empty()) break;
          ASSERT_EQ(table.drop(held[at].rep, held[at].kind), TableStatus::ok);
          ASSERT_EQ(table.drop(held[at].rep, held[at].kind), TableStatus::stale);
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        }
      }
      bytes = 0;
      std::uint64_t buffers = 0;
      for (const Held& one : held) {
        bytes += one.bytes;
        buffers += one.bytes != 0;
      }
      ASSERT_EQ(table.held(), held.size());
      ASSERT_EQ(table.held_bytes(), bytes);
      ASSERT_EQ(pool_->stats().live, buffers + taken.size());
      if (taken.size() > 8) taken.clear();
    }
    ASSERT_EQ(table.sweep(), held.size());
    ASSERT_EQ(pool_->stats().live, taken.size());
  }
}

TEST_F(ResourceTableTest, TakesALoanEndedTwiceForABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  BufferRef payload = publish(*pool_, "lent");
  Rep rep = no_rep;
  ASSERT_EQ(table_.lend(payload, rep), TableStatus::ok);
  table_.end_loan(rep);
  EXPECT_DEATH(table_.end_loan(rep), "a loan was ended that is none");
}

}  // namespace
}  // namespace torvyn::resources
