// What the programs of this folder share: clocks, counters, and how they say what they found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/host/host.h"

namespace torvyn::bench {

std::uint64_t wall_ns() noexcept;  // monotonic
std::uint64_t cpu_ns() noexcept;   // of the whole process

// Calls of operator new so far, on all threads. What the engine allocates is not among them: it counts its own.
std::uint64_t allocations() noexcept;

// Ends the process with status 1 and says why.
[[noreturn]] void give_up(std::string_view why);

// Gives up where it is none.
std::uint64_t whole_number(std::string_view text);

// The value that the share `q` of them is at or below. Requires: some.
std::uint64_t quantile(std::vector<std::uint64_t> values, double q);

// Named numbers.
using Found = std::vector<std::pair<std::string, std::int64_t>>;
// As one line of JSON on standard output.
void print(const Found& found);

// What a whole flow took and cost.
struct FlowCost {
  std::uint64_t elements = 0;    // delivered
  std::uint64_t hand_overs = 0;  // elements that went through a stream, all streams together
  std::uint64_t wall_ns = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t host_allocations = 0;
  std::uint64_t engine_allocations = 0;
  std::uint64_t copies = 0;
  std::uint64_t copied_bytes = 0;
};

// Runs a flow to its end on the calling thread; gives up where it fails.
FlowCost run_flow(host::Host& host, const config::FlowConfig& flow, const host::RunLimits& limits);

// What the elements cost that `many` had more than `few`: nothing of what a flow costs once is in it.
Found difference(const FlowCost& many, const FlowCost& few);

}  // namespace torvyn::bench
