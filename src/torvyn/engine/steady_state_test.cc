// The calls that carry elements enter no allocator of ours in steady state: operator new is replaced, in the whole executable, by one that
// counts. The engine's own allocations come from another allocator and are counted apart.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "torvyn/engine/test_guest.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(void* memory) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(std::malloc(bytes == 0 ? 1 : bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (bytes + step - 1) / step * step));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace torvyn::engine {
namespace {

constexpr std::uint32_t elements = 10'000;
constexpr std::uint32_t run_elements = 64;

class SteadyState : public GuestTest {
 protected:
  struct Allocations {
    std::uint64_t ours = 0;
    std::uint64_t engines = 0;
  };

  // Drives source → processor → sink by hand, as a flow does, and counts what 10,000 elements cost after the first runs.
  Allocations allocations_of(const std::string& suffix) {
    const auto source = start(component_path("hello-source" + suffix), "1000000");
    const auto processor = start(component_path("upper" + suffix));
    const auto sink = start(component_path("count-sink" + suffix));
    Run pulled;
    Run processed;
    const auto drive = [&](std::uint32_t count) {
      for (std::uint32_t done = 0; done < count;) {
        if (source->pull(run_elements, 1 << 20, pulled).status != CallStatus::ok) return false;
        const auto size = static_cast<std::uint32_t>(pulled.size());
        if (processor->process(pulled, processed).status != CallStatus::ok || processed.size() != size) return false;
        if (sink->push(processed).status != CallStatus::ok) return false;
        clear_run(pulled);
        clear_run(processed);
        done += size;
      }
      return true;
    };
    EXPECT_TRUE(drive(100 * run_elements));
    const std::uint64_t ours = allocations;
    const std::uint64_t engines = engine_allocations();
    EXPECT_TRUE(drive(elements));
    return {allocations - ours, engine_allocations() - engines};
  }
};

TEST_F(SteadyState, TheCounterCounts) {
  const std::uint64_t before = allocations;
  const auto instance = start(component_path("upper"));
  EXPECT_GT(allocations, before);
}

TEST_F(SteadyState, TenThousandElementsOneByOneAllocateNothingOfOurs) {
  step_time_by_ns(0);  // runs as long as they may be
  const Allocations counted = allocations_of("");
  EXPECT_EQ(counted.ours, 0U);
  // The engine's typed calls allocate once for each handle that a guest owns; direct ones never.
  if (load(component_path("upper"))->path() == "direct") {
    EXPECT_EQ(counted.engines, 0U);
  }
  RecordProperty("engine_allocations_an_element", std::to_string(static_cast<double>(counted.engines) / elements));
}

TEST_F(SteadyState, TenThousandElementsInRunsAllocateNothingAtAll) {
  step_time_by_ns(0);
  const Allocations counted = allocations_of("-batch");
  EXPECT_EQ(counted.ours, 0U);
  EXPECT_EQ(counted.engines, 0U);
}

}  // namespace
}  // namespace torvyn::engine
