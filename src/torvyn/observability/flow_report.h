// What a flow did, as data: the closing table, the JSON report and the metrics are drawn from this.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/observability/histogram.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/copy_ledger.h"
#include "torvyn/security/capability_count.h"
#include "torvyn/types/error.h"

namespace torvyn::observability {

// Every pulled element meets exactly one of these. In order of weight: where an element became several, the heaviest fate of its branches
// counts.
enum class Fate : std::uint8_t {
  filtered,       // a processor, filter or router let nothing of it through
  absorbed,       // it is inside an aggregator's output
  delivered,      // a sink took it
  skipped,        // its stage reported an error, and on_error is "skip"
  cancelled,      // the flow ended before its turn
  dropped,        // a full stream let it go
  dead_lettered,  // it went to the dead-letter node
  failed,         // it ended the flow, or nobody knows what became of it
};
inline constexpr int fate_count = 8;
std::string_view fate_name(Fate fate) noexcept;

struct FateCounts {
  std::uint64_t pulled = 0;
  std::array<std::uint64_t, fate_count> fates{};
  std::uint64_t created = 0;  // elements that aggregators made: not among the pulled

  std::uint64_t operator[](Fate fate) const noexcept { return fates[static_cast<std::size_t>(fate)]; }
  // The sum over all fates: equals `pulled` when the flow has ended.
  std::uint64_t accounted() const noexcept;
};

// How a flow ended, or that it hasn't.
enum class FlowState : std::uint8_t {
  running,
  completed,    // end of the stream
  limited,      // --limit or --timeout; orderly
  closed,       // whoever read the output went away; orderly
  interrupted,  // asked to stop from outside; orderly
  failed,
  cancelled,  // ended from outside, at once
};
std::string_view flow_state_name(FlowState state) noexcept;

struct StageReport {
  std::string node;
  std::string component;  // "builtin:file", or the path of the component
  std::string role;
  std::string path;      // "direct", "typed", "builtin", or "native": a function of the program
  std::string contract;  // "element", "batch"; empty for built-in stages
  std::uint64_t elements_in = 0;
  std::uint64_t elements_out = 0;
  std::uint64_t errors = 0;  // process-errors and traps
  std::uint64_t restarts = 0;
  std::uint64_t swaps = 0;          // times another component took over
  std::uint64_t swap_pause_ns = 0;  // for which it was not called, the longest
  // At least so many: those of the call that gave something last are not among them, since nobody knows which of them it gave.
  std::uint64_t state_lost = 0;  // elements an aggregator had absorbed, and given nothing for, when its instance ended
  std::uint64_t rests = 0;       // times `max_cpu` was used up
  std::uint64_t rested_ns = 0;   // for so long it was then not called, or would not have been; instances added up
  std::uint32_t instances = 1;   // side by side
  bool parallel = false;         // called by workers beside the one that drives its flow
  resources::CopyCounts copies{};
  security::CapabilityCounts capabilities = {};  // what its component used, and was refused
  std::uint64_t time_ns = 0;                     // inside the stage, waiting of built-in stages included
  std::uint64_t p50_ns = 0;  // an element; the time of a run of n elements counts as n times its nth part
  std::uint64_t p99_ns = 0;
  LatencyCounts latency = {};
  std::uint64_t memory_bytes = 0;  // guest memory at the end

  resources::CopyCount copies_total() const noexcept;
};

struct StreamReport {
  std::string from;  // "node.port"
  std::string to;
  std::uint64_t transferred = 0;
  std::uint64_t dropped = 0;              // let go because it was full
  std::uint64_t depth = 0;                // elements in it
  std::uint64_t depth_max = 0;            // elements it held at most
  std::uint64_t backpressure_events = 0;  // times it was full, or its receiver under pressure
  std::uint64_t backpressure_ns = 0;      // for so long
};

struct FlowReport {
  std::string name;
  FlowState state = FlowState::running;
  std::uint64_t duration_ns = 0;
  std::uint64_t cpu_ns = 0;    // of the threads that drove the flow and its parallel stages
  std::uint32_t restarts = 0;  // after failures; all but the percentiles is summed over them
  std::uint64_t p50_ns = 0;    // of an element, from its source to its delivery
  std::uint64_t p99_ns = 0;
  LatencyCounts latency = {};
  FateCounts fates;
  std::vector<StageReport> stages;  // in the order elements travel
  std::vector<StreamReport> streams;
  resources::PoolStats pools;
  std::optional<Error> error;      // why it failed
  std::vector<Error> skipped;      // the first few errors that were skipped
  std::vector<std::string> notes;  // "out.log.partial kept", "stopped by --limit 7"

  resources::CopyCount copies_total() const noexcept;
  std::uint64_t errors() const noexcept;
};

// What can be read of a flow while it runs. Thread: see FlowRun::progress.
struct FlowProgress {
  std::uint64_t pulled = 0;
  std::uint64_t delivered = 0;
  std::uint64_t errors = 0;
  std::uint64_t elapsed_ns = 0;
};

}  // namespace torvyn::observability
