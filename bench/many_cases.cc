// Many flows on the host's workers, and one stage on several of them.
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "bench/graph_cases.h"

namespace torvyn::bench {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident_pages = 0;
  file >> pages >> resident_pages;
  if (!file) give_up("cannot read /proc/self/statm");
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// Equal flows that run: each has pulled something.
class Crowd {
 public:
  Crowd(host::Host& host, const config::FlowConfig& flow, std::uint64_t size) {
    const std::uint64_t resident_before_bytes = resident_bytes();
    const std::uint64_t before_ns = wall_ns();
    for (std::uint64_t i = 0; i < size; ++i) flows_.push_back(prepare(host, flow));
    prepare_ns_ = wall_ns() - before_ns;
    for (const auto& one : flows_) start(*one);
    for (const auto& one : flows_) wait_for_first(*one);
    start_ns_ = wall_ns() - before_ns - prepare_ns_;
    const std::uint64_t resident_now_bytes = resident_bytes();
    resident_bytes_ = resident_now_bytes - std::min(resident_before_bytes, resident_now_bytes);
  }

  // What all together do and cost in the next `ms`.
  Found watch(std::uint64_t ms) {
    const std::vector<std::uint64_t> before = delivered();
    const std::uint64_t allocations_before = allocations();
    const std::uint64_t wall_before_ns = wall_ns();
    const std::uint64_t cpu_before_ns = cpu_ns();
    sleep_ms(ms);
    const std::uint64_t cpu_after_ns = cpu_ns();
    const std::uint64_t wall_after_ns = wall_ns();
    const std::uint64_t allocations_after = allocations();
    std::vector<std::uint64_t> done = delivered();
    std::uint64_t elements = 0;
    for (std::size_t i = 0; i < done.size(); ++i) {
      done[i] -= before[i];
      elements += done[i];
    }
    std::ranges::sort(done);
    const std::uint64_t mean = elements / done.size();
    const auto outside =
        std::ranges::count_if(done, [mean](std::uint64_t one) { return one * 10 < mean * 9 || one * 10 > mean * 11; });
    // The share that one flow in a hundred does not reach, and the one that one in a hundred has more of.
    const std::size_t hundredth = done.size() / 100;
    return {{"flows", flows_.size()},
            {"elements", elements},
            {"least", done.front()},
            {"p1", done[hundredth]},
            {"p99", done[done.size() - 1 - hundredth]},
            {"most", done.back()},
            {"outside", static_cast<std::uint64_t>(outside)},
            {"wall_ns", wall_after_ns - wall_before_ns},
            {"cpu_ns", cpu_after_ns - cpu_before_ns},
            {"host_allocations", allocations_after - allocations_before},
            {"prepare_ns", prepare_ns_},
            {"start_ns", start_ns_},
            {"resident_bytes", resident_bytes_}};
  }

  // Ends them in good order. Gives the number of elements that were pulled and not delivered.
  std::uint64_t end() {
    for (const auto& one : flows_) one->request_stop(host::StopReason::interrupt);
    std::uint64_t lost = 0;
    for (const auto& one : flows_) {
      const observability::FlowReport report = stop(*one);
      lost += report.fates.pulled - report.fates[observability::Fate::delivered];
    }
    return lost;
  }

 private:
  std::vector<std::uint64_t> delivered() const {
    std::vector<std::uint64_t> counts;
    counts.reserve(flows_.size());
    for (const auto& one : flows_) counts.push_back(one->progress().delivered);
    return counts;
  }

  std::vector<std::unique_ptr<host::FlowRun>> flows_;
  std::uint64_t prepare_ns_ = 0;
  std::uint64_t start_ns_ = 0;
  std::uint64_t resident_bytes_ = 0;
};

}  // namespace

// `flows` flows generate → upper-batch → null, as fast as they go, watched for `ms`.
Found flows_case(Task& task) {
  const std::unique_ptr<host::Host> host = make_host(task);
  Crowd crowd(*host, chain_through("components/upper-batch.wasm", {{"size", "16"}}), task.settings.number("flows", 2));
  sleep_ms(task.settings.number("warm_ms", 500));
  Found found = crowd.watch(task.settings.number("ms", 4'000));
  found.emplace_back("lost", crowd.end());
  return found;
}

// `flows` flows generate → upper-batch → null whose sources have nothing to give for an hour, watched for `ms`.
Found idle_case(Task& task) {
  const std::unique_ptr<host::Host> host = make_host(task);
  Crowd crowd(*host, chain_through("components/upper-batch.wasm", {{"rate", "0.000277"}}),
              task.settings.number("flows", 10'000));
  sleep_ms(task.settings.number("warm_ms", 500));
  Found found = crowd.watch(task.settings.number("ms", 2'000));
  found.emplace_back("lost", crowd.end());
  return found;
}

// generate → slow, which computes for `us` microseconds over each of `count` elements, `instances` times side by side → null.
// generate → two stages that compute for `rounds` steps over each element → null; the second of them, where `parallel` is 1, beside its flow.
// Runs of 64.
Found placement_case(Task& task) {
  const std::uint64_t count = task.settings.number("count", 50'000);
  const std::string rounds = std::to_string(task.settings.number("rounds", 100));
  config::FlowConfig flow;
  flow.name = "bench";
  add_node(flow, "builtin:generate", {{"size", "16"}});
  for (const bool second : {false, true}) {
    const std::size_t work = add_node(flow, "tests/components/work.wasm");
    flow.nodes[work].config = "{\"rounds\":\"" + rounds + "\"}";
    if (second && task.settings.number("parallel", 0) != 0) flow.nodes[work].placement = config::Placement::parallel;
  }
  add_node(flow, "builtin:null");
  const std::unique_ptr<host::Host> host = make_host(task);
  run_flow(*host, flow, {.elements_max = 64});  // what happens once in a process
  const FlowCost few = run_flow(*host, flow, {.elements_max = 6'400});
  const FlowCost many = run_flow(*host, flow, {.elements_max = 6'400 + count});
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  return difference(many, few);
}

Found instances_case(Task& task) {
  const std::uint64_t count = task.settings.number("count", 50'000);
  config::FlowConfig flow = chain_through("tests/hostile/slow.wasm", {});
  flow.nodes[middle].config = "{\"us\":\"" + std::to_string(task.settings.number("us", 20)) + "\"}";
  flow.nodes[middle].instances = static_cast<std::uint32_t>(task.settings.number("instances", 1));
  const std::unique_ptr<host::Host> host = make_host(task);
  run_flow(*host, flow, {.elements_max = 64});  // what happens once in a process
  const FlowCost few = run_flow(*host, flow, {.elements_max = 640});
  const FlowCost many = run_flow(*host, flow, {.elements_max = 640 + count});
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  return difference(many, few);
}

}  // namespace torvyn::bench
