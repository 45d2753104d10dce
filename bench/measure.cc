#include "bench/measure.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include "torvyn/engine/engine.h"

namespace {
std::uint64_t allocation_count = 0;
}  // namespace

// Not inlined, or GCC sees malloc meet delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace torvyn::bench {
namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::uint64_t wall_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t cpu_ns() noexcept { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
std::uint64_t allocations() noexcept { return __atomic_load_n(&allocation_count, __ATOMIC_RELAXED); }

void give_up(std::string_view why) {
  std::fprintf(stderr, "%s: %.*s\n", program_invocation_short_name, static_cast<int>(why.size()), why.data());
  std::exit(1);
}

std::uint64_t whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) give_up("not a whole number: " + std::string(text));
  return value;
}

std::uint64_t quantile(std::vector<std::uint64_t> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

void print(const Found& found) {
  const char* before = "{";
  for (const auto& [name, value] : found) {
    std::printf("%s\"%s\":%lld", before, name.c_str(), static_cast<long long>(value));
    before = ",";
  }
  std::puts("}");
}

FlowCost run_flow(host::Host& host, const config::FlowConfig& flow, const host::RunLimits& limits) {
  auto prepared = host.prepare(flow, limits);
  if (!prepared) give_up(prepared.error().to_string());
  const std::uint64_t allocations_before = allocations();
  const std::uint64_t engine_before = engine::engine_allocations();
  const std::uint64_t wall_before_ns = wall_ns();
  const std::uint64_t cpu_before_ns = cpu_ns();
  const observability::FlowReport report = (*prepared)->run();
  FlowCost cost{
      .elements = report.fates[observability::Fate::delivered],
      .wall_ns = wall_ns() - wall_before_ns,
      .cpu_ns = cpu_ns() - cpu_before_ns,
      .host_allocations = allocations() - allocations_before,
      .engine_allocations = engine::engine_allocations() - engine_before,
      .copies = report.copies_total().copies,
      .copied_bytes = report.copies_total().bytes,
  };
  if (report.error) give_up(report.error->to_string());
  for (const observability::StreamReport& stream : report.streams) cost.hand_overs += stream.transferred;
  return cost;
}

Found difference(const FlowCost& many, const FlowCost& few) {
  Found found;
  const auto add = [&](const char* name, std::uint64_t FlowCost::* field) {
    found.emplace_back(name, static_cast<std::int64_t>(many.*field) - static_cast<std::int64_t>(few.*field));
  };
  add("elements", &FlowCost::elements);
  add("hand_overs", &FlowCost::hand_overs);
  add("wall_ns", &FlowCost::wall_ns);
  add("cpu_ns", &FlowCost::cpu_ns);
  add("host_allocations", &FlowCost::host_allocations);
  add("engine_allocations", &FlowCost::engine_allocations);
  add("copies", &FlowCost::copies);
  add("copied_bytes", &FlowCost::copied_bytes);
  return found;
}

}  // namespace torvyn::bench
