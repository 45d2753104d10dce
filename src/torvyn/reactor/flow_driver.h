// Drives one flow from its source to its sink on the calling thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/observability/histogram.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {

// A stage and what the driver must know of it.
struct PlannedStage {
  std::unique_ptr<Stage> stage;
  contracts::Role role = contracts::Role::processor;
  std::string node;
  std::string component;  // "builtin:file" or a path
  std::string contract;   // "element", "batch", or empty
  config::ErrorPolicy on_error;
};

// A chain: the first stage is a source, the last a sink, those between neither.
struct FlowPlan {
  std::string name;
  std::vector<PlannedStage> stages;
  std::uint32_t max_batch = 64;
  std::uint64_t max_batch_bytes = std::uint64_t{1} << 20;
  std::optional<std::uint64_t> elements_max;  // pulled, then the flow ends in good order
  std::optional<std::uint64_t> errors_max;    // skipped errors beyond this fail the flow
};

// Runs of elements travel depth first: what a stage produced is consumed before more is pulled, so memory is flat and a run is in cache
// when the next stage reads it. Every pulled element is followed to its fate.
class FlowDriver {
 public:
  // `clock` and `interrupt` outlive the driver; the same interrupt is known to the stages that wait.
  FlowDriver(FlowPlan plan, const Clock& clock, Interrupt& interrupt);
  ~FlowDriver();
  FlowDriver(const FlowDriver&) = delete;
  FlowDriver& operator=(const FlowDriver&) = delete;

  // To the end of the flow. Called once; throws nothing of its own.
  observability::FlowReport run();

  // Ends the flow in good order. `state` is limited (a time-out) or interrupted; the first call counts.
  // Thread: any; async-signal-safe.
  void request_stop(observability::FlowState state) noexcept;

  // Thread: any.
  observability::FlowProgress progress() const noexcept;

 private:
  using Fate = observability::Fate;
  using FlowState = observability::FlowState;

  // What is counted of one stage. Written by the driving thread alone.
  struct Meter {
    std::uint64_t elements_in = 0;
    std::uint64_t elements_out = 0;
    std::uint64_t errors = 0;
    std::uint64_t time_ns = 0;
    std::uint64_t pauses = 0;
    std::uint64_t paused_ns = 0;
    observability::Histogram latency;
  };

  bool start();
  void pump();
  void drain();
  bool flush(std::size_t index);
  void finish();

  // One run through the stages from `index` on. False: the flow ends here; what was not dealt with has its fate.
  bool feed(std::size_t index, std::span<Element> in);
  bool process(std::size_t index, std::span<Element> in);
  bool push(std::size_t index, std::span<Element> in);
  void measure(std::size_t index, const StageOutcome& outcome, std::size_t chunk, std::uint64_t took_ns) noexcept;
  // Deals with how a step ended; `in` begins behind what it took. False: the flow ends; else `in` is what remains.
  bool settle_outcome(std::size_t index, const StageOutcome& outcome, std::span<Element>& in);
  bool on_element_error(std::size_t index, const Element* element);
  std::span<Element> next_chunk(std::span<Element> in) const noexcept;
  void wait_for_sink(std::size_t index, std::size_t taken);
  void count_error(std::size_t index) noexcept;

  void mark(const Element& element, Fate fate) noexcept;
  void mark_all(std::span<const Element> elements, Fate fate) noexcept;
  void settle_run(std::size_t pulled) noexcept;
  void enter_run(Run& run) noexcept;
  void enter_created(Run& run) noexcept;

  void fail_flow(std::size_t index, Error error, const Element* element);
  Error placed(std::size_t index, Error error, const Element* element) const;
  config::ErrorAction action_for(std::size_t index, ProcessErrorKind kind) const noexcept;
  observability::FlowReport report() const;

  FlowPlan plan_;
  const Clock& clock_;
  Interrupt& interrupt_;
  std::vector<std::unique_ptr<Meter>> meters_;
  std::vector<Run> runs_;        // outputs of each stage, reused
  std::vector<Fate> fates_;      // of the run in hand, by lineage
  std::uint64_t run_first_ = 0;  // the number of its first element among those pulled
  bool source_listens_ = false;  // it neither ended nor failed: it may be told of backpressure
  std::size_t started_ = 0;      // stages whose start was tried
  bool orderly_ = true;

  std::atomic<FlowState> stop_{FlowState::running};
  FlowState state_ = FlowState::completed;
  std::optional<Error> error_;
  std::vector<Error> skipped_;
  std::uint64_t skipped_count_ = 0;
  observability::FateCounts counts_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t started_ns_ = 0;
  std::uint64_t ended_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;

  // Read by `progress` from other threads.
  std::atomic<std::uint64_t> progress_pulled_{0};
  std::atomic<std::uint64_t> progress_delivered_{0};
  std::atomic<std::uint64_t> progress_errors_{0};
  std::atomic<std::uint64_t> progress_started_ns_{0};
};

}  // namespace torvyn::reactor
