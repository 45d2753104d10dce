#include "torvyn/resources/magazine.h"

#include <bit>

namespace torvyn::resources::detail {
namespace {

static_assert(magazine_threads_max == 64, "a bit each");
std::atomic<std::uint64_t> taken_numbers{0};

// Gives the number back as the thread ends.
struct Holder {
  std::uint32_t number = magazine_threads_max;
  Holder() noexcept {
    std::uint64_t taken = taken_numbers.load(std::memory_order_relaxed);
    do {
      number = static_cast<std::uint32_t>(std::countr_one(taken));
      if (number == magazine_threads_max) return;
      // Acquire: what the thread that had it before left behind.
    } while (!taken_numbers.compare_exchange_weak(taken, taken | std::uint64_t{1} << number, std::memory_order_acquire,
                                                  std::memory_order_relaxed));
  }
  ~Holder() {
    // What this thread still releases from here on goes through the stack.
    thread_number = no_thread_number;
    if (number < magazine_threads_max)
      taken_numbers.fetch_and(~(std::uint64_t{1} << number), std::memory_order_release);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
};

}  // namespace

std::uint32_t take_thread_number() noexcept {
  static thread_local const Holder holder;
  thread_number = holder.number + 1;
  return thread_number;
}

}  // namespace torvyn::resources::detail
