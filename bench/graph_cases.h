// What the cases of graph_bench have in common, and the cases. Each is one measurement in a process of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"

#include "torvyn/config/flow_config.h"
#include "torvyn/host/host.h"

namespace torvyn::bench {

// `key=value` words of the command line. Gives up about what it cannot read.
class Settings {
 public:
  explicit Settings(const std::vector<std::string>& words);

  std::uint64_t number(const std::string& name, std::uint64_t otherwise);
  std::string text(const std::string& name, const std::string& otherwise);

  // Gives up where there is one that was never asked for.
  void expect_all_read() const;

 private:
  struct Setting {
    std::string value;
    bool read = false;
  };
  std::map<std::string, Setting> settings_;
};

// The build folder, whose components the flows are made of, and the case's settings.
struct Task {
  std::filesystem::path build;
  Settings settings;
};

// Compiled code is kept in the build folder: a thousand flows load their components one by one. The settings `workers` (0: as many as cores) and
// `level`, of observability (production), are read here.
std::unique_ptr<host::Host> make_host(Task& task, std::uint32_t max_batch = 64);

// Adds a node and gives its index. Components are named from the build folder: "components/upper.wasm".
std::size_t add_node(config::FlowConfig& flow, std::string component,
                     std::vector<std::pair<std::string, std::string>> settings = {});
void add_edge(config::FlowConfig& flow, std::size_t from, std::size_t to);

// generate → component → null; without a component, generate → null. No edges: a chain.
config::FlowConfig chain_through(const std::string& component,
                                 std::vector<std::pair<std::string, std::string>> source_settings);
inline constexpr std::size_t middle = 1;  // the component's index in it

// Gives up where they fail.
std::unique_ptr<host::FlowRun> prepare(host::Host& host, const config::FlowConfig& flow);
void start(host::FlowRun& run);
// Waits until `run`, which was started, has pulled something; gives up after half a minute.
void wait_for_first(host::FlowRun& run);
// Stops it in good order; gives up where it failed.
observability::FlowReport stop(host::FlowRun& run);

void sleep_ms(std::uint64_t ms);

Found cost_case(Task& task);
Found hop_case(Task& task);
Found flows_case(Task& task);
Found idle_case(Task& task);
Found instances_case(Task& task);
Found placement_case(Task& task);
Found swap_case(Task& task);
Found cancel_case(Task& task);
Found neighbours_case(Task& task);
Found bandwidth_case(Task& task);
Found memcpy_case(Task& task);
Found start_case(Task& task);

}  // namespace torvyn::bench
