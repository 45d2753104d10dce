// What the driver itself costs an element: fakes do nothing but hand over.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>

#include "torvyn/reactor/fake_stages.h"
#include "torvyn/reactor/flow_driver.h"

namespace torvyn::reactor {
namespace {

using contracts::Role;

resources::BufferPool& pool() {
  static const auto pool = [] {
    auto made = resources::BufferPool::create({});
    if (!made) std::abort();
    return *std::move(made);
  }();
  return *pool;
}

// Source, `middle` processors that pass on, sink. The fakes' own part is in the time: about one allocation of a buffer an element.
void drive(benchmark::State& state, std::size_t middle) {
  constexpr std::uint64_t elements = 200'000;
  for (auto _ : state) {
    Interrupt interrupt;
    FlowPlan plan;
    plan.max_batch = static_cast<std::uint32_t>(state.range(0));
    const auto add = [&plan](std::unique_ptr<Stage> stage, Role role) {
      plan.stages.push_back(
          {.stage = std::move(stage), .role = role, .node = "", .component = "", .contract = "", .failure = {}});
    };
    add(std::make_unique<FakeSource>(FakeSourceOptions{.pool = &pool(), .elements = elements}), Role::source);
    for (std::size_t i = 0; i < middle; ++i) add(std::make_unique<FakeStage>(FakeStageOptions{}), Role::processor);
    add(std::make_unique<FakeSink>(FakeSinkOptions{.keep = false}), Role::sink);
    FlowDriver driver(std::move(plan), SystemClock::instance(), interrupt);
    if (driver.run().fates.pulled != elements) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(elements));
}

void source_to_sink(benchmark::State& state) { drive(state, 0); }
BENCHMARK(source_to_sink)->ArgName("run")->Arg(1)->Arg(64);

void source_processor_sink(benchmark::State& state) { drive(state, 1); }
BENCHMARK(source_processor_sink)->ArgName("run")->Arg(1)->Arg(64);

}  // namespace
}  // namespace torvyn::reactor

BENCHMARK_MAIN();
