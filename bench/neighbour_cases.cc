// A healthy flow beside hostile ones, on the same workers.
#include <algorithm>
#include <limits>
#include <mutex>
#include <sstream>
#include <thread>

#include "bench/graph_cases.h"

namespace torvyn::bench {
namespace {

// `name` may end in a `max_cpu`: "slow@0.1".
config::FlowConfig hostile_flow(const std::string& name) {
  const std::size_t at = name.find('@');
  config::FlowConfig flow = chain_through("tests/hostile/" + name.substr(0, at) + ".wasm", {{"count", "20000"}});
  config::NodeConfig& node = flow.nodes[middle];
  if (at != std::string::npos) node.max_cpu = std::stod(name.substr(at + 1));
  node.on_error = {.invalid_input = config::ErrorAction::skip,
                   .unavailable = config::ErrorAction::skip,
                   .internal = config::ErrorAction::skip,
                   .deadline_exceeded = config::ErrorAction::skip,
                   .exhausted = config::ErrorAction::skip};
  node.on_trap = config::TrapAction::restart;
  node.restarts = std::numeric_limits<std::uint32_t>::max();
  return flow;
}

// A hostile flow that begins again whenever it ends: most of these components misbehave once in a flow.
class Neighbour {
 public:
  Neighbour(host::Host& host, const std::string& name)
      : host_(host), flow_(hostile_flow(name)), thread_([this] { live(); }) {}

  void end() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
      if (run_ != nullptr) run_->cancel();
    }
    thread_.join();
  }
  // Once it has ended: elements it pulled, and how often it reported an error or trapped.
  std::uint64_t pulled() const noexcept { return pulled_; }
  std::uint64_t errors() const noexcept { return errors_; }

 private:
  void live() {
    for (;;) {
      const std::unique_ptr<host::FlowRun> run = prepare(host_, flow_);
      {
        const std::scoped_lock lock(mutex_);
        if (ended_) return;
        start(*run);
        run_ = run.get();
      }
      const observability::FlowReport report = run->wait();
      pulled_ += report.fates.pulled;
      errors_ += report.errors();
      const std::scoped_lock lock(mutex_);
      run_ = nullptr;
    }
  }

  host::Host& host_;
  config::FlowConfig flow_;
  std::mutex mutex_;
  host::FlowRun* run_ = nullptr;
  bool ended_ = false;
  std::uint64_t pulled_ = 0;
  std::uint64_t errors_ = 0;
  std::thread thread_;
};

std::vector<std::string> split(const std::string& names) {
  std::vector<std::string> all;
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');) all.push_back(name);
  return all;
}

}  // namespace

// generate, `rate` elements a second → upper → null for `ms`, beside a flow of each of the hostile components in `beside`, with commas between.
//
// A flow that gets no turn pulls nothing, and what is not pulled has no latency. So the flow is looked at from outside too: how far what it
// has delivered is behind what its rate asks, each millisecond.
Found neighbours_case(Task& task) {
  const std::uint64_t rate = task.settings.number("rate", 20'000);
  const std::uint64_t ms = task.settings.number("ms", 4'000);
  const std::vector<std::string> names = split(task.settings.text("beside", ""));
  const std::unique_ptr<host::Host> host = make_host(task);
  std::vector<std::unique_ptr<Neighbour>> neighbours;
  for (const std::string& name : names) neighbours.push_back(std::make_unique<Neighbour>(*host, name));

  const std::unique_ptr<host::FlowRun> healthy =
      prepare(*host, chain_through("components/upper.wasm", {{"size", "16"}, {"rate", std::to_string(rate)}}));
  start(*healthy);
  wait_for_first(*healthy);
  std::vector<std::int64_t> lags_ns;
  const std::uint64_t began_ns = wall_ns();
  std::uint64_t delivered = 0;
  for (std::uint64_t now_ns = began_ns; now_ns - began_ns < ms * config::ms_in_ns; now_ns = wall_ns()) {
    delivered = healthy->progress().delivered;
    const double asked_ns = static_cast<double>(delivered) / static_cast<double>(rate) * 1e9;
    lags_ns.push_back(static_cast<std::int64_t>(now_ns - began_ns) - static_cast<std::int64_t>(asked_ns));
    sleep_ms(1);
  }
  const std::uint64_t took_ns = wall_ns() - began_ns;
  // It began a little before it was looked at: the least lag is none.
  const std::int64_t least_ns = std::ranges::min(lags_ns);
  std::vector<std::uint64_t> lags;
  for (const std::int64_t lag_ns : lags_ns) lags.push_back(static_cast<std::uint64_t>(lag_ns - least_ns));

  const observability::FlowReport report = stop(*healthy);
  std::uint64_t neighbours_pulled = 0;
  std::uint64_t neighbours_errors = 0;
  for (const auto& one : neighbours) {
    one->end();
    neighbours_pulled += one->pulled();
    neighbours_errors += one->errors();
  }
  return {{"p50_ns", report.p50_ns},
          {"p99_ns", report.p99_ns},
          {"lag_p50_ns", quantile(lags, 0.5)},
          {"lag_p99_ns", quantile(lags, 0.99)},
          {"lag_max_ns", std::ranges::max(lags)},
          {"delivered", delivered},
          {"asked", rate * took_ns / config::s_in_ns},
          {"lost", report.fates.pulled - report.fates[observability::Fate::delivered]},
          {"neighbours_pulled", neighbours_pulled},
          {"neighbours_errors", neighbours_errors}};
}

}  // namespace torvyn::bench
