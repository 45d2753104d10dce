// A flow in steady state enters no allocator. The counter stands in the global operator new of this test program; the sanitizers bring
// their own and refuse another, but tell of every allocation if asked.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "torvyn/reactor/test_flow.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TORVYN_SANITIZER_COUNTS
#endif
#endif

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

#ifdef TORVYN_SANITIZER_COUNTS

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));

namespace {
const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { allocations.fetch_add(1, std::memory_order_relaxed); },
    [](const volatile void*) {});
}  // namespace

#else

// Not inlined, or GCC sees malloc meet delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace torvyn::reactor {
namespace {

// Of a whole flow, from start to report.
std::uint64_t allocations_of(FlowSpec spec, std::uint64_t elements) {
  // A thread's first buffer numbers the thread, and the C++ runtime may note its end with an allocation.
  const auto pool = *resources::BufferPool::create({});
  resources::BufferRef first;
  EXPECT_EQ(pool->allocate(1, first), resources::AllocateStatus::ok);
  first.reset();
  spec.source.elements = elements;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  const Ran ran = run_flow(spec, {}, [&](FlowDriver&) { before = allocations.load(); });
  after = allocations.load();
  EXPECT_EQ(ran.report.fates.pulled, elements);
  EXPECT_GT(after, before) << "a report is allocated, so the counter counts";
  return after - before;
}

TEST(FlowDriver, AllocatesAsMuchForATenThousandthElementAsForAHundredThousandth) {
  MiddleSpec expanding{.fake = {.steps = {{.at = 10, .act = FakeAct::expand, .count = 300}}}};
  MiddleSpec aggregating{.role = contracts::Role::aggregator, .fake = {.group = 10}};
  for (const std::uint32_t size : {1U, 64U}) {
    const FlowSpec spec{.middle = {expanding, {}, aggregating}, .sink = {.keep = false}, .max_batch = size};
    const std::uint64_t few = allocations_of(spec, 10'000);
    EXPECT_EQ(allocations_of(spec, 100'000), few);
  }
}

TEST(FlowDriver, AllocatesNothingForSkippedErrorsBeyondThoseItKeeps) {
  MiddleSpec skipping{.skip = true};
  for (std::uint64_t at = 0; at < 8; ++at) skipping.fake.steps.push_back({.at = at});
  const FlowSpec few{.middle = {skipping}, .sink = {.keep = false}};
  FlowSpec many = few;
  for (std::uint64_t at = 8; at < 1'000; ++at) many.middle[0].fake.steps.push_back({.at = at});
  // Fewer, if anything: what is skipped goes through no stream.
  EXPECT_LE(allocations_of(many, 1'000), allocations_of(few, 1'000));
}

}  // namespace
}  // namespace torvyn::reactor
