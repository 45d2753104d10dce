#include "torvyn/resources/free_stack.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace torvyn::resources {
namespace {

struct Headers {
  explicit Headers(std::uint32_t count) : array(std::make_unique<BufferHeader[]>(count)) {
    for (std::uint32_t slot = 0; slot < count; ++slot) array[slot].slot = slot;
  }
  std::unique_ptr<BufferHeader[]> array;
};

TEST(FreeStack, GivesBackTheLastOneFirst) {
  Headers headers(3);
  FreeStack stack;
  EXPECT_EQ(stack.pop(headers.array.get()), nullptr);
  for (std::uint32_t slot = 0; slot < 3; ++slot) stack.push(headers.array.get(), slot);
  for (std::uint32_t slot = 3; slot-- > 0;) EXPECT_EQ(stack.pop(headers.array.get()), &headers.array[slot]);
  EXPECT_EQ(stack.pop(headers.array.get()), nullptr);
}

// A, B on the stack; somebody reads the head, then A goes, B goes and A comes back: the top is the same, but what lies
// below is not.
TEST(FreeStack, ChangesItsHeadEvenWhereTheSameSlotIsOnTopAgain) {
  Headers headers(2);
  FreeStack stack;
  stack.push(headers.array.get(), 1);
  stack.push(headers.array.get(), 0);
  const std::uint64_t before = stack.head();
  stack.pop(headers.array.get());
  stack.pop(headers.array.get());
  stack.push(headers.array.get(), 0);
  EXPECT_EQ(FreeStack::top_of(stack.head()), FreeStack::top_of(before));
  EXPECT_NE(stack.head(), before);
}

// Few slots and many threads: the same slots come round all the time.
TEST(FreeStack, NeverGivesOneSlotToTwoThreads) {
  constexpr std::uint32_t slots = 3;
  Headers headers(slots);
  FreeStack stack;
  for (std::uint32_t slot = 0; slot < slots; ++slot) stack.push(headers.array.get(), slot);
  std::array<std::atomic<bool>, slots> taken{};
  std::atomic<int> taken_twice{0};
  std::latch all_here(4);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        all_here.arrive_and_wait();
        for (int pops = 0; pops < 50'000;) {
          BufferHeader* const first = stack.pop(headers.array.get());
          if (first == nullptr) {
            std::this_thread::yield();  // whoever holds them may be waiting for this core
            continue;
          }
          if (taken[first->slot].exchange(true)) ++taken_twice;
          BufferHeader* const second = stack.pop(headers.array.get());
          if (second != nullptr && taken[second->slot].exchange(true)) ++taken_twice;
          ++pops;
          taken[first->slot] = false;
          stack.push(headers.array.get(), first->slot);
          if (second == nullptr) continue;
          taken[second->slot] = false;
          stack.push(headers.array.get(), second->slot);
        }
      });
  }
  EXPECT_EQ(taken_twice, 0);
  for (std::uint32_t left = slots; left != 0; --left) EXPECT_NE(stack.pop(headers.array.get()), nullptr);
  EXPECT_EQ(stack.pop(headers.array.get()), nullptr) << "a slot is on the stack twice";
}

}  // namespace
}  // namespace torvyn::resources
