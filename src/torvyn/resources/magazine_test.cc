#include "torvyn/resources/magazine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "torvyn/resources/test_pool.h"

namespace torvyn::resources {
namespace {

TEST(ThreadNumber, IsTheSameForAThreadAndAnotherForEachOther) {
  std::mutex mutex;
  std::set<std::uint32_t> numbers;
  constexpr int threads_count = 8;
  std::latch all_here(threads_count);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < threads_count; ++thread)
      threads.emplace_back([&] {
        const std::uint32_t number = thread_number();
        all_here.arrive_and_wait();
        EXPECT_EQ(thread_number(), number);
        const std::scoped_lock lock(mutex);
        EXPECT_TRUE(numbers.insert(number).second);
      });
  }
  EXPECT_EQ(numbers.size(), threads_count);
  EXPECT_LT(*numbers.rbegin(), magazine_threads_max);
}

TEST(ThreadNumber, IsGivenOutAgainWhenAThreadEnds) {
  std::set<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < 2 * magazine_threads_max; ++i)
    std::jthread([&] { numbers.insert(thread_number()); }).join();
  EXPECT_EQ(numbers.size(), 1U);
}

TEST(ThreadNumber, RunsOutWithoutHarm) {
  const auto pool = make_pool();
  constexpr std::uint32_t threads_count = magazine_threads_max + 8;
  std::latch all_here(threads_count);
  std::atomic<std::uint32_t> without{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t thread = 0; thread < threads_count; ++thread)
      threads.emplace_back([&] {
        without += thread_number() >= magazine_threads_max;
        all_here.arrive_and_wait();
        for (int i = 0; i < 100; ++i) allocate(*pool, 1);
      });
  }
  EXPECT_GE(without, 8U);
  const PoolStats stats = pool->stats();
  EXPECT_EQ(stats.live, 0U);
  EXPECT_EQ(stats.tiers[0].allocated, 100U * threads_count);
  EXPECT_EQ(stats.tiers[0].returned, 100U * threads_count);
}

TEST(Magazine, IsLeftToTheThreadThatHasItsNumberNext) {
  const auto pool = make_pool();
  const std::byte* first = nullptr;
  std::jthread([&] { first = allocate(*pool, 1).bytes().data(); }).join();
  const std::byte* second = nullptr;
  std::jthread([&] { second = allocate(*pool, 1).bytes().data(); }).join();
  EXPECT_EQ(first, second);
  EXPECT_EQ(pool->stats().tiers[0].reused, 1U);
}

TEST(Magazine, KeepsNoMoreThanAQuarterOfATierFromTheOthers) {
  constexpr std::uint32_t kept = 512;
  const auto pool = make_pool({.kept = {kept, 0, 0, 0}, .fallback_alloc = false});
  constexpr int threads_count = 16;
  std::latch all_done(threads_count + 1);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < threads_count; ++thread)
    threads.emplace_back([&] {
      {
        std::vector<BufferRef> some;
        for (std::uint32_t i = 0; i < kept / threads_count; ++i) some.push_back(allocate(*pool, 1));
      }
      all_done.arrive_and_wait();
    });
  all_done.arrive_and_wait();
  std::vector<BufferRef> rest;
  for (BufferRef buffer; pool->allocate(1, buffer) == AllocateStatus::ok;) rest.push_back(std::move(buffer));
  EXPECT_GE(rest.size(), kept - kept / 4);
  EXPECT_EQ(pool->stats().tiers[0].fallbacks, 0U);
}

TEST(Magazine, GoesBackToTheTierWhenThePoolIsTrimmed) {
  const auto pool = make_pool();
  allocate(*pool, 1);
  pool->trim();
  const BufferRef again = allocate(*pool, 1);
  EXPECT_EQ(pool->stats().tiers[0].reused, 1U);
}

}  // namespace
}  // namespace torvyn::resources
