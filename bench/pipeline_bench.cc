// One measurement of a pipeline of components, through the same calls as any program that embeds Torvyn.
//
//   torvyn_pipeline_bench SIZE WARM COUNT MAX_BATCH SOURCE.wasm [PROCESSOR.wasm…] SINK.wasm
//
// Runs flows of WARM elements of SIZE bytes, WARM and WARM + COUNT, and prints the difference of the last two as one line of JSON: what
// COUNT elements cost once all is compiled, instantiated and warm.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "torvyn/engine/engine.h"
#include "torvyn/host/host.h"

namespace {
// Of the whole process but the engine, which counts its own.
std::uint64_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace torvyn {
namespace {

struct Cost {
  std::uint64_t elements = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t host_allocations = 0;
  std::uint64_t engine_allocations = 0;
  std::uint64_t copies = 0;
  std::uint64_t copied_bytes = 0;
};

std::uint64_t now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "torvyn_pipeline_bench: %s\n", why.c_str());
  std::exit(1);
}

std::uint64_t number(const char* text) {
  const std::string_view view = text;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size()) give_up("not a number: " + std::string(view));
  return value;
}

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

Cost run(host::Host& host, const config::FlowConfig& flow) {
  auto prepared = host.prepare(flow, {});
  if (!prepared) give_up(prepared.error().to_string());
  const std::uint64_t allocations_before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
  const std::uint64_t engine_before = engine::engine_allocations();
  const std::uint64_t wall_before = now_ns(CLOCK_MONOTONIC);
  const std::uint64_t cpu_before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  const observability::FlowReport report = (*prepared)->run();
  Cost cost{
      .elements = report.fates[observability::Fate::delivered],
      .wall_ns = now_ns(CLOCK_MONOTONIC) - wall_before,
      .cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before,
      .host_allocations = __atomic_load_n(&allocations, __ATOMIC_RELAXED) - allocations_before,
      .engine_allocations = engine::engine_allocations() - engine_before,
      .copies = report.copies_total().copies,
      .copied_bytes = report.copies_total().bytes,
  };
  if (report.error) give_up(report.error->to_string());
  return cost;
}

int measure(int argc, char** argv) {
  if (argc < 7)
    give_up("usage: torvyn_pipeline_bench SIZE WARM COUNT MAX_BATCH SOURCE.wasm [PROCESSOR.wasm...] SINK.wasm");
  const std::uint64_t size = number(argv[1]);
  const std::uint64_t warm = number(argv[2]);
  const std::uint64_t count = number(argv[3]);
  const std::vector<std::string> components(argv + 5, argv + argc);

  NullEventSink events;
  host::HostOptions options;
  options.events = &events;
  options.runtime.max_batch = static_cast<std::uint32_t>(number(argv[4]));
  auto host = host::Host::create(options);
  if (!host) give_up(host.error().to_string());

  run(**host, chain_of(components, warm, size));  // what happens once in a process
  const Cost few = run(**host, chain_of(components, warm, size));
  const Cost many = run(**host, chain_of(components, warm + count, size));
  if (many.elements - few.elements != count) give_up("not all elements arrived");
  const auto print = [&](const char* before, const char* name, std::uint64_t Cost::* field) {
    std::printf("%s\"%s\":%lld", before, name,
                static_cast<long long>(many.*field) - static_cast<long long>(few.*field));
  };
  print("{", "elements", &Cost::elements);
  print(",", "wall_ns", &Cost::wall_ns);
  print(",", "cpu_ns", &Cost::cpu_ns);
  print(",", "host_allocations", &Cost::host_allocations);
  print(",", "engine_allocations", &Cost::engine_allocations);
  print(",", "copies", &Cost::copies);
  print(",", "copied_bytes", &Cost::copied_bytes);
  std::puts("}");
  return 0;
}

}  // namespace
}  // namespace torvyn

int main(int argc, char** argv) { return torvyn::measure(argc, argv); }
