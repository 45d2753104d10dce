// What is done to a flow from outside while it runs: another component in a node's place, and its end.
#include <algorithm>
#include <array>

#include "bench/graph_cases.h"

namespace torvyn::bench {

// generate → upper-batch → null under full load, where upper takes the place of upper-batch and the other way round, `swaps` times.
Found swap_case(Task& task) {
  const std::uint64_t swaps = task.settings.number("swaps", 50);
  const std::uint64_t between_ms = task.settings.number("between_ms", 10);
  const std::array<std::string, 2> forms{"components/upper-batch.wasm", "components/upper.wasm"};
  const std::unique_ptr<host::Host> host = make_host(task);
  const config::FlowConfig flow = chain_through(forms[0], {{"size", "16"}});
  const std::unique_ptr<host::FlowRun> run = prepare(*host, flow);
  start(*run);
  wait_for_first(*run);

  std::vector<std::uint64_t> pauses_ns;
  std::vector<std::uint64_t> calls_ns;
  for (std::uint64_t i = 1; i <= swaps; ++i) {
    sleep_ms(between_ms);
    const std::uint64_t before_ns = wall_ns();
    const auto swapped = run->swap(flow.nodes[middle].name, forms[i % forms.size()], false);
    calls_ns.push_back(wall_ns() - before_ns);
    if (!swapped) give_up(swapped.error().to_string());
    pauses_ns.push_back(swapped->pause_ns);
  }
  const observability::FlowReport report = stop(*run);
  return {{"swaps", report.stages[middle].swaps},
          {"pause_p50_ns", quantile(pauses_ns, 0.5)},
          {"pause_max_ns", std::ranges::max(pauses_ns)},
          {"call_p50_ns", quantile(calls_ns, 0.5)},
          {"call_max_ns", std::ranges::max(calls_ns)},
          {"pulled", report.fates.pulled},
          {"arrived", report.stages.back().elements_in},
          {"lost", report.fates.pulled - report.fates[observability::Fate::delivered]},
          {"duration_ns", report.duration_ns}};
}

namespace {

// A flow that is doing what it is to be cancelled in.
config::FlowConfig flow_that(const std::string& what) {
  if (what == "works") return chain_through("components/upper-batch.wasm", {{"size", "16"}});
  if (what == "is idle") return chain_through("components/upper-batch.wasm", {{"rate", "0.000277"}});
  if (what == "waits") {
    config::FlowConfig flow = chain_through("tests/components/wasi-wait.wasm", {{"text", "wait"}});
    flow.nodes[middle].config = R"({"how":"block"})";
    return flow;
  }
  if (what == "sleeps") {
    config::FlowConfig flow = chain_through("tests/components/wasi-odd.wasm", {});
    flow.nodes[middle].config = R"({"how":"sleep-long"})";
    return flow;
  }
  if (what == "spins") {
    config::FlowConfig flow = chain_through("tests/hostile/spin.wasm", {});
    flow.nodes[middle].timeout_ns = 60 * config::s_in_ns;  // it is to be cancelled, not to run out of time
    return flow;
  }
  give_up("what is works, is idle, waits, sleeps or spins, not " + what);
}

}  // namespace

// From `cancel` to the return of `wait`, `times` times, for a flow whose guest spins, waits or sleeps in WASI, or works, or that is idle.
Found cancel_case(Task& task) {
  const config::FlowConfig flow = flow_that(task.settings.text("what", "spins"));
  const std::uint64_t times = task.settings.number("times", 20);
  const std::unique_ptr<host::Host> host = make_host(task);
  std::vector<std::uint64_t> latencies_ns;
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::unique_ptr<host::FlowRun> run = prepare(*host, flow);
    start(*run);
    wait_for_first(*run);
    sleep_ms(20);  // the element is in the guest by now
    const std::uint64_t before_ns = wall_ns();
    run->cancel();
    const observability::FlowReport report = run->wait();
    latencies_ns.push_back(wall_ns() - before_ns);
    if (report.state != observability::FlowState::cancelled)
      give_up("the flow was to be cancelled, and is " + std::string(flow_state_name(report.state)));
  }
  return {{"times", times}, {"p50_ns", quantile(latencies_ns, 0.5)}, {"max_ns", std::ranges::max(latencies_ns)}};
}

}  // namespace torvyn::bench
