// What an element costs in a graph of components.
#include "bench/graph_cases.h"

namespace torvyn::bench {

// generate → `processors` uppers → `sinks` sinks of the kind `sink` (null or count), the uppers one after the other or, where
// `side_by_side` is 1, next to each other between source and sink. `batch` is 1 for the batch forms. Elements are of `size` bytes, `warm` of
// them to get warm and `count` that are counted.
Found cost_case(Task& task) {
  Settings& settings = task.settings;
  const std::uint64_t processors = settings.number("processors", 1);
  const std::uint64_t sinks = settings.number("sinks", 1);
  const bool side_by_side = settings.number("side_by_side", 0) != 0;
  const std::string ending = settings.number("batch", 1) != 0 ? "-batch.wasm" : ".wasm";
  const std::string sink = settings.text("sink", "null") == "null" ? "builtin:null" : "components/count-sink" + ending;
  const std::uint64_t size = settings.number("size", 16);
  const std::uint64_t warm = settings.number("warm", 640);
  const std::uint64_t count = settings.number("count", 64'000);

  config::FlowConfig flow;
  flow.name = "bench";
  const std::size_t source = add_node(flow, "builtin:generate", {{"size", std::to_string(size)}});
  std::vector<std::size_t> last{source};
  for (std::uint64_t i = 0; i < processors; ++i) {
    const std::size_t upper = add_node(flow, "components/upper" + ending);
    add_edge(flow, side_by_side ? source : last.back(), upper);
    if (i == 0 || !side_by_side) last.clear();
    last.push_back(upper);
  }
  for (std::uint64_t i = 0; i < sinks; ++i) {
    const std::size_t end = add_node(flow, sink);
    for (const std::size_t from : last) add_edge(flow, from, end);
  }

  const std::unique_ptr<host::Host> host = make_host(task);
  run_flow(*host, flow, {.elements_max = warm});  // what happens once in a process
  const FlowCost few = run_flow(*host, flow, {.elements_max = warm});
  const FlowCost many = run_flow(*host, flow, {.elements_max = warm + count});
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  return difference(many, few);
}

}  // namespace torvyn::bench
