// Flows drawn from a seed, in a world where dice decide all that is otherwise left to chance: how long things take, which thread is first,
// what goes wrong, what comes from outside. A seed is a whole history, the same one every time. For tests.
//
//   simulate(random_flow(7));  // aborts where the driver breaks a promise
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/contracts/worlds.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/flow_plan.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

// Numbers from a seed, the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t roll() noexcept;
  // Requires: `end` is not 0.
  std::uint64_t below(std::uint64_t end) noexcept {
    TORVYN_ASSERT(end != 0, "a roll between nothing and nothing");
    return roll() % end;
  }
  std::uint32_t from_to(std::uint32_t first, std::uint32_t last) noexcept {
    return first + static_cast<std::uint32_t>(below(std::uint64_t{last} - first + 1));
  }
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }
  // Rolls whatever the rate is: where one habit is left out, the others stay what they were.
  bool per_mille(std::uint32_t rate) noexcept { return below(1000) < rate; }
  template <class T>
  T one_of(std::initializer_list<T> choices) noexcept {
    return choices.begin()[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

// What a stage is given to: how often, of a thousand times it could.
struct Habits {
  std::uint32_t slow = 0;     // a call takes time
  std::uint32_t nothing = 0;  // sources: there is nothing yet
  std::uint32_t error = 0;    // a process-error, at an element or before one is pulled
  std::uint32_t fatal = 0;    // of a kind that ends the flow
  std::uint32_t trap = 0;     // the instance ends
  std::uint32_t again = 0;    // at the element that met an error or a trap the time before
  std::uint32_t drop = 0;     // nothing comes of an element
  std::uint32_t expand = 0;   // several elements do, which share its payload
  std::uint32_t trim = 0;     // the output is a part of the payload
  std::uint32_t rest = 0;     // a call used up its share of the CPU
  std::uint32_t pause = 0;    // sinks: take an element and ask for a pause
  std::uint32_t refuse = 0;   // sinks: ask for a pause before it
  std::uint32_t close = 0;    // sinks: whoever reads the output went away
  std::uint32_t start_fails = 0;
  std::uint32_t restart_fails = 0;
  std::uint32_t flush_fails = 0;
  std::uint32_t complete_fails = 0;

  // Breaches of the contract, never drawn: they stand in for a driver with a bug, to see that it is found.
  std::uint32_t misorders = 0;      // neighbours leave in the wrong order
  std::uint32_t keeps_payload = 0;  // a payload is held beyond the end
};

struct SimNode {
  contracts::Role role = contracts::Role::processor;
  std::uint64_t seed = 0;       // of the dice of its stages
  std::uint32_t instances = 1;  // side by side
  bool parallel = false;        // beside its flow, though it is alone
  std::uint32_t ports = 1;      // but for the dead-letter port, which comes after them; sinks have none
  bool dead_letters = false;    // has a dead-letter port
  bool whole_runs = false;      // as batch components: a trap is charged to all of a call, and voids its outputs
  FailurePolicy failure = {};
  std::uint32_t elements = 0;           // sources: before the end of the stream
  std::uint32_t payload_bytes_max = 0;  // sources: beyond what names the element
  std::uint32_t group = 0;              // aggregators: elements that become one
  std::uint32_t run_max = 64;           // sources and aggregators: most elements of one pull or flush
  bool wants_acks = false;              // sources
  Habits habits = {};

  bool on_other_threads() const noexcept { return parallel || instances > 1; }
};

// Somebody asks for other stages in a node's place.
struct SimSwap {
  std::uint64_t at = 0;  // the moment
  std::size_t node = 0;
  bool flush = false;
};

// A flow and what happens to it. A moment is counted in turns and calls of stages.
struct SimFlow {
  std::uint64_t seed = 0;  // of the world: the order of things on different threads
  std::vector<SimNode> nodes;
  std::vector<PlannedEdge> edges;
  std::uint32_t max_batch = 64;
  std::uint64_t max_batch_bytes = std::uint64_t{1} << 20;
  std::optional<std::uint64_t> elements_max = {};
  std::optional<std::uint64_t> errors_max = {};
  std::optional<std::uint64_t> deadline_ns = {};
  std::optional<std::uint64_t> timeout_ns = {};
  bool letters_say_why = false;  // dead letters do, in their content type

  std::uint32_t quantum_elements = 4096;  // most elements of a turn
  std::uint64_t quantum_ns = never_ns;    // most time of one
  std::uint32_t needless_wakes = 0;       // of a thousand waits
  std::uint32_t jobs_at_once = 0;  // of a thousand chances: a job of another thread is done while a stage is called
  std::uint64_t stop_at = 0;       // the moment it is asked to stop; 0 = never
  observability::FlowState stop_state = observability::FlowState::interrupted;
  std::uint64_t cancel_at = 0;  // the moment it is cancelled; 0 = never
  std::vector<SimSwap> swaps = {};
};

// What a seed stands for.
SimFlow random_flow(std::uint64_t seed);

// All that is not as usual in it, a line a node and an edge.
std::string text_of(const SimFlow& flow);

// The smallest flow that still fails, as far as leaving out and making smaller leads from `flow`. `fails` is asked at most `tries_max`
// times.
SimFlow shrink(SimFlow flow, const std::function<bool(const SimFlow&)>& fails, std::size_t tries_max);

// How often something happened, so that a test can see that the dice leave nothing out.
struct SimCounts {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t traps = 0;
  std::uint64_t restarts = 0;
  std::uint64_t retries = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t pauses = 0;
  std::uint64_t rests = 0;
  std::uint64_t closed = 0;
  std::uint64_t flushes = 0;
  std::uint64_t jobs = 0;
  std::uint64_t jobs_during_calls = 0;
  std::uint64_t told_to_pause = 0;
  std::uint64_t acks = 0;
  std::uint64_t swaps = 0;
  std::uint64_t swaps_refused = 0;
  std::uint64_t exact = 0;  // flows whose every fate was foretold
};

struct SimResult {
  std::uint64_t history = 0;  // a hash of all that happened, in order
  observability::FlowReport report;
  SimCounts counts;
};

// Runs it to its end. Aborts, with a line on stderr, where a promise of the driver is broken: each element accounted for exactly once and
// in order, bounds kept, the life of stages, acks not too early, buffers back, no halt.
SimResult simulate(const SimFlow& flow);

// The last things that happened in the simulation under way, or nothing where there is none. For handlers of aborts.
void print_last_events(std::FILE* to);

}  // namespace torvyn::reactor
