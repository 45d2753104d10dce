// One measurement of graphs, of many flows, or of what is done to a flow while it runs, through the same calls as any program that embeds
// Torvyn.
//
//   torvyn_graph_bench BUILD_FOLDER CASE [SETTING=VALUE…]
//
// Prints what it found as one line of JSON. bench/graphs runs it; what the cases and their settings are stands above their functions.
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "bench/graph_cases.h"

namespace torvyn::bench {

Settings::Settings(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos) give_up("not a setting: " + word);
    settings_[word.substr(0, sign)] = {.value = word.substr(sign + 1)};
  }
}

std::string Settings::text(const std::string& name, const std::string& otherwise) {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return otherwise;
  found->second.read = true;
  return found->second.value;
}

std::uint64_t Settings::number(const std::string& name, std::uint64_t otherwise) {
  return whole_number(text(name, std::to_string(otherwise)));
}

void Settings::expect_all_read() const {
  for (const auto& [name, setting] : settings_)
    if (!setting.read) give_up("this case has no setting " + name);
}

std::unique_ptr<host::Host> make_host(Task& task, std::uint32_t max_batch) {
  static NullEventSink events;
  host::HostOptions options;
  options.events = &events;
  options.base_directory = task.build;
  options.cache_directory = task.build / "bench" / "compiled";
  options.runtime.max_batch = max_batch;
  options.runtime.worker_threads = static_cast<std::uint32_t>(task.settings.number("workers", 0));
  if (task.settings.text("level", "production") == "off") options.level = config::ObservabilityLevel::off;
  auto host = host::Host::create(options);
  if (!host) give_up(host.error().to_string());
  return *std::move(host);
}

std::size_t add_node(config::FlowConfig& flow, std::string component,
                     std::vector<std::pair<std::string, std::string>> settings) {
  config::NodeConfig& node = flow.nodes.emplace_back();
  node.name = "node" + std::to_string(flow.nodes.size());
  node.component = std::move(component);
  for (const auto& [name, value] : settings) {
    node.config += node.config.empty() ? "{" : ",";
    node.config += "\"" + name + "\":\"" + value + "\"";
  }
  if (!node.config.empty()) node.config += "}";
  node.settings = std::move(settings);
  return flow.nodes.size() - 1;
}

void add_edge(config::FlowConfig& flow, std::size_t from, std::size_t to) {
  config::EdgeConfig& edge = flow.edges.emplace_back();
  edge.from_node = flow.nodes[from].name;
  edge.to_node = flow.nodes[to].name;
}

config::FlowConfig chain_through(const std::string& component,
                                 std::vector<std::pair<std::string, std::string>> source_settings) {
  config::FlowConfig flow;
  flow.name = "bench";
  add_node(flow, "builtin:generate", std::move(source_settings));
  if (!component.empty()) add_node(flow, component);
  add_node(flow, "builtin:null");
  return flow;
}

std::unique_ptr<host::FlowRun> prepare(host::Host& host, const config::FlowConfig& flow) {
  auto run = host.prepare(flow, {});
  if (!run) give_up(run.error().to_string());
  return *std::move(run);
}

void start(host::FlowRun& run) {
  if (const Status started = run.start(); !started) give_up(started.error().to_string());
}

void wait_for_first(host::FlowRun& run) {
  constexpr std::uint64_t patience_ns = 30 * config::s_in_ns;
  const std::uint64_t began_ns = wall_ns();
  while (run.progress().pulled == 0) {
    sleep_ms(1);
    if (wall_ns() - began_ns < patience_ns) continue;
    stop(run);  // it may have failed, and says why
    give_up("a flow has pulled nothing for half a minute");
  }
}

observability::FlowReport stop(host::FlowRun& run) {
  run.request_stop(host::StopReason::interrupt);
  observability::FlowReport report = run.wait();
  if (report.error) give_up(report.error->to_string());
  return report;
}

void sleep_ms(std::uint64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

namespace {

struct Case {
  std::string_view name;
  Found (*run)(Task&);
};

constexpr std::array cases{
    Case{"cost", cost_case},
    Case{"hop", hop_case},
    Case{"flows", flows_case},
    Case{"idle", idle_case},
    Case{"instances", instances_case},
    Case{"placement", placement_case},
    Case{"swap", swap_case},
    Case{"cancel", cancel_case},
    Case{"neighbours", neighbours_case},
    Case{"bandwidth", bandwidth_case},
    Case{"memcpy", memcpy_case},
    Case{"start", start_case},
};

int measure(const std::vector<std::string>& words) {
  if (words.size() < 3) give_up("usage: torvyn_graph_bench BUILD_FOLDER CASE [SETTING=VALUE...]");
  for (const Case& one : cases) {
    if (one.name != words[2]) continue;
    Task task{.build = words[1], .settings = Settings({words.begin() + 3, words.end()})};
    const Found found = one.run(task);
    task.settings.expect_all_read();
    print(found);
    return 0;
  }
  give_up("no such case: " + words[2]);
}

}  // namespace
}  // namespace torvyn::bench

int main(int argc, char** argv) { return torvyn::bench::measure({argv, argv + argc}); }
