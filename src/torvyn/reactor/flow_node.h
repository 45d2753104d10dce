// Private to the reactor: a node of a running flow, its lanes and the streams between nodes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/observability/histogram.h"
#include "torvyn/reactor/flow_plan.h"
#include "torvyn/reactor/instance.h"
#include "torvyn/reactor/lineage_book.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/reactor/stream.h"

namespace torvyn::reactor {

// A stream and what is counted of it.
struct Edge {
  explicit Edge(const PlannedEdge& planned)
      : from(planned.from), to(planned.to), port(planned.port), stream(planned.bounds) {}

  std::size_t from;
  std::size_t to;
  std::uint16_t port;
  std::uint32_t input = 0;  // index into the inputs of `to`
  Stream stream;
  // Its receiver is slower than its producer: it was full and has not run down since, or the receiver is under pressure itself.
  bool congested = false;
  std::uint64_t congested_since_ns = 0;

  std::uint64_t transferred = 0;
  std::uint64_t dropped = 0;
  std::uint64_t depth_max = 0;
  std::uint64_t congestions = 0;
  std::uint64_t congested_ns = 0;
};

// A run on its way through a stage, and what came of it. A node whose stage works on the driving thread has one; a parallel one has one for
// each instance, or several for the only one, of which it works on the oldest while the driver fills and empties the others.
//
//   idle ──load──▶ loaded ──call──▶ called ──(out handed on, outcome settled)──▶ loaded, where some of `in` is left, or idle
//                     └──submit──▶ running ──(on another thread)──▶ came back ──▶ called, or loaded where the instance had halted
struct Lane {
  enum class State : std::uint8_t { idle, loaded, running, called };

  explicit Lane(Instance& its) : instance(its) {}

  Stage& stage() const noexcept { return *instance.stage; }
  std::span<Element> in_hand() noexcept { return std::span(in).subspan(in_head); }
  bool empty() const noexcept { return in_head == in.size(); }
  bool handed_on() const noexcept { return out.empty(); }
  // Nothing of what it has in hand stays behind in the call it is in, or was in.
  bool offered_whole() const noexcept { return offered == in.size() - in_head; }

  Instance& instance;
  State state = State::idle;
  Run in;
  std::size_t in_head = 0;  // those before were dealt with
  Run out;
  std::size_t out_head = 0;     // those before were handed on
  std::size_t offered = 0;      // elements of the call under way
  StageOutcome outcome;         // of the last call
  std::uint64_t took_ns = 0;    // it took
  std::uint32_t attempts = 0;   // retries of the first element in hand
  std::uint32_t singles = 0;    // elements in hand that are offered one by one: one of them ended the instance
  bool outcome_counted = true;  // `out` is in the books
  bool suspect = false;         // the first element in hand was in the call that ended the instance

  // Of a lane on another thread.
  std::atomic<bool> back{false};
  bool was_called = false;  // it is back from a call
  Instance::Seen seen;      // after it
};

// What is counted of a stage. Written by the driving thread alone.
struct Meter {
  std::uint64_t elements_in = 0;
  std::uint64_t elements_out = 0;
  std::uint64_t errors = 0;
  std::uint64_t restarts = 0;
  std::uint64_t swaps = 0;
  std::uint64_t swap_pause_ns = 0;  // the longest
  std::uint64_t rests = 0;          // times its share of the CPU was used up
  std::uint64_t rested_ns = 0;      // for so long it was then not to be called, instances added up
  std::uint64_t state_lost =
      0;  // elements that an aggregator had absorbed, and given nothing for, when its instance ended
  std::uint64_t time_ns = 0;
  observability::Histogram latency;
};

struct Node {
  PlannedStage plan;
  std::size_t index = 0;
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<std::size_t> in_order;  // lanes at work, the one with the oldest elements first

  std::vector<std::size_t> inputs;                // edges
  std::vector<std::vector<std::size_t>> outputs;  // of each port, edges
  std::size_t only_output = nowhere;              // the edge, where there is one and no other
  std::size_t open_inputs = 0;                    // whose producers have not ended
  // Where several streams come in: from which the next elements are taken, in the order they came.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> arrivals;  // (index into `inputs`, elements)
  std::size_t arrivals_head = 0;

  bool blocked = false;               // it stopped for want of room in a stream
  bool pressed = false;               // what it makes is taken slower than it comes
  bool paused = false;                // sinks: it asked for a pause and has taken nothing since
  bool ended = false;                 // nothing comes of it any more
  bool gone = false;                  // sinks: whoever read the output went away
  bool flushed = false;               // aggregators: gave all they held
  bool stopping = false;              // sources: not to be pulled any more
  std::uint64_t wait_until_ns = 0;    // not to be called before; 0 = it does not wait
  bool lanes_rest = false;            // it waits because no lane is free but such as rest
  std::uint64_t next_wait_ns = 0;     // the growing wait of a source with nothing to give, of a sink that pauses
  std::uint64_t given = 0;            // sources: elements so far
  std::uint64_t given_before = 0;     // sources: by instances before this one
  std::size_t ack_source = nowhere;   // sources that want acks: index in the AckBook
  std::uint64_t acked = 0;            // of `given`, what it heard of
  std::unique_ptr<SwapRequest> swap;  // other stages are to take over as soon as it is at rest
  std::uint64_t swap_since_ns = 0;    // from when it was not called any more because of that
  security::CapabilityCounts capabilities_before{};
  resources::CopyCounts copies_before{};    // of stages that were taken away
  std::uint64_t absorbed = 0;               // aggregators: since they last gave something
  std::vector<std::uint64_t> restarted_ns;  // the last ones, in the window

  Meter meter;

  bool is_source() const noexcept { return plan.role == contracts::Role::source; }
  bool is_sink() const noexcept { return plan.role == contracts::Role::sink; }
  bool is_aggregator() const noexcept { return plan.role == contracts::Role::aggregator; }
  // Is any of its lanes on another thread?
  bool at_work(const Instance& instance) const noexcept {
    return std::ranges::any_of(
        lanes, [&](const auto& lane) { return &lane->instance == &instance && lane->state == Lane::State::running; });
  }
  bool is_parallel() const noexcept { return plan.parallel || instances.size() > 1; }
  bool waits() const noexcept { return wait_until_ns != 0; }
  // Of a node that is not parallel, or has nothing under way.
  Lane& only_lane() noexcept { return *lanes.front(); }
  Stage& only_stage() const noexcept { return *instances.front()->stage; }
};

}  // namespace torvyn::reactor
