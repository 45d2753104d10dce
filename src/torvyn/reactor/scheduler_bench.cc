// What the scheduler itself costs: a turn that does nothing, and the way from a wake to its turn.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <latch>
#include <memory>

#include "torvyn/reactor/scheduler.h"

namespace torvyn::reactor {
namespace {

void start(Scheduler::Flow& flow, Driven& driven, std::latch& ended) {
  if (!flow.start(driven, [&ended] { ended.count_down(); })) std::abort();
}

// Busy flows, as many as the first argument says, on as many workers as the second.
void busy_turns(benchmark::State& state) {
  struct Busy final : Driven {
    Turn turn(const Quantum&) noexcept override { return {.next = --left == 0 ? Turn::Next::done : Turn::Next::again}; }
    std::int64_t left = 0;
  };
  constexpr std::int64_t turns = 1'000'000;
  const std::int64_t flows = state.range(0);
  for (auto _ : state) {
    Scheduler scheduler({.worker_threads = static_cast<std::uint32_t>(state.range(1))});
    std::deque<Busy> busy(static_cast<std::size_t>(flows));
    std::latch ended(flows);
    for (Busy& one : busy) {
      one.left = turns / flows;
      start(*scheduler.make_flow(1), one, ended);
    }
    ended.wait();
  }
  state.SetItemsProcessed(state.iterations() * turns);
}
BENCHMARK(busy_turns)->ArgNames({"flows", "workers"})->ArgsProduct({{1, 1'000}, {1, 2}})->UseRealTime();

// Tells of each of its turns but the last.
struct Echo final : Driven {
  Turn turn(const Quantum&) noexcept override {
    if (ends.load(std::memory_order_relaxed)) return {.next = Turn::Next::done};
    turns.fetch_add(1, std::memory_order_release);
    turns.notify_one();
    return {.next = Turn::Next::wait};
  }
  std::atomic<std::uint32_t> turns{0};
  std::atomic<bool> ends{false};
};

void wake_to_turn(benchmark::State& state, Scheduler::Flow& flow) {
  Echo echo;
  std::latch ended(1);
  start(flow, echo, ended);
  echo.turns.wait(0);
  std::uint32_t seen = 1;
  for (auto _ : state) {
    flow.wake();
    echo.turns.wait(seen++, std::memory_order_acquire);
  }
  echo.ends.store(true, std::memory_order_relaxed);
  flow.wake();
  ended.wait();
}

// There and back: the worker wakes this thread as this one wakes the worker, and each sleeps meanwhile.
void wake_to_turn_on_worker(benchmark::State& state) {
  Scheduler scheduler({.worker_threads = static_cast<std::uint32_t>(state.range(0))});
  wake_to_turn(state, *scheduler.make_flow(1));
}
BENCHMARK(wake_to_turn_on_worker)->ArgName("workers")->Arg(1)->Arg(2)->UseRealTime();

void wake_to_turn_on_own_thread(benchmark::State& state) {
  Scheduler scheduler({});
  wake_to_turn(state, *scheduler.make_flow_on_own_thread());
}
BENCHMARK(wake_to_turn_on_own_thread)->UseRealTime();

// A wake that changes nothing: the flow is in a queue, or in its turn.
void wake_of_a_queued_flow(benchmark::State& state) {
  Scheduler scheduler({});
  struct Blocked final : Driven {
    Turn turn(const Quantum&) noexcept override {
      entered.count_down();
      leave.wait();
      return {.next = Turn::Next::done};
    }
    std::latch entered{1};
    std::latch leave{1};
  } blocked;
  Echo echo;
  echo.ends = true;
  std::latch ended(2);
  start(*scheduler.make_flow(1), blocked, ended);
  blocked.entered.wait();
  const auto queued = scheduler.make_flow(1);
  start(*queued, echo, ended);
  for (auto _ : state) queued->wake();
  blocked.leave.count_down();
  ended.wait();
}
BENCHMARK(wake_of_a_queued_flow);

}  // namespace
}  // namespace torvyn::reactor

BENCHMARK_MAIN();
