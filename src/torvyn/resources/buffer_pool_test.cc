#include "torvyn/resources/buffer_pool.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <latch>
#include <limits>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "torvyn/resources/test_pool.h"

namespace torvyn::resources {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

// Whether any page of `bytes` is in memory.
bool resident(std::span<const std::byte> bytes) {
  std::vector<unsigned char> pages((bytes.size() + 4095) / 4096);
  EXPECT_EQ(::mincore(const_cast<std::byte*>(bytes.data()), bytes.size(), pages.data()), 0);
  for (const unsigned char page : pages)
    if ((page & 1) != 0) return true;
  return false;
}

TEST(BufferPool, TakesABufferFromTheSmallestTierThatFits) {
  const auto pool = make_pool();
  struct Case {
    std::uint64_t hint;
    Tier tier;
    std::uint64_t capacity;
  };
  for (const Case& one :
       {Case{0, Tier::small, 4096}, Case{1, Tier::small, 4096}, Case{4096, Tier::small, 4096},
        Case{4097, Tier::medium, 65536}, Case{65536, Tier::medium, 65536}, Case{65537, Tier::large, mib},
        Case{mib, Tier::large, mib}, Case{mib + 1, Tier::huge, 2 * mib}, Case{3 * mib, Tier::huge, 3 * mib}}) {
    const std::uint64_t before = tier_stats(pool->stats(), one.tier).allocated;
    const BufferRef buffer = allocate(*pool, one.hint);
    EXPECT_EQ(buffer.capacity(), one.capacity) << one.hint;
    EXPECT_EQ(tier_stats(pool->stats(), one.tier).allocated, before + 1) << one.hint;
  }
}

TEST(BufferPool, HandsOutBuffersAsNew) {
  const auto pool = make_pool({.kept = {1, 0, 0, 0}});
  for (int round = 0; round < 3; ++round) {
    BufferRef buffer = allocate(*pool, 10);
    EXPECT_EQ(buffer.state(), BufferState::host_owned);
    EXPECT_EQ(buffer.references(), 1U);
    EXPECT_EQ(buffer.loans(), 0U);
    EXPECT_EQ(buffer.size(), 0U);
    EXPECT_EQ(buffer.offset(), 0U);
    EXPECT_EQ(buffer.content_type(), 0U);
    EXPECT_TRUE(buffer.id().valid());
    buffer.set_size(7);
    buffer.set_content_type(9);
  }
}

TEST(BufferPool, ReturnsABufferToItsOwnTier) {
  const auto pool = make_pool({.kept = {2, 2, 2, 2}});
  const std::uint64_t hints[] = {1, small_buffer_bytes + 1, medium_buffer_bytes + 1, large_buffer_bytes + 1};
  std::vector<BufferRef> buffers;
  for (const std::uint64_t hint : hints) buffers.push_back(allocate(*pool, hint));
  for (const TierStats& tier : pool->stats().tiers) EXPECT_EQ(tier.available, 1U);
  buffers.clear();
  for (const TierStats& tier : pool->stats().tiers) {
    EXPECT_EQ(tier.available, 2U);
    EXPECT_EQ(tier.returned, 1U);
  }
  for (const std::uint64_t hint : hints) buffers.push_back(allocate(*pool, hint));
  for (const TierStats& tier : pool->stats().tiers) EXPECT_EQ(tier.reused, 1U);
}

TEST(BufferPool, RefusesMoreThanTheLargestBuffer) {
  const auto pool = make_pool({.max_buffer_bytes = 2 * mib + 5});
  BufferRef buffer;
  EXPECT_EQ(pool->allocate(2 * mib + 6, buffer), AllocateStatus::too_large);
  EXPECT_EQ(pool->allocate(std::numeric_limits<std::uint64_t>::max(), buffer), AllocateStatus::too_large);
  EXPECT_FALSE(buffer);
  EXPECT_EQ(pool->allocate(2 * mib + 5, buffer), AllocateStatus::ok);
  EXPECT_EQ(buffer.capacity(), 2 * mib + 5) << "no buffer has room for more than the largest";
}

TEST(BufferPool, GivesNoTierMoreRoomThanTheLargestBuffer) {
  const auto pool = make_pool({.max_buffer_bytes = 1000});
  EXPECT_EQ(allocate(*pool, 10).capacity(), 1000U);
}

TEST(BufferPool, CutsTheLargestBufferToWhatOffsetsCanReach) {
  const auto pool = make_pool({.max_buffer_bytes = std::numeric_limits<std::uint64_t>::max()});
  EXPECT_EQ(pool->max_buffer_bytes(), buffer_bytes_max);
  BufferRef buffer;
  EXPECT_EQ(pool->allocate(buffer_bytes_max + 1, buffer), AllocateStatus::too_large);
  ASSERT_EQ(pool->allocate(buffer_bytes_max, buffer), AllocateStatus::ok);
  EXPECT_EQ(buffer.capacity(), buffer_bytes_max);
  buffer.writable().back() = std::byte{1};
}

TEST(BufferPool, LeavesTheOldBufferAloneWhereThereIsNoNewOne) {
  const auto pool = make_pool({.kept = {1, 0, 0, 0}, .fallback_alloc = false});
  BufferRef buffer = allocate(*pool, 1);
  const ResourceId id = buffer.id();
  EXPECT_EQ(pool->allocate(1, buffer), AllocateStatus::exhausted);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(buffer.id(), id);
}

TEST(BufferPool, SaysExhaustedWhenATierIsUsedUpAndThereIsNoFallback) {
  const auto pool = make_pool({.kept = {2, 0, 1, 1}, .fallback_alloc = false});
  std::vector<BufferRef> held;
  held.push_back(allocate(*pool, 1));
  held.push_back(allocate(*pool, 1));
  held.push_back(allocate(*pool, large_buffer_bytes + 1));
  BufferRef buffer;
  EXPECT_EQ(pool->allocate(1, buffer), AllocateStatus::exhausted);
  EXPECT_EQ(pool->allocate(small_buffer_bytes + 1, buffer), AllocateStatus::exhausted) << "a tier may keep none";
  EXPECT_EQ(pool->allocate(large_buffer_bytes + 1, buffer), AllocateStatus::exhausted);
  const PoolStats stats = pool->stats();
  EXPECT_EQ(tier_stats(stats, Tier::small).exhausted, 1U);
  EXPECT_EQ(tier_stats(stats, Tier::medium).exhausted, 1U);
  EXPECT_EQ(tier_stats(stats, Tier::large).exhausted, 0U);
  EXPECT_EQ(tier_stats(stats, Tier::huge).exhausted, 1U);
  EXPECT_EQ(tier_stats(stats, Tier::small).allocated, 2U);
  held.clear();
  EXPECT_EQ(pool->allocate(1, buffer), AllocateStatus::ok);
}

TEST(BufferPool, FallsBackToOneOffsWhichDoNotStay) {
  const auto pool = make_pool({.kept = {1, 1, 1, 1}});
  for (const std::uint64_t hint :
       {std::uint64_t{1}, small_buffer_bytes + 1, medium_buffer_bytes + 1, large_buffer_bytes + 1}) {
    std::vector<BufferRef> buffers;
    for (int i = 0; i < 3; ++i) {
      buffers.push_back(allocate(*pool, hint));
      EXPECT_EQ(buffers.back().capacity(), buffers.front().capacity()) << "a one-off has the size of its tier";
      buffers.back().writable().back() = std::byte{1};
    }
  }
  const PoolStats stats = pool->stats();
  EXPECT_EQ(stats.live, 0U);
  for (const TierStats& tier : stats.tiers) {
    EXPECT_EQ(tier.allocated, 3U);
    EXPECT_EQ(tier.returned, 3U);
    EXPECT_EQ(tier.fallbacks, 2U);
    EXPECT_EQ(tier.reused, 0U);
    EXPECT_EQ(tier.capacity, 1U);
    EXPECT_EQ(tier.available, 1U);
  }
}

TEST(BufferPool, NamesAOneOffApartFromTheOneBeforeInItsSlot) {
  const auto pool = make_pool({.kept = {0, 0, 0, 0}});
  const ResourceId first = allocate(*pool, 1).id();
  const BufferRef second = allocate(*pool, 1);
  EXPECT_EQ(second.id().slot, first.slot);
  EXPECT_NE(second.id().generation, first.generation);
}

TEST(BufferPool, ReusesAHugeBufferForAnythingThatFitsIt) {
  const auto pool = make_pool({.kept = {0, 0, 0, 2}});
  const std::byte* memory = nullptr;
  {
    BufferRef buffer = allocate(*pool, 4 * mib);
    memory = buffer.writable().data();
  }
  for (const std::uint64_t hint : {4 * mib, 2 * mib, 3 * mib + 1}) {
    BufferRef buffer = allocate(*pool, hint);
    EXPECT_EQ(buffer.writable().data(), memory);
    EXPECT_EQ(buffer.capacity(), (hint + mib - 1) / mib * mib) << "the capacity depends on the hint, not on luck";
  }
  EXPECT_EQ(tier_stats(pool->stats(), Tier::huge).reused, 3U);
}

TEST(BufferPool, TakesTheSmallestHugeBufferThatFits) {
  const auto pool = make_pool({.kept = {0, 0, 0, 3}});
  std::array<const std::byte*, 3> memory{};
  {
    std::array<BufferRef, 3> buffers;
    for (std::size_t i = 0; i < 3; ++i) {
      buffers[i] = allocate(*pool, (6 - 2 * i) * mib);  // 6, 4, 2
      memory[i] = buffers[i].writable().data();
    }
  }
  EXPECT_EQ(allocate(*pool, 3 * mib).writable().data(), memory[1]);
  EXPECT_EQ(allocate(*pool, 5 * mib).writable().data(), memory[0]);
  EXPECT_EQ(allocate(*pool, mib + 1).writable().data(), memory[2]);
}

TEST(BufferPool, ReplacesAHugeBufferThatIsTooSmallAndKeepsNoMoreThanItsNumber) {
  const auto pool = make_pool({.kept = {0, 0, 0, 1}, .fallback_alloc = false});
  const ResourceId small = allocate(*pool, 2 * mib).id();
  BufferRef buffer = allocate(*pool, 8 * mib);
  buffer.writable().back() = std::byte{1};
  EXPECT_NE(buffer.id(), small);
  BufferRef second;
  EXPECT_EQ(pool->allocate(2 * mib, second), AllocateStatus::exhausted);
  buffer.reset();
  EXPECT_EQ(pool->allocate(8 * mib, second), AllocateStatus::ok);
  const TierStats huge = tier_stats(pool->stats(), Tier::huge);
  EXPECT_EQ(huge.allocated, 3U);
  EXPECT_EQ(huge.reused, 1U);
  EXPECT_EQ(huge.fallbacks, 0U);
  EXPECT_EQ(huge.available, 0U);
}

TEST(BufferPool, MovesTheGenerationOnWithEveryReuse) {
  const auto pool = make_pool({.kept = {1, 0, 0, 0}});
  std::set<std::uint32_t> generations;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(generations.insert(allocate(*pool, 1).id().generation).second);
  EXPECT_FALSE(generations.contains(0));
}

TEST(BufferPool, CommitsNoMemoryBeforeTheFirstTouchAndTrimGivesItBack) {
  const auto pool = make_pool({.kept = {0, 0, 1, 1}});
  for (const std::uint64_t hint : {mib, 4 * mib}) {
    std::span<std::byte> memory;
    {
      BufferRef buffer = allocate(*pool, hint);
      memory = buffer.writable();
      EXPECT_FALSE(resident(memory));
      std::memset(memory.data(), 1, memory.size());
      EXPECT_TRUE(resident(memory));
      pool->trim();
      EXPECT_EQ(memory[5], std::byte{1}) << "a buffer in use is not trimmed";
    }
    EXPECT_TRUE(resident(memory));
    pool->trim();
    EXPECT_FALSE(resident(memory));
    BufferRef again = allocate(*pool, hint);
    EXPECT_EQ(again.writable().data(), memory.data()) << "the buffer stays";
    again.writable().back() = std::byte{2};
  }
}

TEST(BufferPool, KeepsAllItsBuffersThroughATrim) {
  const auto pool = make_pool({.kept = {8, 0, 0, 3}, .fallback_alloc = false});
  for (int round = 0; round < 3; ++round) {
    std::vector<BufferRef> buffers;
    for (int i = 0; i < 8; ++i) buffers.push_back(allocate(*pool, 1));
    for (int i = 0; i < 3; ++i) buffers.push_back(allocate(*pool, 2 * mib));
    buffers.clear();
    pool->trim();
    pool->trim();
    EXPECT_EQ(tier_stats(pool->stats(), Tier::small).available, 8U);
    EXPECT_EQ(tier_stats(pool->stats(), Tier::huge).available, 3U);
  }
}

TEST(BufferPool, SaysWhyAddressSpaceCannotBeReserved) {
  const auto too_much = BufferPool::create({.kept = {0, 0, 1U << 30, 0}});
  ASSERT_FALSE(too_much.has_value());
  EXPECT_EQ(too_much.error().code(), ErrorCode::allocation_failed);
  EXPECT_FALSE(too_much.error().hint().empty());
  const auto too_many = BufferPool::create({.kept = {1U << 31, 1U << 31, 0, 0}});
  ASSERT_FALSE(too_many.has_value());
  EXPECT_EQ(too_many.error().code(), ErrorCode::allocation_failed);
}

TEST(BufferPool, NamesItsTiers) {
  EXPECT_EQ(tier_name(Tier::small), "small");
  EXPECT_EQ(tier_name(Tier::medium), "medium");
  EXPECT_EQ(tier_name(Tier::large), "large");
  EXPECT_EQ(tier_name(Tier::huge), "huge");
}

TEST(BufferRef, WritesOnlyWhereItFits) {
  const auto pool = make_pool({.max_buffer_bytes = 10});
  BufferRef buffer = allocate(*pool, 10);
  ASSERT_TRUE(buffer.apply(BufferAction::lend_for_writing));
  EXPECT_FALSE(buffer.write(1, bytes_of("x"))) << "beyond the size";
  EXPECT_TRUE(buffer.write(0, bytes_of("hello")));
  EXPECT_EQ(buffer.size(), 5U);
  EXPECT_TRUE(buffer.write(1, bytes_of("EL"))) << "inside: the size stays";
  EXPECT_EQ(text_of(buffer), "hELlo");
  EXPECT_FALSE(buffer.write(6, bytes_of("")));
  EXPECT_TRUE(buffer.write(5, bytes_of("")));
  EXPECT_FALSE(buffer.write(5, bytes_of("123456"))) << "beyond the capacity";
  EXPECT_FALSE(buffer.write(std::numeric_limits<std::uint64_t>::max(), bytes_of("xx"))) << "the end comes round to 1";
  EXPECT_EQ(text_of(buffer), "hELlo");
  EXPECT_TRUE(buffer.write(4, bytes_of("123456")));
  EXPECT_EQ(text_of(buffer), "hELl123456");
  EXPECT_FALSE(buffer.write(10, bytes_of("x")));
  EXPECT_TRUE(buffer.write(10, {}));
}

TEST(BufferRef, SharesTheBytesBetweenSlices) {
  const auto pool = make_pool();
  BufferRef buffer = publish(*pool, "hello world");
  const BufferRef world = buffer.slice(6, 5);
  EXPECT_EQ(text_of(world), "world");
  EXPECT_EQ(text_of(world.slice(1, 3)), "orl");
  EXPECT_EQ(text_of(world.slice(5, 0)), "");
  EXPECT_TRUE(world.same_buffer(buffer));
  EXPECT_EQ(world.bytes().data(), buffer.bytes().data() + 6);
  EXPECT_EQ(buffer.references(), 2U);
  buffer.reserve_references(1);
  {
    const BufferRef orl = world.adopt_slice(1, 3);
    EXPECT_EQ(text_of(orl), "orl");
    EXPECT_EQ(buffer.references(), 3U);
  }
  EXPECT_EQ(buffer.references(), 2U);
  buffer.reset();
  EXPECT_EQ(text_of(world), "world");
  EXPECT_EQ(pool->stats().live, 1U);
}

TEST(BufferRef, CountsReferencesThroughCopiesMovesAndAssignments) {
  const auto pool = make_pool();
  BufferRef a = publish(*pool, "a");
  BufferRef b = a;
  EXPECT_EQ(a.references(), 2U);
  const BufferRef c = std::move(b);
  EXPECT_FALSE(b);  // NOLINT(bugprone-use-after-move): moved-from is empty-handed by contract
  EXPECT_EQ(a.references(), 2U);
  BufferRef d = publish(*pool, "d");
  d = a;
  EXPECT_EQ(pool->stats().live, 1U);
  EXPECT_EQ(a.references(), 3U);
  const BufferRef& self = d;
  d = self;
  EXPECT_EQ(a.references(), 3U);
  d = BufferRef();
  d.reset();
  EXPECT_EQ(a.references(), 2U);
}

TEST(BufferPoolDeathTest, TakesOurOwnMistakesForBugs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto pool = make_pool();
  BufferRef buffer = publish(*pool, "text");
  EXPECT_DEATH(buffer.writable(), "may fill only what it owns");
  EXPECT_DEATH(buffer.set_size(1), "only the host sets a size");
  EXPECT_DEATH(static_cast<void>(buffer.write(0, bytes_of("x"))), "isn't writing");
  EXPECT_DEATH(buffer.slice(3, 2), "a slice reaches beyond");
  EXPECT_DEATH(buffer.slice(0xffffffff, 2), "a slice reaches beyond");
  EXPECT_DEATH(
      {
        BufferRef lent = publish(*pool, "lent");
        static_cast<void>(lent.apply(BufferAction::lend));
        lent.reset();
      },
      "went while it was lent");
  EXPECT_DEATH(
      {
        BufferRef kept;
        kept = publish(*make_pool(), "a temporary pool");
      },
      "ended before the references");
}

// Threads. Short enough for the thread sanitizer, and each with few buffers, so that they meet.

TEST(BufferPoolThreads, NeverHandOutABufferTwice) {
  for (const bool fallback : {false, true}) {
    const auto pool = make_pool({.kept = {3, 1, 1, 2}, .fallback_alloc = fallback});
    std::atomic<std::uint64_t> allocated{0};
    std::atomic<std::uint64_t> exhausted{0};
    std::atomic<bool> done{false};
    std::latch all_here(5);
    {
      std::jthread trimmer([&] {
        all_here.arrive_and_wait();
        while (!done) {
          pool->trim();
          for (const TierStats& tier : pool->stats().tiers) EXPECT_LE(tier.available, tier.capacity);
        }
      });
      std::vector<std::jthread> threads;
      for (std::uint32_t thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
          std::mt19937 random(thread);
          all_here.arrive_and_wait();
          constexpr std::uint64_t hints[] = {1, 1, 1, 1, 1, 1, 5000, 70'000, mib + 1, 2 * mib + 1};
          std::array<BufferRef, 2> held;
          std::array<std::uint32_t, 2> marks{};
          for (std::uint32_t round = 0; round < 20'000; ++round) {
            const std::size_t at = random() % held.size();
            if (held[at]) {
              std::uint32_t found = 0;
              std::memcpy(&found, held[at].writable().data(), sizeof found);
              if (found != marks[at]) ADD_FAILURE() << "somebody else wrote to this buffer";
              held[at].reset();
              continue;
            }
            const AllocateStatus status = pool->allocate(hints[random() % std::size(hints)], held[at]);
            if (status == AllocateStatus::exhausted) {
              ++exhausted;
              continue;
            }
            if (status != AllocateStatus::ok || held[at].references() != 1 || held[at].size() != 0)
              ADD_FAILURE() << "not a new buffer";
            ++allocated;
            marks[at] = thread << 24 | round;
            std::memcpy(held[at].writable().data(), &marks[at], sizeof marks[at]);
          }
        });
      threads.clear();
      done = true;
    }
    const PoolStats stats = pool->stats();
    EXPECT_EQ(stats.live, 0U);
    std::uint64_t sum = 0;
    std::uint64_t refused = 0;
    for (const TierStats& tier : stats.tiers) {
      sum += tier.allocated;
      refused += tier.exhausted;
      EXPECT_EQ(tier.returned, tier.allocated);
      EXPECT_EQ(tier.available, tier.capacity);
      EXPECT_TRUE(fallback || tier.fallbacks == 0);
    }
    EXPECT_EQ(sum, allocated);
    EXPECT_EQ(refused, exhausted);
    EXPECT_TRUE(!fallback || refused == 0);
  }
}

// Elements cross a hand-over from thread to thread, sliced, lent and released as a flow does it.
TEST(BufferPoolThreads, PassBuffersOnWithAllTheirBytes) {
  const auto pool = make_pool({.kept = {8, 0, 0, 0}});
  std::mutex mutex;
  std::vector<BufferRef> waiting;
  std::atomic<int> producing{2};
  std::atomic<std::uint64_t> read{0};
  constexpr int buffers = 3000;
  constexpr std::uint32_t slices = 4;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < buffers; ++i) {
          BufferRef buffer = allocate(*pool, 64);
          std::memset(buffer.writable().data(), i & 0xff, 64);
          buffer.set_size(64);
          if (!buffer.apply(BufferAction::publish)) ADD_FAILURE() << "publish";
          buffer.reserve_references(slices - 1);
          const std::scoped_lock lock(mutex);
          for (std::uint32_t slice = 1; slice < slices; ++slice) waiting.push_back(buffer.adopt_slice(16 * slice, 16));
          waiting.push_back(std::move(buffer));
        }
        --producing;
      });
      threads.emplace_back([&] {
        while (true) {
          const bool last = producing == 0;
          BufferRef buffer;
          {
            const std::scoped_lock lock(mutex);
            if (!waiting.empty()) {
              buffer = std::move(waiting.back());
              waiting.pop_back();
            }
          }
          if (!buffer) {
            if (last) break;
            std::this_thread::yield();
            continue;
          }
          if (!buffer.apply(BufferAction::lend)) ADD_FAILURE() << "lend";
          if (buffer.state() != BufferState::lent) ADD_FAILURE() << "not lent";
          for (const std::byte byte : buffer.bytes())
            if (byte != buffer.bytes().front()) ADD_FAILURE() << "torn bytes";
          if (!buffer.apply(BufferAction::give_back)) ADD_FAILURE() << "give_back";
          ++read;
        }
      });
    }
  }
  EXPECT_EQ(read, std::uint64_t{2} * buffers * slices);
  EXPECT_EQ(pool->stats().live, 0U);
}

TEST(BufferPoolThreads, LendOneBufferToManyAtOnceAndAtLastToOne) {
  const auto pool = make_pool();
  BufferRef buffer = publish(*pool, "shared");
  constexpr int readers = 4;
  std::atomic<int> wrong{0};
  std::latch all_here(readers);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < readers; ++thread)
      threads.emplace_back([&, thread, mine = buffer]() mutable {
        all_here.arrive_and_wait();
        // One after the other drops its reference; the last one has the buffer to itself.
        for (int round = 0; round < 10'000 * (thread + 1); ++round) {
          wrong += !mine.apply(BufferAction::lend);
          wrong += mine.state() != BufferState::lent;
          wrong += mine.apply(BufferAction::publish) || mine.apply(BufferAction::freeze);
          wrong += !mine.apply(BufferAction::give_back);
        }
        if (thread != readers - 1) return;
        while (mine.references() != 1) std::this_thread::yield();
        wrong += mine.state() != BufferState::in_transit;
        wrong += mine.apply(BufferAction::give_back);
      });
    buffer.reset();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(pool->stats().live, 0U);
}

TEST(BufferPool, AdoptsMemoryAndReleasesItWithTheLastReference) {
  const auto pool = *BufferPool::create({});
  const std::array<std::byte, 5> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}};
  int released = 0;
  BufferRef buffer;
  ASSERT_EQ(pool->adopt(bytes, [&released] { ++released; }, buffer), AllocateStatus::ok);
  EXPECT_EQ(buffer.state(), BufferState::in_transit);
  EXPECT_EQ(buffer.bytes().data(), bytes.data());
  EXPECT_EQ(buffer.size(), 5U);
  BufferRef part = buffer.slice(1, 2);
  const ResourceId id = buffer.id();
  buffer.reset();
  EXPECT_EQ(released, 0);
  EXPECT_EQ(part.bytes()[0], std::byte{2});
  EXPECT_EQ(part.id(), id);
  EXPECT_EQ(pool->stats().live, 1U);
  part.reset();
  EXPECT_EQ(released, 1);
  EXPECT_EQ(pool->stats().live, 0U);
  EXPECT_EQ(pool->stats().tiers[0].fallbacks, 1U);

  // The slot is as good as new.
  ASSERT_EQ(pool->adopt({}, nullptr, buffer), AllocateStatus::ok);
  EXPECT_EQ(buffer.size(), 0U);
  buffer.reset();
  EXPECT_EQ(released, 1);
}

TEST(BufferPool, AdoptsNothingTooLarge) {
  const auto pool = *BufferPool::create({.max_buffer_bytes = 4});
  const std::array<std::byte, 5> bytes{};
  bool released = false;
  BufferRef buffer;
  EXPECT_EQ(pool->adopt(bytes, [&released] { released = true; }, buffer), AllocateStatus::too_large);
  EXPECT_FALSE(buffer);
  EXPECT_FALSE(released);
}

}  // namespace
}  // namespace torvyn::resources
