// What handing an element on costs, without components: the driver and fake stages alone.
#include "bench/graph_cases.h"

#include "torvyn/reactor/fake_stages.h"
#include "torvyn/reactor/flow_driver.h"

namespace torvyn::bench {
namespace {

using contracts::Role;

enum class Way : std::uint8_t {
  direct,  // a whole run, by exchanging two vectors
  queued,  // one by one into the stream, as where a stage has several ways out
  single,  // streams of depth 1: each element is a run of its own
};

Way way_of(const std::string& name) {
  if (name == "direct") return Way::direct;
  if (name == "queued") return Way::queued;
  if (name == "single") return Way::single;
  give_up("way is direct, queued or single, not " + name);
}

class Chain {
 public:
  Chain(Way way, std::uint64_t stages) : way_(way), stages_(stages) {
    auto pool = resources::BufferPool::create({});
    if (!pool) give_up(pool.error().to_string());
    pool_ = *std::move(pool);
  }

  FlowCost run(std::uint64_t elements) {
    reactor::Interrupt interrupt;
    reactor::FlowDriver driver(plan(elements), SystemClock::instance(), interrupt);
    const std::uint64_t allocations_before = allocations();
    const std::uint64_t wall_before_ns = wall_ns();
    const std::uint64_t cpu_before_ns = cpu_ns();
    const observability::FlowReport report = driver.run();
    FlowCost cost{.elements = report.fates[observability::Fate::delivered],
                  .wall_ns = wall_ns() - wall_before_ns,
                  .cpu_ns = cpu_ns() - cpu_before_ns,
                  .host_allocations = allocations() - allocations_before};
    for (const observability::StreamReport& stream : report.streams) cost.hand_overs += stream.transferred;
    return cost;
  }

 private:
  reactor::FlowPlan plan(std::uint64_t elements) {
    reactor::FlowPlan plan;
    plan.name = "hop";
    const auto add = [&plan](std::unique_ptr<reactor::Stage> stage, Role role) {
      plan.stages.push_back({.stage = std::move(stage), .role = role});
      return plan.stages.size() - 1;
    };
    const auto join = [&](std::size_t from, std::size_t to, std::uint16_t port) {
      plan.edges.push_back({.from = from, .to = to, .port = port});
      if (way_ == Way::single) plan.edges.back().bounds.depth = 1;
    };
    std::size_t last = add(
        std::make_unique<reactor::FakeSource>(reactor::FakeSourceOptions{.pool = pool_.get(), .elements = elements}),
        Role::source);
    for (std::uint64_t i = 0; i < stages_; ++i) {
      const std::size_t stage = add(std::make_unique<reactor::FakeStage>(reactor::FakeStageOptions{}),
                                    way_ == Way::queued ? Role::router : Role::processor);
      join(last, stage, 0);
      last = stage;
    }
    join(last, add(make_sink(), Role::sink), 0);
    if (way_ == Way::queued) {
      // A second way out, which nothing takes: the first is not the only one any more.
      const std::size_t unused = add(make_sink(), Role::sink);
      for (std::size_t stage = 1; stage <= stages_; ++stage) {
        plan.stages[stage].ports = {"output", "unused"};
        join(stage, unused, 1);
      }
    }
    return plan;
  }

  static std::unique_ptr<reactor::Stage> make_sink() {
    return std::make_unique<reactor::FakeSink>(reactor::FakeSinkOptions{.keep = false});
  }

  Way way_;
  std::uint64_t stages_;
  std::unique_ptr<resources::BufferPool> pool_;
};

}  // namespace

// Source → `stages` stages that pass on → sink, where elements go from each stage to the next by the `way` direct, queued or single.
Found hop_case(Task& task) {
  Chain chain(way_of(task.settings.text("way", "direct")), task.settings.number("stages", 9));
  const std::uint64_t warm = task.settings.number("warm", 6'400);
  const std::uint64_t count = task.settings.number("count", 640'000);
  chain.run(warm);  // what happens once in a process
  const FlowCost few = chain.run(warm);
  const FlowCost many = chain.run(warm + count);
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  return difference(many, few);
}

}  // namespace torvyn::bench
