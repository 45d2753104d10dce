// Steady state enters no allocator: operator new is replaced, in the whole executable, by one that counts. The
// sanitizers bring their own and refuse another, but tell of every allocation if asked.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "torvyn/resources/content_types.h"
#include "torvyn/resources/element.h"
#include "torvyn/resources/resource_table.h"
#include "torvyn/resources/test_pool.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TORVYN_SANITIZER_COUNTS
#endif
#endif

#ifdef TORVYN_SANITIZER_COUNTS

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                                         void (*on_free)(const volatile void*));

namespace {

const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { allocations.fetch_add(1, std::memory_order_relaxed); },
    [](const volatile void*) {});

}  // namespace

#else

void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const auto step = static_cast<std::size_t>(alignment);
  if (void* const memory = std::aligned_alloc(step, (bytes + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif

namespace torvyn::resources {
namespace {

// What an element meets between a component that writes it and one that reads it.
class OneElement {
 public:
  bool cycle() {
    BufferRef buffer;
    if (pool_->allocate(12, buffer) != AllocateStatus::ok) return false;
    Rep writing = 0;
    Rep frozen = 0;
    Rep lent = 0;
    if (writer_.add_mutable(std::move(buffer), writing) != TableStatus::ok) return false;
    if (!writer_.writable(writing)->write(0, bytes_of("twelve bytes"))) return false;
    if (writer_.freeze(writing, frozen) != TableStatus::ok) return false;
    if (writer_.drop(writing, HandleKind::mutable_buffer) != TableStatus::ok) return false;
    Element element;
    element.meta.content_type = types_.intern("text/plain; charset=utf-8");
    if (writer_.take(frozen, element.payload) != TableStatus::ok) return false;
    run_.push_back(std::move(element));
    if (reader_.lend(run_.back().payload, lent) != TableStatus::ok) return false;
    if (text_of(*reader_.readable(lent)) != "twelve bytes") return false;
    reader_.end_loan(lent);
    clear_run(run_);
    return true;
  }
  PoolStats stats() const { return pool_->stats(); }

 private:
  std::unique_ptr<BufferPool> pool_ = make_pool();
  ContentTypes types_;
  ResourceTable writer_{HoldingLimits{}};
  ResourceTable reader_{HoldingLimits{}};
  Run run_;
};

TEST(SteadyState, AllocatesNothingInAHundredThousandElements) {
  OneElement one;
  const std::uint64_t at_first = allocations;
  for (int warm_up = 0; warm_up < 10; ++warm_up) ASSERT_TRUE(one.cycle());
  const std::uint64_t before = allocations;
  EXPECT_GT(before, at_first) << "the counter counts";
  for (int i = 0; i < 100'000; ++i)
    if (!one.cycle()) FAIL() << "cycle " << i;
  EXPECT_EQ(allocations - before, 0U);
  const TierStats small = tier_stats(one.stats(), Tier::small);
  EXPECT_EQ(small.allocated, 100'010U);
  EXPECT_EQ(small.returned, small.allocated);
  EXPECT_EQ(small.reused, small.allocated - 1);
  EXPECT_EQ(small.fallbacks, 0U);
}

}  // namespace
}  // namespace torvyn::resources
