#include "torvyn/reactor/flow_driver.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::reactor {

using contracts::Role;
using observability::FlowReport;
using observability::StageReport;

namespace {

// The wait for a source that has nothing yet, doubled from the first to the last of these. A sink that asks for a pause gets the first.
constexpr int wait_first_ms = 1;
constexpr int wait_last_ms = 100;
// Skipped errors kept for the report; the others are only counted.
constexpr std::size_t skipped_kept = 8;

std::uint64_t thread_cpu_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

// Sleeps, but not beyond the interrupt.
void wait_ms(const Interrupt& interrupt, int milliseconds) noexcept {
  pollfd waits{.fd = interrupt.fd(), .events = POLLIN, .revents = 0};
  poll(&waits, 1, milliseconds);
}

// Inputs of a chunk that the stage is through with, in order.
std::size_t taken_of(const StageOutcome& outcome, std::size_t chunk) noexcept {
  return outcome.status == StageStatus::ok ? chunk : outcome.done;
}

// Inputs of a chunk that went into the stage: those it is through with, and those that ended the step.
std::size_t tried_of(const StageOutcome& outcome, std::size_t chunk) noexcept {
  const std::size_t taken = taken_of(outcome, chunk);
  if (outcome.status == StageStatus::element_error) return taken + 1;
  if (outcome.status == StageStatus::failed) return std::min<std::size_t>(taken + outcome.charged, chunk);
  return taken;
}

void check_outcome(const StageOutcome& outcome, std::size_t chunk) noexcept {
  TORVYN_ASSERT(outcome.done <= chunk, "a stage took more elements than it was given");
  TORVYN_ASSERT(outcome.status != StageStatus::element_error || outcome.done < chunk,
                "a stage reported an error about an element it was not given");
}

// Those are done with: their buffers go back before the next stage asks for some.
void take(std::span<Element>& in, std::size_t count) noexcept {
  resources::release_elements(in.first(count));
  in = in.subspan(count);
}

}  // namespace

FlowDriver::FlowDriver(FlowPlan plan, const Clock& clock, Interrupt& interrupt)
    : plan_(std::move(plan)), clock_(clock), interrupt_(interrupt) {
  TORVYN_ASSERT(plan_.stages.size() >= 2, "a flow without a source and a sink");
  TORVYN_ASSERT(plan_.max_batch >= 1, "a flow whose runs hold nothing");
  runs_.resize(plan_.stages.size());
  for (Run& run : runs_) run.reserve(plan_.max_batch);
  fates_.reserve(plan_.max_batch);
  for (std::size_t i = 0; i < plan_.stages.size(); ++i) meters_.push_back(std::make_unique<Meter>());
}

FlowDriver::~FlowDriver() = default;

FlowReport FlowDriver::run() {
  TORVYN_ASSERT(started_ == 0, "a flow was run twice");
  started_ns_ = clock_.monotonic_ns();
  progress_started_ns_.store(started_ns_, std::memory_order_relaxed);
  const std::uint64_t cpu_start_ns = thread_cpu_ns();
  if (start()) pump();
  if (orderly_) drain();
  finish();
  cpu_ns_ = thread_cpu_ns() - cpu_start_ns;
  ended_ns_ = clock_.monotonic_ns();
  return report();
}

bool FlowDriver::start() {
  for (std::size_t index = 0; index < plan_.stages.size(); ++index) {
    ++started_;
    const Status started = plan_.stages[index].stage->start();
    if (started) continue;
    fail_flow(index, started.error(), nullptr);
    return false;
  }
  return true;
}

// Pulls runs and sends each through, until the stream ends or the flow has to.
void FlowDriver::pump() {
  Stage& source = *plan_.stages.front().stage;
  Meter& meter = *meters_.front();
  Run& run = runs_.front();
  int wait = wait_first_ms;
  for (;;) {
    const FlowState stop = stop_.load(std::memory_order_acquire);
    if (stop != FlowState::running) {
      state_ = stop;
      return;
    }
    PullLimits limits{.elements_max = plan_.max_batch, .bytes_max = plan_.max_batch_bytes};
    if (plan_.elements_max) {
      const std::uint64_t left = *plan_.elements_max - counts_.pulled;
      if (left == 0) {
        state_ = FlowState::limited;
        return;
      }
      limits.elements_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, limits.elements_max));
    }

    const std::uint64_t before_ns = clock_.monotonic_ns();
    const StageOutcome outcome = source.pull(limits, run);
    const std::uint64_t took_ns = clock_.monotonic_ns() - before_ns;
    meter.time_ns += took_ns;
    const std::size_t pulled = run.size();
    TORVYN_ASSERT(pulled <= limits.elements_max, "a source gave more than it was asked for");
    source_listens_ = outcome.status == StageStatus::ok || outcome.status == StageStatus::nothing_yet;
    if (pulled != 0) {
      wait = wait_first_ms;
      meter.elements_out += pulled;
      meter.latency.record(took_ns / pulled, pulled);
      enter_run(run);
      const bool goes_on = feed(1, run);
      clear_run(run);
      settle_run(pulled);
      if (!goes_on) return;
    }
    switch (outcome.status) {
      case StageStatus::end_of_stream:
        return;
      case StageStatus::ok:
      case StageStatus::nothing_yet:
        if (pulled == 0) {
          wait_ms(interrupt_, wait);
          wait = std::min(2 * wait, wait_last_ms);
        }
        break;
      case StageStatus::element_error:
        // No element came, so there is none to charge: `skip` pulls again.
        if (!on_element_error(0, nullptr)) return;
        break;
      case StageStatus::failed:
        count_error(0);
        fail_flow(0, source.failure(), nullptr);
        return;
      case StageStatus::pause:
      case StageStatus::closed:
        TORVYN_ASSERT(false, "a source spoke like a sink");
    }
  }
}

// At an orderly end: aggregators give what they hold, from the first to the last, then the sink makes its output final.
void FlowDriver::drain() {
  source_listens_ = false;
  for (std::size_t index = 1; index + 1 < plan_.stages.size(); ++index)
    if (plan_.stages[index].role == Role::aggregator && !flush(index)) return;
  const Status completed = plan_.stages.back().stage->complete();
  if (completed) return;
  count_error(plan_.stages.size() - 1);
  fail_flow(plan_.stages.size() - 1, completed.error(), nullptr);
}

bool FlowDriver::flush(std::size_t index) {
  Stage& stage = *plan_.stages[index].stage;
  Run& out = runs_[index];
  for (;;) {
    const StageOutcome outcome = stage.flush(out);
    meters_[index]->elements_out += out.size();
    enter_created(out);
    const bool goes_on = out.empty() || feed(index + 1, out);
    clear_run(out);
    if (!goes_on) return false;
    switch (outcome.status) {
      case StageStatus::ok:
        continue;
      case StageStatus::end_of_stream:
        return true;
      case StageStatus::failed:
        count_error(index);
        fail_flow(index, stage.failure(), nullptr);
        return false;
      case StageStatus::element_error: {
        count_error(index);
        const ElementError& said = stage.element_error();
        fail_flow(index,
                  Error(ErrorCode::complete_failed,
                        fmt::format("`flush` returned {}: {}", process_error_name(said.kind), said.text)),
                  nullptr);
        return false;
      }
      case StageStatus::nothing_yet:
      case StageStatus::pause:
      case StageStatus::closed:
        TORVYN_ASSERT(false, "an aggregator's flush spoke like a source's pull or a sink's push");
    }
  }
}

void FlowDriver::finish() {
  for (std::size_t index = 0; index < started_; ++index) plan_.stages[index].stage->finish(orderly_);
}

// ---- one run --------------------------------------------------------------------------------------------------------------

// What the host alone may say about elements that leave a source.
void FlowDriver::enter_run(Run& run) noexcept {
  const std::uint64_t now_ns = clock_.wall_ns();
  fates_.assign(run.size(), Fate::filtered);
  run_first_ = counts_.pulled;
  for (std::size_t i = 0; i < run.size(); ++i) {
    run[i].meta.sequence = next_sequence_++;
    run[i].meta.timestamp_ns = now_ns;
    run[i].lineage = static_cast<resources::LineageId>(i);
  }
  counts_.pulled += run.size();
  progress_pulled_.store(counts_.pulled, std::memory_order_relaxed);
}

// What an aggregator made is new: it descends from many, or from none that is still counted.
void FlowDriver::enter_created(Run& run) noexcept {
  if (run.empty()) return;
  const std::uint64_t now_ns = clock_.wall_ns();
  for (Element& element : run) {
    element.meta.sequence = next_sequence_++;
    element.meta.timestamp_ns = now_ns;
    element.lineage = resources::no_lineage;
  }
  counts_.created += run.size();
}

void FlowDriver::settle_run(std::size_t pulled) noexcept {
  for (std::size_t i = 0; i < pulled; ++i) ++counts_.fates[static_cast<std::size_t>(fates_[i])];
  progress_delivered_.store(counts_[Fate::delivered], std::memory_order_relaxed);
}

void FlowDriver::mark(const Element& element, Fate fate) noexcept {
  if (element.lineage == resources::no_lineage) return;
  Fate& known = fates_[element.lineage];
  known = std::max(known, fate);
}

void FlowDriver::mark_all(std::span<const Element> elements, Fate fate) noexcept {
  for (const Element& element : elements) mark(element, fate);
}

// As much of `in` as a stage is handed at once: at least one element, however large.
std::span<Element> FlowDriver::next_chunk(std::span<Element> in) const noexcept {
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  while (count < in.size() && count < plan_.max_batch) {
    bytes += in[count].payload.size();
    if (count != 0 && bytes > plan_.max_batch_bytes) break;
    ++count;
  }
  return in.first(count);
}

bool FlowDriver::feed(std::size_t index, std::span<Element> in) {
  return index + 1 == plan_.stages.size() ? push(index, in) : process(index, in);
}

bool FlowDriver::process(std::size_t index, std::span<Element> in) {
  Stage& stage = *plan_.stages[index].stage;
  Run& out = runs_[index];
  const bool aggregates = plan_.stages[index].role == Role::aggregator;
  while (!in.empty()) {
    const std::span<Element> chunk = next_chunk(in);
    const std::uint64_t before_ns = clock_.monotonic_ns();
    const StageOutcome outcome = stage.process(chunk, out);
    measure(index, outcome, chunk.size(), clock_.monotonic_ns() - before_ns);
    meters_[index]->elements_out += out.size();
    const std::size_t taken = taken_of(outcome, chunk.size());
    if (aggregates) {
      mark_all(chunk.first(taken), Fate::absorbed);
      enter_created(out);
    }
    take(in, taken);

    // What stands goes on before the error is dealt with: a run behaves like its elements one by one.
    const bool goes_on = out.empty() || feed(index + 1, out);
    clear_run(out);
    if (!goes_on) {
      mark_all(in, Fate::cancelled);
      return false;
    }
    if (!settle_outcome(index, outcome, in)) return false;
  }
  return true;
}

bool FlowDriver::push(std::size_t index, std::span<Element> in) {
  Stage& stage = *plan_.stages[index].stage;
  while (!in.empty()) {
    const std::span<Element> chunk = next_chunk(in);
    const std::uint64_t before_ns = clock_.monotonic_ns();
    const StageOutcome outcome = stage.push(chunk);
    measure(index, outcome, chunk.size(), clock_.monotonic_ns() - before_ns);
    const std::size_t taken = taken_of(outcome, chunk.size());
    mark_all(chunk.first(taken), Fate::delivered);
    take(in, taken);
    if (outcome.status == StageStatus::pause) wait_for_sink(index, taken);
    if (!settle_outcome(index, outcome, in)) return false;
  }
  return true;
}

void FlowDriver::measure(std::size_t index, const StageOutcome& outcome, std::size_t chunk,
                         std::uint64_t took_ns) noexcept {
  check_outcome(outcome, chunk);
  Meter& meter = *meters_[index];
  meter.time_ns += took_ns;
  const std::size_t tried = tried_of(outcome, chunk);
  if (tried == 0) return;
  meter.elements_in += tried;
  meter.latency.record(took_ns / tried, tried);
}

bool FlowDriver::settle_outcome(std::size_t index, const StageOutcome& outcome, std::span<Element>& in) {
  switch (outcome.status) {
    case StageStatus::ok:
    case StageStatus::pause:
      return true;
    case StageStatus::element_error:
      if (!on_element_error(index, &in.front())) {
        mark_all(in.subspan(1), Fate::cancelled);
        return false;
      }
      take(in, 1);
      return true;
    case StageStatus::closed:
      mark_all(in, Fate::cancelled);
      state_ = FlowState::closed;
      orderly_ = false;
      return false;
    case StageStatus::failed: {
      count_error(index);
      const std::size_t charged = std::min<std::size_t>(outcome.charged, in.size());
      mark_all(in.first(charged), Fate::failed);
      mark_all(in.subspan(charged), Fate::cancelled);
      fail_flow(index, plan_.stages[index].stage->failure(), charged == 0 ? nullptr : &in.front());
      return false;
    }
    case StageStatus::end_of_stream:
    case StageStatus::nothing_yet:
      break;
  }
  TORVYN_ASSERT(false, "a stage that takes elements spoke like a source");
  return false;
}

config::ErrorAction FlowDriver::action_for(std::size_t index, ProcessErrorKind kind) const noexcept {
  const config::ErrorPolicy& policy = plan_.stages[index].on_error;
  switch (kind) {
    case ProcessErrorKind::invalid_input:
      return policy.invalid_input;
    case ProcessErrorKind::unavailable:
      return policy.unavailable;
    case ProcessErrorKind::internal:
      return policy.internal;
    case ProcessErrorKind::deadline_exceeded:
      return policy.deadline_exceeded;
    case ProcessErrorKind::fatal:
      break;
  }
  return config::ErrorAction::fail;
}

// `element`: null where a source speaks of one that never came.
bool FlowDriver::on_element_error(std::size_t index, const Element* element) {
  count_error(index);
  const ElementError& said = plan_.stages[index].stage->element_error();
  const bool may_skip = action_for(index, said.kind) == config::ErrorAction::skip;
  const bool skip = may_skip && (!plan_.errors_max || skipped_count_ < *plan_.errors_max);
  const bool fatal = said.kind == ProcessErrorKind::fatal;
  const auto error = [&](std::string hint) {
    return Error(fatal ? ErrorCode::component_fatal : ErrorCode::element_failed,
                 fmt::format("{}: {}", process_error_name(said.kind), said.text), std::move(hint));
  };
  if (skip) {
    if (skipped_.size() < skipped_kept) skipped_.push_back(placed(index, error({}), element));
    ++skipped_count_;
    if (element != nullptr) mark(*element, Fate::skipped);
    return true;
  }
  std::string hint = fatal ? "" : "on_error = \"skip\" for this node counts such elements and goes on";
  if (may_skip) hint = fmt::format("--max-errors {} was reached", *plan_.errors_max);
  if (element != nullptr) mark(*element, Fate::failed);
  fail_flow(index, error(std::move(hint)), element);
  return false;
}

// The sink asked for a pause: the source hears of it, and again when it is over. `taken`: elements of the run that asked.
void FlowDriver::wait_for_sink(std::size_t index, std::size_t taken) {
  Meter& meter = *meters_[index];
  ++meter.pauses;
  if (stop_.load(std::memory_order_acquire) != FlowState::running) {
    // What is in flight goes out as fast as the sink takes it; the interrupt, which is raised, would end any wait but this one.
    if (taken == 0) poll(nullptr, 0, wait_first_ms);
    return;
  }
  Stage& source = *plan_.stages.front().stage;
  if (source_listens_) source.notify_backpressure(true);
  const std::uint64_t before_ns = clock_.monotonic_ns();
  wait_ms(interrupt_, wait_first_ms);
  meter.paused_ns += clock_.monotonic_ns() - before_ns;
  if (source_listens_) source.notify_backpressure(false);
}

void FlowDriver::count_error(std::size_t index) noexcept {
  ++meters_[index]->errors;
  progress_errors_.fetch_add(1, std::memory_order_relaxed);
}

// ---- ends -----------------------------------------------------------------------------------------------------------------

Error FlowDriver::placed(std::size_t index, Error error, const Element* element) const {
  const PlannedStage& stage = plan_.stages[index];
  Error placed = std::move(error).at_node(plan_.name, stage.node, stage.component);
  if (element == nullptr) return placed;
  ErrorDetail& detail = placed.detail();
  detail.element = element->meta.sequence;
  detail.element_bytes = element->payload ? element->payload.size() : 0;
  if (element->lineage != resources::no_lineage)
    detail.element_place = plan_.stages.front().stage->describe_element(run_first_ + element->lineage);
  return placed;
}

void FlowDriver::fail_flow(std::size_t index, Error error, const Element* element) {
  state_ = FlowState::failed;
  orderly_ = false;
  if (!error_) error_ = placed(index, std::move(error), element);
}

void FlowDriver::request_stop(FlowState state) noexcept {
  FlowState running = FlowState::running;
  stop_.compare_exchange_strong(running, state, std::memory_order_release, std::memory_order_relaxed);
  interrupt_.raise();
}

observability::FlowProgress FlowDriver::progress() const noexcept {
  const std::uint64_t started_ns = progress_started_ns_.load(std::memory_order_relaxed);
  return {.pulled = progress_pulled_.load(std::memory_order_relaxed),
          .delivered = progress_delivered_.load(std::memory_order_relaxed),
          .errors = progress_errors_.load(std::memory_order_relaxed),
          .elapsed_ns = started_ns == 0 ? 0 : clock_.monotonic_ns() - started_ns};
}

FlowReport FlowDriver::report() const {
  FlowReport report;
  report.name = plan_.name;
  report.state = state_;
  report.duration_ns = ended_ns_ - started_ns_;
  report.cpu_ns = cpu_ns_;
  report.fates = counts_;
  report.error = error_;
  report.skipped = skipped_;
  for (std::size_t index = 0; index < plan_.stages.size(); ++index) {
    const PlannedStage& planned = plan_.stages[index];
    const Meter& meter = *meters_[index];
    StageReport stage;
    stage.node = planned.node;
    stage.component = planned.component;
    stage.role = contracts::role_name(planned.role);
    stage.path = planned.stage->path();
    stage.contract = planned.contract;
    stage.elements_in = meter.elements_in;
    stage.elements_out = meter.elements_out;
    stage.errors = meter.errors;
    stage.time_ns = meter.time_ns;
    stage.p50_ns = meter.latency.quantile_ns(0.5);
    stage.p99_ns = meter.latency.quantile_ns(0.99);
    stage.memory_bytes = planned.stage->memory_bytes();
    if (const resources::CopyLedger* copies = planned.stage->copies())
      for (int kind = 0; kind < resources::copy_kind_count; ++kind)
        stage.copies[static_cast<std::size_t>(kind)] = copies->count(static_cast<resources::CopyKind>(kind));
    report.stages.push_back(std::move(stage));
    if (index == 0) continue;
    report.streams.push_back({.from = plan_.stages[index - 1].node + ".output",
                              .to = planned.node + ".input",
                              .transferred = meter.elements_in,
                              .backpressure_events = meter.pauses,
                              .backpressure_ns = meter.paused_ns});
  }
  if (report.error) {
    ErrorDetail& detail = report.error->detail();
    detail.consequence =
        fmt::format("flow failed; {} delivered, {} failed", counts_[Fate::delivered], counts_[Fate::failed]);
    const std::string left = plan_.stages.back().stage->leftover();
    if (!left.empty() && started_ == plan_.stages.size()) detail.consequence += ", " + left;
  }
  return report;
}

}  // namespace torvyn::reactor
