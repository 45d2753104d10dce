// Stages that follow a script: what is hard to provoke in a component or a file is one line here. Shipped, because whoever embeds
// Torvyn has flows to test too.
//
//   resources::BufferPool& pool = …;
//   FakeJournal journal;
//   FakeSource source({.pool = &pool, .elements = 10, .journal = &journal});
//   FakeStage stage({.steps = {{.at = 6, .act = FakeAct::error}}, .journal = &journal});
//   FakeSink sink({.journal = &journal});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "torvyn/reactor/stage.h"
#include "torvyn/resources/buffer_pool.h"

namespace torvyn::reactor {

// What a fake does at one element. Where nothing is scripted, a source gives it, a stage passes it on and a sink takes it.
enum class FakeAct : std::uint8_t {
  error,  // reports a process-error of `kind`; a source does so before the element, which comes with the next pull
  fail,   // fails for good: at the element, or, of a source, in its stead
  nothing_yet,  // sources: answers so `count` times before the element
  drop,         // stages: nothing comes of it
  expand,       // stages: `count` outputs come of it, which share its payload
  pause,        // sinks: takes it and asks for a pause
  refuse,       // sinks: asks for a pause `count` times before taking it
  close,        // sinks: whoever reads the output went away
};

struct FakeStep {
  std::uint64_t at = 0;  // the element it is about, by its number at this stage, from 0
  FakeAct act = FakeAct::error;
  std::uint32_t count = 1;
  ProcessErrorKind kind = ProcessErrorKind::internal;
};

// The calls that come once or seldom, in order: "sink.start", "source.pause", "source.resume", "sum.flush", "sink.complete",
// "sink.finish" or, after a flow that didn't end well, "sink.finish (not orderly)".
using FakeJournal = std::vector<std::string>;

// What the three have in common.
struct FakeOptions {
  std::vector<FakeStep> steps{};   // sorted by `at`, at most one an element
  std::string name{};              // in the journal
  FakeJournal* journal = nullptr;  // outlives the fake
  bool start_fails = false;
};

// A call with elements, as a fake saw it.
struct FakeRun {
  std::size_t elements = 0;
  std::uint64_t bytes = 0;
};

// Follows the steps; for the fakes' own use.
class FakeScript {
 public:
  explicit FakeScript(std::vector<FakeStep> steps);
  // The step about the element at hand, or null. Good until `next`.
  const FakeStep* step() const noexcept;
  // One of the `count` times of the step at hand; false where there are none left.
  bool spend() noexcept;
  // The element at hand is dealt with.
  void next() noexcept;
  std::uint64_t position() const noexcept { return position_; }

 private:
  std::vector<FakeStep> steps_;
  std::size_t cursor_ = 0;
  std::uint64_t position_ = 0;
  std::uint32_t spent_ = 0;
};

// What every fake is below its role.
class FakeBase : public Stage {
 public:
  Status start() override;
  void finish(bool orderly) noexcept override;
  const ElementError& element_error() const noexcept override { return element_error_; }
  Error failure() const override;
  std::string_view path() const noexcept override { return "fake"; }

 protected:
  explicit FakeBase(FakeOptions options);
  void note(std::string_view call);
  StageOutcome report_error(std::uint32_t done, ProcessErrorKind kind);

  FakeScript script_;

 private:
  std::string name_;
  FakeJournal* journal_;
  bool start_fails_;
  ElementError element_error_;
};

struct FakeSourceOptions {
  resources::BufferPool* pool = nullptr;  // required; outlives the elements
  std::uint64_t elements = 0;
  std::uint32_t run_max = 0xffffffffU;  // most elements given at once, whatever the driver asks for
  // The size of an element's payload, at least fake_payload_bytes_min; its first bytes are its number, see fake_number.
  std::function<std::uint32_t(std::uint64_t number)> payload_bytes{};
  std::vector<FakeStep> steps{};
  std::string name = "source";
  FakeJournal* journal = nullptr;
  bool start_fails = false;
};

inline constexpr std::uint32_t fake_payload_bytes_min = 8;
// The number that a FakeSource gave an element, from its payload. Requires: a payload.
std::uint64_t fake_number(const Element& element) noexcept;

// Gives elements numbered from 0. Says `end_of_stream` with the last one where the run has room for another, else in a pull of its own.
class FakeSource final : public FakeBase {
 public:
  explicit FakeSource(FakeSourceOptions options);
  StageOutcome pull(const PullLimits& limits, Run& out) noexcept override;
  void notify_backpressure(bool pause) noexcept override;
  std::string describe_element(std::uint64_t index) const override;

 private:
  void give(Run& out);

  resources::BufferPool* pool_;
  std::uint64_t elements_;
  std::uint32_t run_max_;
  std::function<std::uint32_t(std::uint64_t)> payload_bytes_;
};

struct FakeStageOptions {
  // 0: a processor or filter. Else an aggregator: one output, the last of them, for each `group` elements; the flush gives the rest
  // one by one.
  std::uint32_t group = 0;
  std::uint32_t flush_run = 0xffffffffU;  // most outputs of one flush
  bool flush_errors = false;              // the first flush gives nothing but a process-error
  bool flush_fails = false;               // or a failure
  bool whole_run =
      false;  // as batch components are: a failure is charged to all inputs of the call, and voids its outputs
  std::vector<FakeStep> steps{};
  std::string name = "stage";
  FakeJournal* journal = nullptr;
  bool start_fails = false;
};

class FakeStage final : public FakeBase {
 public:
  explicit FakeStage(FakeStageOptions options);
  StageOutcome process(std::span<Element> in, Run& out) noexcept override;
  StageOutcome flush(Run& out) noexcept override;

 private:
  void pass(Element& element, std::uint32_t count, Run& out);
  void collect(Element& element, Run& out);

  std::uint32_t group_;
  std::uint32_t flush_run_;
  bool flush_errors_;
  bool flush_fails_;
  bool whole_run_;
  Run held_;
  std::size_t flushed_ = 0;
};

struct FakeSinkOptions {
  bool keep = true;  // what comes, for `received` and `runs`; else it is only counted
  bool whole_run = false;
  bool complete_fails = false;
  std::string leftover{};
  std::vector<FakeStep> steps{};
  std::string name = "sink";
  FakeJournal* journal = nullptr;
  bool start_fails = false;
};

// What a FakeSink took of an element.
struct FakeReceived {
  std::uint64_t number = 0;  // its source's
  ElementMeta meta;
  resources::LineageId lineage = resources::no_lineage;
};

class FakeSink final : public FakeBase {
 public:
  explicit FakeSink(FakeSinkOptions options);
  StageOutcome push(std::span<Element> in) noexcept override;
  Status complete() override;
  std::string leftover() const override { return leftover_; }

  const std::vector<FakeReceived>& received() const noexcept { return received_; }
  const std::vector<FakeRun>& runs() const noexcept { return runs_; }
  std::uint64_t count() const noexcept { return count_; }

 private:
  bool keep_;
  bool whole_run_;
  bool complete_fails_;
  std::string leftover_;
  std::vector<FakeReceived> received_;
  std::vector<FakeRun> runs_;
  std::uint64_t count_ = 0;
};

}  // namespace torvyn::reactor
