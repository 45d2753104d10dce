// The life of a flow, and which node is next. See flow_steps.cc for what a node does, flow_failures.cc for what goes wrong.
#include "torvyn/reactor/flow_driver.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <ctime>
#include <thread>
#include <utility>

#include "torvyn/reactor/flow_node.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

using observability::FlowReport;
using observability::StageReport;

namespace {

// Runs that a parallel node with one instance has under way: one in the call, and so many that wait that nobody waits for the other.
constexpr std::size_t runs_under_way = 4;
static_assert(runs_under_way <= Instance::lanes_max);

}  // namespace

FlowDriver::FlowDriver(FlowPlan plan, const Clock& clock, Interrupt& interrupt, Executor* executor)
    : plan_(std::move(plan)), clock_(clock), interrupt_(interrupt) {
  lanes_home_.flow = this;
  lanes_home_.executor = executor;
  lanes_home_.looks = plan_.looks;
  TORVYN_ASSERT(plan_.stages.size() >= 2, "a flow without a source and a sink");
  TORVYN_ASSERT(plan_.max_batch >= 1, "a flow whose runs hold nothing");
  join_nodes();
}

FlowDriver::~FlowDriver() { TORVYN_ASSERT(running_lanes_ == 0, "a flow was destroyed while it ran"); }

// From the plan to nodes that know their streams.
void FlowDriver::join_nodes() {
  const std::size_t count = plan_.stages.size();
  if (plan_.edges.empty())
    for (std::size_t i = 0; i + 1 < count; ++i)
      plan_.edges.push_back({.from = i, .to = i + 1, .port = 0, .bounds = {}});
  for (std::size_t i = 0; i < count; ++i) {
    auto node = std::make_unique<Node>();
    node->plan = std::move(plan_.stages[i]);
    node->index = i;
    node->outputs.resize(node->plan.ports.size());
    node->instances.push_back(std::make_unique<Instance>(std::move(node->plan.stage)));
    for (std::unique_ptr<Stage>& stage : node->plan.more)
      node->instances.push_back(std::make_unique<Instance>(std::move(stage)));
    for (const auto& instance : node->instances) {
      instance->is_sink = node->is_sink();
      instance->clock = &clock_;
      instance->home = &lanes_home_;
      node->lanes.push_back(std::make_unique<Lane>(*instance));
    }
    if (node->plan.parallel && node->instances.size() == 1)
      while (node->lanes.size() < runs_under_way)
        node->lanes.push_back(std::make_unique<Lane>(*node->instances.front()));
    TORVYN_ASSERT(!node->is_parallel() || lanes_home_.executor != nullptr, "parallel stages without an executor");
    TORVYN_ASSERT(!node->is_parallel() || !node->is_source(), "a source beside its flow");
    if (node->is_source()) sources_.push_back(i);
    if (node->is_sink()) sinks_.push_back(i);
    nodes_.push_back(std::move(node));
  }
  for (const PlannedEdge& planned : plan_.edges) {
    TORVYN_ASSERT(planned.from < planned.to && planned.to < count, "an edge that leads back, or nowhere");
    Node& from = *nodes_[planned.from];
    Node& to = *nodes_[planned.to];
    TORVYN_ASSERT(planned.port < from.outputs.size(), "an edge from a port its node doesn't have");
    const std::size_t edge = edges_.size();
    edges_.push_back(std::make_unique<Edge>(planned));
    from.outputs[planned.port].push_back(edge);
    from.only_output = from.outputs.size() == 1 && from.outputs.front().size() == 1 ? edge : nowhere;
    edges_.back()->input = static_cast<std::uint32_t>(to.inputs.size());
    to.inputs.push_back(edge);
    ++to.open_inputs;
  }
  for (const auto& node : nodes_)
    TORVYN_ASSERT(node->inputs.empty() == node->is_source(), "a source with an input, or another node without one");
  ready_.assign((count + 63) / 64, 0);
  active_sources_ = sources_.size();
  open_sinks_ = sinks_.size();
}

FlowReport FlowDriver::run() {
  TORVYN_ASSERT(phase_ == Phase::unstarted, "a flow was run twice");
  const Quantum all_the_time{.elements = 0xffffffffU, .time_ns = never_ns, .may_block = true};
  while (turn(all_the_time).next != Turn::Next::done) {
  }
  return report();
}

// Sleeps, but not beyond a wake.
void FlowDriver::wait_for_wake(std::uint64_t until_ns) const noexcept {
  const std::uint64_t now_ns = clock_.monotonic_ns();
  if (until_ns <= now_ns) return;
  const std::uint64_t left_ns = until_ns - now_ns;
  const timespec timeout{.tv_sec = static_cast<time_t>(left_ns / 1'000'000'000),
                         .tv_nsec = static_cast<long>(left_ns % 1'000'000'000)};
  pollfd waits{.fd = interrupt_.fd(), .events = POLLIN, .revents = 0};
  ppoll(&waits, 1, until_ns == never_ns ? nullptr : &timeout, nullptr);
}

void FlowDriver::wake() noexcept {
  interrupt_.nudge();
  if (waker_ != nullptr) waker_->wake();
}

Turn FlowDriver::turn(const Quantum& quantum) noexcept {
  TORVYN_ASSERT(phase_ != Phase::ended, "a flow was driven beyond its end");
  const std::uint64_t cpu_before_ns = thread_cpu_ns();
  quantum_ = quantum;
  interrupt_.lower();  // what it was nudged for is looked at below
  now_ns_ = clock_.monotonic_ns();
  elements_handed_ = 0;
  if (phase_ == Phase::unstarted) start();
  Turn end{.next = work(quantum)};
  if (end.next == Turn::Next::wait) end.wake_at_ns = next_timer_ns();
  end.work_ns = thread_cpu_ns() - cpu_before_ns;
  cpu_ns_ += end.work_ns;
  return end;
}

void FlowDriver::start() noexcept {
  phase_ = Phase::running;
  started_ns_ = now_ns_;
  if (plan_.timeout_ns && *plan_.timeout_ns < never_ns - now_ns_) stop_at_ns_ = now_ns_ + *plan_.timeout_ns;
  progress_started_ns_.store(started_ns_, std::memory_order_relaxed);
  for (const auto& node : nodes_) {
    if (cancel_.load(std::memory_order_acquire)) return;
    ++started_;
    for (const auto& lane : node->lanes) {
      // Runs go round by exchange: all of them have their size from the start.
      lane->in.reserve(plan_.max_batch);
      lane->out.reserve(plan_.max_batch);
    }
    for (const auto& instance : node->instances) {
      in_call_.store(instance->stage.get(), std::memory_order_seq_cst);
      const Status started = instance->stage->start();
      in_call_.store(nullptr, std::memory_order_release);
      if (started) continue;
      if (cancel_.load(std::memory_order_acquire)) return;
      fail_flow(*node, started.error(), nullptr);
      return;
    }
  }
  std::vector<std::size_t> ack_sources(nodes_.size(), nowhere);
  std::vector<std::size_t> ack_aggregators(nodes_.size(), nowhere);
  std::size_t listeners = 0;
  std::size_t aggregators = 0;
  for (const auto& node : nodes_) {
    if (node->is_source() && node->only_stage().is_fed()) has_fed_sources_ = true;
    if (node->is_aggregator()) ack_aggregators[node->index] = aggregators++;
    if (node->is_source() && node->only_stage().wants_acks()) node->ack_source = ack_sources[node->index] = listeners++;
  }
  if (listeners != 0) {
    acks_ = AckBook(listeners, aggregators);
    book_.keep_acks(acks_, std::move(ack_sources), std::move(ack_aggregators));
  }
  for (const std::size_t source : sources_) mark_ready(source);
  now_ns_ = clock_.monotonic_ns();
}

// Node after node, until there is nothing to do or others are to be let on.
Turn::Next FlowDriver::work(const Quantum& quantum) noexcept {
  const std::uint64_t begin_ns = now_ns_;
  for (;;) {
    if (lanes_home_.any_back.load(std::memory_order_acquire)) collect_lanes();
    if ((ending_ || ended_nodes_ == nodes_.size() || now_ns_ >= stop_at_ns_ ||
         asked_.load(std::memory_order_acquire)) &&
        heed_requests()) {
      if (running_lanes_ != 0) {
        if (comes_back_soon()) continue;
        if (!quantum.may_block) return Turn::Next::wait;
        wait_for_wake(never_ns);
        interrupt_.lower();
        continue;
      }
      wind_up();
      return Turn::Next::done;
    }
    if (waiting_nodes_ != 0) fire_timers();
    if (waiting_nodes_ != 0 && has_fed_sources_) look_at_fed_sources();
    const std::size_t index = next_ready();
    if (index == nowhere) {
      if (book_.take_news()) {
        tell_acks();
        continue;
      }
      TORVYN_ASSERT(waiting_nodes_ != 0 || running_lanes_ != 0, "a flow has come to a halt");
      if (running_lanes_ != 0 && comes_back_soon()) continue;
      if (!quantum.may_block) return Turn::Next::wait;
      wait_for_wake(next_timer_ns());
      interrupt_.lower();
      now_ns_ = clock_.monotonic_ns();
      continue;
    }
    step(*nodes_[index]);
    if (elements_handed_ >= quantum.elements || now_ns_ - begin_ns >= quantum.time_ns) return Turn::Next::again;
  }
}

// True: the flow ends here, in good order or not.
bool FlowDriver::heed_requests() noexcept {
  asked_.store(false, std::memory_order_seq_cst);
  if (ended_nodes_ == nodes_.size()) return true;
  if (cancel_.load(std::memory_order_seq_cst) && !ending_) {
    ending_ = true;
    state_ = FlowState::cancelled;
    error_ = Error(ErrorCode::flow_cancelled, "the flow was cancelled");
  }
  if (ending_) return true;
  if (swaps_asked_.load(std::memory_order_acquire)) take_swaps();
  if (reports_asked_.load(std::memory_order_acquire)) give_reports();
  if (sources_stopped_) return false;
  FlowState stop = stop_.load(std::memory_order_acquire);
  if (stop == FlowState::running && now_ns_ >= stop_at_ns_) stop = FlowState::limited;
  if (stop != FlowState::running) {
    state_ = stop;
    stop_at_ns_ = never_ns;
    stop_sources();
  }
  return false;
}

void FlowDriver::stop_sources() noexcept {
  sources_stopped_ = true;
  for (const std::size_t index : sources_) {
    nodes_[index]->stopping = true;
    mark_ready(index);
  }
}

// False: the thread may sleep, and will be woken.
bool FlowDriver::comes_back_soon() noexcept {
  for (std::uint32_t look = 0; look < lanes_home_.looks; ++look) {
    if (lanes_home_.any_back.load(std::memory_order_acquire)) return true;
    if (asked_.load(std::memory_order_relaxed)) break;
    relax();
  }
  lanes_home_.is_waiting.store(true, std::memory_order_seq_cst);
  return lanes_home_.any_back.load(std::memory_order_seq_cst);
}

void FlowDriver::collect_lanes() noexcept {
  lanes_home_.is_waiting.store(false, std::memory_order_relaxed);
  lanes_home_.any_back.exchange(false, std::memory_order_acquire);
  now_ns_ = clock_.monotonic_ns();
  for (const auto& node : nodes_) {
    if (!node->is_parallel()) continue;
    for (const auto& lane : node->lanes) {
      if (lane->state != Lane::State::running || !lane->back.load(std::memory_order_acquire)) continue;
      lane->back.store(false, std::memory_order_relaxed);
      lane->state = lane->was_called ? Lane::State::called : Lane::State::loaded;
      --running_lanes_;
      lane->outcome_counted = !lane->was_called;
      if (lane->was_called) lane->instance.seen = lane->seen;
      mark_ready(node->index);
    }
  }
}

void FlowDriver::fire_timers() noexcept {
  for (const auto& node : nodes_) {
    if (!node->waits() || node->wait_until_ns > now_ns_) continue;
    node->wait_until_ns = 0;
    --waiting_nodes_;
    mark_ready(node->index);
  }
}

void FlowDriver::look_at_fed_sources() noexcept {
  for (const std::size_t source : sources_) {
    Node& node = *nodes_[source];
    if (!node.waits() || !node.only_stage().is_fed() || !node.only_stage().has_something()) continue;
    node.wait_until_ns = 0;
    --waiting_nodes_;
    mark_ready(node.index);
  }
}

std::uint64_t FlowDriver::next_timer_ns() const noexcept {
  std::uint64_t next_ns = sources_stopped_ ? never_ns : stop_at_ns_;
  if (waiting_nodes_ == 0) return next_ns;
  for (const auto& node : nodes_)
    if (node->waits()) next_ns = std::min(next_ns, node->wait_until_ns);
  return next_ns;
}

// The deepest node that may have something to do; sources in turn, when no other node has.
std::size_t FlowDriver::next_ready() noexcept {
  for (std::size_t word = ready_.size(); word-- > 0;) {
    std::uint64_t bits = ready_[word];
    while (bits != 0) {
      const auto bit = static_cast<std::size_t>(63 - std::countl_zero(bits));
      const std::size_t index = word * 64 + bit;
      if (!nodes_[index]->is_source()) return index;
      bits &= ~(std::uint64_t{1} << bit);
    }
  }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (++next_source_ >= sources_.size()) next_source_ = 0;
    const std::size_t index = sources_[next_source_];
    if ((ready_[index / 64] >> (index % 64) & 1U) != 0) return index;
  }
  return nowhere;
}

// The end: what is still in flight is cancelled, and every stage has its last call.
void FlowDriver::wind_up() noexcept {
  // A lane that is back may still be on its way out.
  while (lanes_home_.under_way.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  const bool orderly = !ending_;
  if (orderly && book_.keeps_acks()) tell_acks();
  for (const auto& node : nodes_) {
    for (const auto& lane : node->lanes) {
      // What came of a call that nobody has looked at is void; it was not counted yet.
      if (lane->outcome_counted) book_.end_all(std::span(lane->out).subspan(lane->out_head), Fate::cancelled);
      book_.end_all(lane->in_hand(), Fate::cancelled);
      resources::clear_run(lane->out);
      resources::clear_run(lane->in);
      lane->in_head = lane->out_head = 0;
    }
  }
  Run rest;
  for (const auto& edge : edges_) {
    while (!edge->stream.empty()) {
      edge->stream.take_run(rest, edge->stream.size(), never_ns);
      book_.end_all(rest, Fate::cancelled);
      resources::clear_run(rest);
    }
    if (edge->congested) edge->congested_ns += now_ns_ - edge->congested_since_ns;
  }
  TORVYN_ASSERT(book_.in_flight() == 0, "a flow ended and an element has no fate");
  progress_delivered_.store(book_.counts()[Fate::delivered], std::memory_order_relaxed);
  {
    const std::scoped_lock lock(requests_mutex_);
    swaps_closed_ = true;
  }
  if (swaps_asked_.load(std::memory_order_acquire)) take_swaps();
  for (const auto& node : nodes_)
    if (node->swap != nullptr) refuse_swap(*node, "the flow has ended", {});
  const std::scoped_lock lock(stages_mutex_);
  for (std::size_t index = 0; index < started_; ++index)
    for (const auto& instance : nodes_[index]->instances) instance->stage->finish(orderly);
  ended_ns_ = clock_.monotonic_ns();
  phase_ = Phase::ended;
  {
    const std::scoped_lock closing(requests_mutex_);
    report_closed_ = true;
  }
  give_reports();
}

// ---- from other threads ---------------------------------------------------------------------------------------------------

void FlowDriver::request_stop(FlowState state) noexcept {
  FlowState running = FlowState::running;
  stop_.compare_exchange_strong(running, state, std::memory_order_release, std::memory_order_relaxed);
  ask();
}

// Something was asked of the flow: the last step of asking.
void FlowDriver::ask() noexcept {
  asked_.store(true, std::memory_order_seq_cst);
  interrupt_.raise();
  if (waker_ != nullptr) waker_->wake();
}

void FlowDriver::cancel() noexcept {
  // The driving thread says which stage it calls, then looks at the request; here it is the other way round: one of the two sees the other.
  cancel_.store(true, std::memory_order_seq_cst);
  {
    const std::scoped_lock lock(stages_mutex_);
    if (Stage* const stage = in_call_.load(std::memory_order_seq_cst)) stage->stop();
    for (const auto& node : nodes_)
      if (node->is_parallel())
        for (const auto& instance : node->instances) instance->stage->stop();
  }
  ask();
}

void FlowDriver::request_report(std::function<void(FlowReport)> done) {
  std::unique_lock lock(requests_mutex_);
  if (report_closed_) {
    lock.unlock();
    return done(report());
  }
  reports_.push_back(std::move(done));
  reports_asked_.store(true, std::memory_order_release);
  lock.unlock();
  asked_.store(true, std::memory_order_seq_cst);
  wake();
}

void FlowDriver::give_reports() noexcept {
  std::vector<std::function<void(FlowReport)>> asked;
  {
    const std::scoped_lock lock(requests_mutex_);
    asked.swap(reports_);
    reports_asked_.store(false, std::memory_order_relaxed);
  }
  for (const auto& done : asked) done(report());
}

observability::FlowProgress FlowDriver::progress() const noexcept {
  const std::uint64_t started_ns = progress_started_ns_.load(std::memory_order_relaxed);
  return {.pulled = progress_pulled_.load(std::memory_order_relaxed),
          .delivered = progress_delivered_.load(std::memory_order_relaxed),
          .errors = progress_errors_.load(std::memory_order_relaxed),
          .elapsed_ns = started_ns == 0 ? 0 : clock_.monotonic_ns() - started_ns};
}

// ---- what is said of it -----------------------------------------------------------------------------------------------------

FlowReport FlowDriver::report() const {
  const bool ended = phase_ == Phase::ended;
  FlowReport report;
  report.name = plan_.name;
  report.state = ended ? state_ : FlowState::running;
  if (phase_ != Phase::unstarted) report.duration_ns = (ended ? ended_ns_ : clock_.monotonic_ns()) - started_ns_;
  report.cpu_ns = cpu_ns_;
  report.fates = book_.counts();
  report.p50_ns = latency_.quantile_ns(0.5);
  report.p99_ns = latency_.quantile_ns(0.99);
  report.latency = latency_.counts();
  report.error = error_;
  report.skipped = skipped_;
  for (const auto& node : nodes_) {
    const Meter& meter = node->meter;
    StageReport stage;
    stage.node = node->plan.node;
    stage.component = node->plan.component;
    stage.role = contracts::role_name(node->plan.role);
    stage.path = node->only_stage().path();
    stage.contract = node->plan.contract;
    stage.elements_in = meter.elements_in;
    stage.elements_out = meter.elements_out;
    stage.errors = meter.errors;
    stage.restarts = meter.restarts;
    stage.swaps = meter.swaps;
    stage.swap_pause_ns = meter.swap_pause_ns;
    stage.copies = node->copies_before;
    stage.capabilities = node->capabilities_before;
    stage.state_lost = meter.state_lost;
    stage.rests = meter.rests;
    stage.rested_ns = meter.rested_ns;
    stage.instances = static_cast<std::uint32_t>(node->instances.size());
    stage.parallel = node->is_parallel();
    stage.time_ns = meter.time_ns;
    stage.p50_ns = meter.latency.quantile_ns(0.5);
    stage.p99_ns = meter.latency.quantile_ns(0.99);
    stage.latency = meter.latency.counts();
    for (const auto& instance : node->instances) {
      if (!node->at_work(*instance)) instance->seen = instance->see();
      const Instance::Seen& seen = instance->seen;
      report.cpu_ns += seen.cpu_ns;
      stage.memory_bytes += seen.memory_bytes;
      add(stage.copies, seen.copies);
      security::add(stage.capabilities, seen.capabilities);
    }
    report.stages.push_back(std::move(stage));
  }
  for (const auto& edge : edges_) {
    const Node& from = *nodes_[edge->from];
    report.streams.push_back(
        {.from = from.plan.node + "." + from.plan.ports[edge->port],
         .to = nodes_[edge->to]->plan.node + ".input",
         .transferred = edge->transferred,
         .dropped = edge->dropped,
         .depth = edge->stream.size(),
         .depth_max = edge->depth_max,
         .backpressure_events = edge->congestions,
         .backpressure_ns = edge->congested_ns + (edge->congested && !ended ? now_ns_ - edge->congested_since_ns : 0)});
  }
  if (report.error) {
    const observability::FateCounts& counts = report.fates;
    ErrorDetail& detail = report.error->detail();
    detail.consequence =
        fmt::format("flow {}; {} delivered, {} failed", state_ == FlowState::cancelled ? "cancelled" : "failed",
                    counts[Fate::delivered], counts[Fate::failed]);
    if (started_ == nodes_.size())
      for (const std::size_t sink : sinks_)
        if (const std::string left = nodes_[sink]->only_stage().leftover(); !left.empty())
          detail.consequence += ", " + left;
  }
  return report;
}

void FlowDriver::check_invariants() const {
  std::uint64_t waiting = 0;
  std::uint64_t running = 0;
  std::size_t ended = 0;
  for (const auto& node : nodes_) {
    waiting += node->waits() ? 1U : 0U;
    ended += node->ended ? 1U : 0U;
    for (const auto& lane : node->lanes) {
      running += lane->state == Lane::State::running ? 1U : 0U;
      TORVYN_ASSERT(lane->in_head <= lane->in.size() && lane->in.size() <= plan_.max_batch,
                    "a lane has too much in hand");
      TORVYN_ASSERT(!node->ended || (lane->empty() && lane->out.empty()), "an ended node has elements left");
    }
    std::size_t arrived = 0;
    for (std::size_t i = node->arrivals_head; i < node->arrivals.size(); ++i) arrived += node->arrivals[i].second;
    std::size_t waits = 0;
    for (const std::size_t edge : node->inputs) waits += edges_[edge]->stream.size();
    TORVYN_ASSERT(node->inputs.size() < 2 || arrived == waits, "the order of arrival has lost an element");
  }
  for (const auto& edge : edges_) {
    const StreamBounds& bounds = edge->stream.bounds();
    TORVYN_ASSERT(edge->stream.size() <= bounds.depth, "a stream holds more elements than its bound");
    TORVYN_ASSERT(edge->stream.bytes() <= bounds.bytes || edge->stream.size() == 1,
                  "a stream holds more bytes than its bound");
  }
  TORVYN_ASSERT(waiting == waiting_nodes_ && running == running_lanes_ && ended == ended_nodes_, "the books are wrong");
  TORVYN_ASSERT(book_.counts().accounted() + book_.in_flight() == book_.counts().pulled,
                "an element has no fate, or two");
}

}  // namespace torvyn::reactor
