// A few free buffers that one thread has at hand: taken and given back without meeting anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace torvyn::resources {

// Threads that are numbered at once; what others allocate and release goes through the tier's stack.
inline constexpr std::uint32_t magazine_threads_max = 64;
inline constexpr std::uint32_t magazine_slots_max = 128;

namespace detail {
// This thread's number + 1; 0 = not asked for yet.
inline constinit thread_local std::uint32_t thread_number = 0;
inline constexpr std::uint32_t no_thread_number = magazine_threads_max + 1;
// Takes the lowest number that is free until the thread ends, or no_thread_number.
std::uint32_t take_thread_number() noexcept;
}  // namespace detail

// Below magazine_threads_max, this thread's alone while it runs; else there is none for it. What a thread wrote to the things of its number,
// the thread that has it next sees.
inline std::uint32_t thread_number() noexcept {
  const std::uint32_t known = detail::thread_number;
  return (known != 0 ? known : detail::take_thread_number()) - 1;
}

// One thread's, of one tier of one pool. All zero is an empty one. Thread: the one with its number; the counters may be read by any.
struct alignas(64) Magazine {
  std::array<std::uint32_t, magazine_slots_max> slots;
  std::uint32_t count;
  std::atomic<std::uint64_t> allocated;
  std::atomic<std::uint64_t> returned;

  // One writer: a load and a store do.
  static void add_one(std::atomic<std::uint64_t>& counter, std::memory_order order) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, order);
  }
};

}  // namespace torvyn::resources
