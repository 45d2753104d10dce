#include <benchmark/benchmark.h>

#include <cstdlib>

#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/element.h"
#include "torvyn/resources/resource_table.h"

namespace torvyn::resources {
namespace {

BufferPool& pool() {
  static const auto pool = [] {
    auto made = BufferPool::create({});
    if (!made.has_value()) std::abort();
    return *std::move(made);
  }();
  return *pool;
}

BufferRef allocate(std::uint64_t bytes) {
  BufferRef buffer;
  if (pool().allocate(bytes, buffer) != AllocateStatus::ok) std::abort();
  return buffer;
}

void allocate_and_release(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(allocate(static_cast<std::uint64_t>(state.range(0))));
}
BENCHMARK(allocate_and_release)->Arg(small_buffer_bytes)->Arg(large_buffer_bytes)->Arg(2 * large_buffer_bytes);
BENCHMARK(allocate_and_release)->Arg(small_buffer_bytes)->Threads(2);

// What a batch emits: one buffer, 64 elements, cut and released as a run.
void sixty_four_slices(benchmark::State& state) {
  constexpr std::uint32_t slices = 64;
  Run run;
  for (auto _ : state) {
    BufferRef buffer = allocate(slices);
    buffer.set_size(slices);
    if (!buffer.apply(BufferAction::publish)) std::abort();
    buffer.reserve_references(slices);
    for (std::uint32_t slice = 0; slice < slices; ++slice)
      run.emplace_back(ElementMeta{}, buffer.adopt_slice(slice, 1), no_lineage);
    buffer.reset();
    clear_run(run);
  }
  state.SetItemsProcessed(state.iterations() * slices);
}
BENCHMARK(sixty_four_slices);

void lend_and_end_loan(benchmark::State& state) {
  ResourceTable table{HoldingLimits{}};
  BufferRef buffer = allocate(1);
  if (!buffer.apply(BufferAction::publish)) std::abort();
  for (auto _ : state) {
    Rep rep = 0;
    if (table.lend(buffer, rep) != TableStatus::ok) std::abort();
    table.end_loan(rep);
  }
}
BENCHMARK(lend_and_end_loan);

}  // namespace
}  // namespace torvyn::resources

BENCHMARK_MAIN();
