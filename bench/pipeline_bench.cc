// One measurement of a pipeline of components, through the same calls as any program that embeds Torvyn.
//
//   torvyn_pipeline_bench [--counted CACHE] SIZE WARM COUNT MAX_BATCH SOURCE.wasm [PROCESSOR.wasm…] SINK.wasm
//
// With --counted it can be counted under valgrind: no pool of instances is reserved, which valgrind has no room for, and compiled code is kept
// in the folder CACHE, since the compiler never takes the same number of instructions twice.
//
// Runs flows of WARM elements of SIZE bytes, WARM and WARM + COUNT, and prints the difference of the last two as one line of JSON: what
// COUNT elements cost once all is compiled, instantiated and warm.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"

#include "torvyn/host/host.h"

namespace torvyn::bench {
namespace {

config::FlowConfig chain_of(const std::vector<std::string>& components, std::uint64_t count, std::uint64_t size) {
  config::FlowConfig flow;
  flow.name = "bench";
  for (const std::string& component : components) {
    config::NodeConfig& node = flow.nodes.emplace_back();
    node.name = "stage" + std::to_string(flow.nodes.size());
    node.component = component;
  }
  config::NodeConfig& source = flow.nodes.front();
  source.settings = {{"count", std::to_string(count)}, {"size", std::to_string(size)}};
  source.config = "{\"count\":" + std::to_string(count) + ",\"size\":" + std::to_string(size) + "}";
  return flow;
}

int measure(int argc, char** argv) {
  host::HostOptions options;
  if (argc > 2 && std::string_view(argv[1]) == "--counted") {
    options.runtime.max_instances = 0;
    options.cache_directory = argv[2];
    argc -= 2;
    argv += 2;
  }
  if (argc < 7)
    give_up(
        "usage: torvyn_pipeline_bench [--counted CACHE] SIZE WARM COUNT MAX_BATCH SOURCE.wasm [PROCESSOR.wasm...] "
        "SINK.wasm");
  const std::uint64_t size = whole_number(argv[1]);
  const std::uint64_t warm = whole_number(argv[2]);
  const std::uint64_t count = whole_number(argv[3]);
  const std::vector<std::string> components(argv + 5, argv + argc);

  NullEventSink events;
  options.events = &events;
  options.runtime.max_batch = static_cast<std::uint32_t>(whole_number(argv[4]));
  auto host = host::Host::create(options);
  if (!host) give_up(host.error().to_string());

  run_flow(**host, chain_of(components, warm, size), {});  // what happens once in a process
  const FlowCost few = run_flow(**host, chain_of(components, warm, size), {});
  const FlowCost many = run_flow(**host, chain_of(components, warm + count, size), {});
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  print(difference(many, few));
  return 0;
}

}  // namespace
}  // namespace torvyn::bench

int main(int argc, char** argv) { return torvyn::bench::measure(argc, argv); }
