// What a node does when it is its turn: takes what waits for it, is called, hands on what came of it.
#include <algorithm>
#include <utility>

#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/flow_node.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

namespace {

// The wait for a source that has nothing yet, doubled from the first to the last of these.
constexpr std::uint64_t source_wait_first_ns = 1'000'000;
constexpr std::uint64_t source_wait_last_ns = 500'000'000;

// Inputs of a call that the stage is through with, in order.
std::size_t taken_of(const StageOutcome& outcome, std::size_t offered) noexcept {
  return outcome.status == StageStatus::ok ? offered : outcome.done;
}

// Inputs of a call that went into the stage: those it is through with, and those that ended it.
std::size_t tried_of(const StageOutcome& outcome, std::size_t offered) noexcept {
  const std::size_t taken = taken_of(outcome, offered);
  if (outcome.status == StageStatus::element_error) return taken + 1;
  if (outcome.status == StageStatus::failed) return std::min<std::size_t>(taken + outcome.charged, offered);
  return taken;
}

void check_outcome(const StageOutcome& outcome, std::size_t offered) noexcept {
  TORVYN_ASSERT(outcome.done <= offered, "a stage took more elements than it was given");
  TORVYN_ASSERT(outcome.status != StageStatus::element_error || outcome.done < offered,
                "a stage reported an error about an element it was not given");
  TORVYN_ASSERT(outcome.status != StageStatus::end_of_stream && outcome.status != StageStatus::nothing_yet,
                "a stage that takes elements spoke like a source");
}

}  // namespace

void FlowDriver::step(Node& node) noexcept {
  ready_[node.index / 64] &= ~(std::uint64_t{1} << (node.index % 64));
  if (node.ended) return;
  node.blocked = false;
  if (node.is_source()) {
    step_source(node);
  } else if (!node.is_parallel()) {
    step_one_lane(node);
  } else {
    step_lanes(node);
  }
}

void FlowDriver::wait_until(Node& node, std::uint64_t until_ns) noexcept {
  if (!node.waits()) ++waiting_nodes_;
  node.wait_until_ns = std::max<std::uint64_t>(until_ns, 1);
  became_stuck(node);
}

// A stream that lets elements go does so while its receiver is stuck: those who waited for it to make room have to look again.
void FlowDriver::became_stuck(const Node& node) noexcept {
  for (const std::size_t input : node.inputs) {
    const Edge& edge = *edges_[input];
    if (edge.stream.bounds().full_policy != FullPolicy::block && nodes_[edge.from]->blocked) mark_ready(edge.from);
  }
}

// ---- sources --------------------------------------------------------------------------------------------------------------

void FlowDriver::step_source(Node& node) noexcept {
  Lane& lane = node.only_lane();
  if (!hand_on(node, lane)) return;
  if (lane.state == Lane::State::called) {
    lane.state = Lane::State::idle;
    if (lane.outcome.status == StageStatus::failed) return on_failed(node, lane);
    if (lane.outcome.status == StageStatus::element_error) {
      on_source_error(node);
      if (ending_) return;
    }
  }
  if (node.swap != nullptr && swap_stages(node)) return;
  if (node.stopping) return end_node(node);
  if (node.waits() || rests(node, lane.instance)) return;
  const std::size_t room = demand(node);
  if (room == 0) return;
  tell_acks(node);
  PullLimits limits{
      .elements_max = static_cast<std::uint32_t>(std::min<std::size_t>(plan_.max_batch, room)),
      .bytes_max = plan_.max_batch_bytes,
      .may_wait = quantum_.may_block && waiting_nodes_ == 0 && running_lanes_ == 0 && active_sources_ == 1};
  if (plan_.elements_max) {
    const std::uint64_t left = *plan_.elements_max - book_.counts().pulled;
    if (left == 0) {
      state_ = FlowState::limited;
      return stop_sources();
    }
    limits.elements_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, limits.elements_max));
  }

  Run& run = lane.out;
  in_call_.store(&lane.stage(), std::memory_order_seq_cst);
  if (cancel_.load(std::memory_order_seq_cst)) {
    in_call_.store(nullptr, std::memory_order_release);
    return mark_ready(node.index);
  }
  const std::uint64_t before_ns = clock_.monotonic_ns();
  lane.outcome = lane.stage().pull(limits, run);
  now_ns_ = clock_.monotonic_ns();
  in_call_.store(nullptr, std::memory_order_release);
  const std::uint64_t took_ns = now_ns_ - before_ns;
  node.meter.time_ns += took_ns;
  if (lane.outcome.rests) note_rest(node, lane.instance, now_ns_);
  const std::size_t pulled = run.size();
  TORVYN_ASSERT(pulled <= limits.elements_max, "a source gave more than it was asked for");
  if (pulled != 0) {
    node.next_wait_ns = 0;
    lane.attempts = 0;
    node.meter.elements_out += pulled;
    node.meter.latency.record(took_ns / pulled, pulled);
    elements_handed_ += pulled;
    enter_pulled(node, run);
  }
  switch (lane.outcome.status) {
    case StageStatus::end_of_stream:
      node.stopping = true;
      break;
    case StageStatus::ok:
    case StageStatus::nothing_yet:
      if (pulled == 0) {
        if (lane.stage().is_fed()) return wait_until(node, never_ns);
        if (const std::uint64_t ready_at_ns = lane.stage().ready_at_ns(); ready_at_ns > now_ns_)
          return wait_until(node, ready_at_ns);
        node.next_wait_ns = std::clamp(2 * node.next_wait_ns, source_wait_first_ns, source_wait_last_ns);
        return wait_until(node, now_ns_ + node.next_wait_ns);
      }
      break;
    case StageStatus::element_error:
    case StageStatus::failed:
      // What it gave before goes on first.
      lane.state = Lane::State::called;
      break;
    case StageStatus::pause:
    case StageStatus::closed:
      TORVYN_ASSERT(false, "a source spoke like a sink");
  }
  if (hand_on(node, lane)) mark_ready(node.index);
}

// What the host alone may say about elements that leave a source.
void FlowDriver::enter_pulled(Node& node, Run& run) noexcept {
  const std::uint64_t wall_ns = clock_.wall_ns();
  const std::uint64_t deadline_ns = plan_.deadline_ns ? now_ns_ + *plan_.deadline_ns : 0;
  for (Element& element : run) {
    element.meta.sequence = next_sequence_++;
    element.meta.timestamp_ns = wall_ns;
    element.meta.deadline_ns = deadline_ns;
    element.port = 0;
  }
  book_.open(static_cast<std::uint16_t>(node.index), node.given, run, now_ns_);
  node.given += run.size();
  progress_pulled_.store(book_.counts().pulled, std::memory_order_relaxed);
}

// What an aggregator made is new: it descends from many, or from none that is still counted.
void FlowDriver::enter_created(Node& node, Run& run) noexcept {
  if (run.empty()) return;
  const std::uint64_t wall_ns = clock_.wall_ns();
  for (Element& element : run) {
    element.meta.sequence = next_sequence_++;
    element.meta.timestamp_ns = wall_ns;
    element.meta.deadline_ns = 0;
    element.port = 0;
  }
  book_.open_created(static_cast<std::uint16_t>(node.index), run, now_ns_);
  node.absorbed = 0;
}

// ---- nodes that take elements ---------------------------------------------------------------------------------------------

void FlowDriver::step_one_lane(Node& node) noexcept {
  Lane& lane = node.only_lane();
  if (!hand_on(node, lane)) return;
  if (lane.state == Lane::State::called) {
    settle(node, lane);
    // Cancelled: an instance that has ended was left as it is.
    if (ending_ || cancel_.load(std::memory_order_acquire) || !lane.handed_on()) return;
  }
  if (node.swap != nullptr && swap_stages(node)) return;
  if (node.waits() || rests(node, lane.instance)) return;
  if (lane.empty() && !load(node, lane)) return at_rest(node);
  if (!ready_to_call(node, lane)) return;
  call(node, lane);
  after_call(node, lane);
  if (!hand_on(node, lane)) return;
  if (lane.outcome.status == StageStatus::ok) {
    lane.state = lane.empty() ? Lane::State::idle : Lane::State::loaded;
    if (lane.empty() && node.open_inputs != 0 && node.swap == nullptr && nothing_waits(node)) return;
  }
  mark_ready(node.index);
}

bool FlowDriver::nothing_waits(const Node& node) const noexcept {
  return std::ranges::all_of(node.inputs, [this](std::size_t input) { return edges_[input]->stream.empty(); });
}

// What came back is handed on and settled in the order it was given out; then every idle lane gets something to do.
void FlowDriver::step_lanes(Node& node) noexcept {
  if (node.lanes_rest) {
    // Something has happened, or the time has come: it is decided anew below.
    node.lanes_rest = false;
    if (node.waits()) --waiting_nodes_;
    node.wait_until_ns = 0;
  }
  // An aggregator's flush.
  if (node.in_order.empty() && !hand_on(node, node.only_lane())) return;
  while (!node.in_order.empty()) {
    Lane& lane = *node.lanes[node.in_order.front()];
    if (lane.state == Lane::State::running) break;
    if (lane.state == Lane::State::called && !lane.outcome_counted) after_call(node, lane);
    if (!hand_on(node, lane)) return;
    if (lane.state == Lane::State::called) {
      settle(node, lane);
      if (ending_ || cancel_.load(std::memory_order_acquire) || !lane.handed_on()) return;
    }
    if (node.waits()) return;
    if (!lane.empty()) {
      if (!resume(node)) return;
      break;
    }
    lane.state = Lane::State::idle;
    node.in_order.erase(node.in_order.begin());
  }
  if (node.swap != nullptr && swap_stages(node)) return;
  for (std::size_t i = 0; i < node.lanes.size() && !has_gap(node); ++i) {
    Lane& lane = *node.lanes[i];
    if (lane.state != Lane::State::idle || !lane.empty() || is_resting(lane.instance)) continue;
    if (!load(node, lane)) break;
    node.in_order.push_back(i);
    lane.offered = node.gone ? 0 : offerable(lane);
    if (lane.offered != 0) {
      submit(node, lane);
    } else if (node.in_order.size() == 1) {
      mark_ready(node.index);  // late, or nobody takes it: dealt with when it is this lane's turn, which is now
    }
  }
  wait_for_lanes(node);
  if (node.in_order.empty()) return at_rest(node);
  if (is_stuck(node)) became_stuck(node);
}

// The oldest lane has something left in hand. False: it is not to be called with it now.
bool FlowDriver::resume(Node& node) noexcept {
  Lane& oldest = *node.lanes[node.in_order.front()];
  if (node.at_work(oldest.instance)) return true;  // those behind come back as they are: woken by the last of them
  if (rests(node, oldest.instance) || !ready_to_call(node, oldest)) return false;
  submit(node, oldest);
  if (node.instances.size() > 1) return true;
  // Its instance had halted: those behind go again.
  for (std::size_t i = 1; i < node.in_order.size() && node.lanes[node.in_order[i - 1]]->offered_whole(); ++i) {
    Lane& lane = *node.lanes[node.in_order[i]];
    lane.offered = offerable(lane);
    if (lane.offered == 0) break;
    submit(node, lane);
  }
  return true;
}

// Lanes of one instance are called in their order: one that leaves something behind holds up those that come after it.
bool FlowDriver::has_gap(const Node& node) noexcept {
  if (node.instances.size() > 1) return false;
  return std::ranges::any_of(node.in_order, [&](std::size_t index) {
    const Lane& lane = *node.lanes[index];
    return lane.state == Lane::State::loaded || !lane.offered_whole();
  });
}

// ---- a share of the CPU ---------------------------------------------------------------------------------------------------

// A call used up what its stage may use.
void FlowDriver::note_rest(Node& node, Instance& instance, std::uint64_t now_ns) noexcept {
  instance.rest_until_ns = instance.stage->rest_until_ns();
  if (instance.rest_until_ns <= now_ns) return;
  ++node.meter.rests;
  node.meter.rested_ns += instance.rest_until_ns - now_ns;
}

bool FlowDriver::is_resting(Instance& instance) const noexcept {
  if (instance.rest_until_ns == 0) [[likely]]
    return false;
  if (instance.rest_until_ns > now_ns_) return true;
  instance.rest_until_ns = 0;
  return false;
}

// True: the stage is not to be called now, and the node is woken when it is.
bool FlowDriver::rests(Node& node, Instance& instance) noexcept {
  if (!is_resting(instance) || node.gone) return false;
  wait_until(node, instance.rest_until_ns);
  return true;
}

// Where each lane is at work or rests, and one rests: the node waits for it, or for a lane that comes back. A free one is woken by whatever
// comes.
void FlowDriver::wait_for_lanes(Node& node) noexcept {
  std::uint64_t until_ns = never_ns;
  for (const auto& lane : node.lanes) {
    if (lane->state != Lane::State::idle || !lane->empty()) continue;
    if (!is_resting(lane->instance)) return;
    until_ns = std::min(until_ns, lane->instance.rest_until_ns);
  }
  if (until_ns == never_ns) return;
  node.lanes_rest = true;
  wait_until(node, until_ns);
}

// False: there is nothing to call it with now.
bool FlowDriver::ready_to_call(Node& node, Lane& lane) noexcept {
  if (node.gone) {
    book_.end_all(lane.in_hand(), Fate::cancelled);
    resources::clear_run(lane.in);
    lane.in_head = 0;
    mark_ready(node.index);
    return false;
  }
  lane.offered = offerable(lane);
  if (lane.offered != 0) return true;
  on_late(node, lane);
  return false;
}

// How many of those in hand go into the next call: one where it may end the instance, none where the first comes too late.
std::size_t FlowDriver::offerable(Lane& lane) const noexcept {
  const std::span<Element> in_hand = lane.in_hand();
  const std::size_t most = lane.singles != 0 || lane.suspect ? 1 : in_hand.size();
  if (!plan_.deadline_ns) return most;
  std::size_t in_time = 0;
  while (in_time < most && (in_hand[in_time].meta.deadline_ns == 0 || in_hand[in_time].meta.deadline_ns > now_ns_))
    ++in_time;
  return in_time;
}

void FlowDriver::call(Node& node, Lane& lane) noexcept {
  const std::span<Element> run = lane.in_hand().first(lane.offered);
  in_call_.store(&lane.stage(), std::memory_order_seq_cst);
  if (cancel_.load(std::memory_order_seq_cst)) {
    // Not called: the flow ends at once.
    in_call_.store(nullptr, std::memory_order_release);
    lane.outcome = {.status = StageStatus::pause, .done = 0};
    lane.took_ns = 0;
    return;
  }
  const std::uint64_t before_ns = clock_.monotonic_ns();
  lane.outcome = node.is_sink() ? lane.stage().push(run) : lane.stage().process(run, lane.out);
  now_ns_ = clock_.monotonic_ns();
  in_call_.store(nullptr, std::memory_order_release);
  lane.took_ns = now_ns_ - before_ns;
}

void FlowDriver::submit(const Node& node, Lane& lane) noexcept {
  if (!node.at_work(lane.instance)) lane.instance.go_on();
  lane.state = Lane::State::running;
  lane.outcome_counted = false;
  ++running_lanes_;
  lane.instance.offer(lane);
}

// Counts what a call did, and lets go of what it took.
void FlowDriver::after_call(Node& node, Lane& lane) noexcept {
  const StageOutcome& outcome = lane.outcome;
  check_outcome(outcome, lane.offered);
  lane.state = Lane::State::called;
  lane.outcome_counted = true;
  node.meter.time_ns += lane.took_ns;
  if (outcome.rests) note_rest(node, lane.instance, now_ns_);
  const std::size_t tried = tried_of(outcome, lane.offered);
  if (tried != 0) {
    node.meter.elements_in += tried;
    node.meter.latency.record(lane.took_ns / tried, tried);
    elements_handed_ += tried;
  }
  const std::size_t taken = taken_of(outcome, lane.offered);
  const std::span<Element> through = lane.in_hand().first(taken);
  node.meter.elements_out += lane.out.size();
  if (node.is_sink()) {
    std::uint64_t same_ns = 0;
    std::uint64_t same = 0;
    for (const Element& element : through) {
      if (element.lineage == resources::no_lineage) continue;
      if (!book_.created(element.lineage)) {
        const std::uint64_t entered_ns = book_.entered_ns(element.lineage);
        if (entered_ns != same_ns && same != 0) {
          latency_.record(now_ns_ - same_ns, same);
          same = 0;
        }
        same_ns = entered_ns;
        ++same;
      }
      book_.end(element.lineage, Fate::delivered);
    }
    if (same != 0) latency_.record(now_ns_ - same_ns, same);
    progress_delivered_.store(book_.counts()[Fate::delivered], std::memory_order_relaxed);
  } else if (node.is_aggregator()) {
    node.absorbed += taken;
    book_.absorb(static_cast<std::uint16_t>(node.index), through);
    enter_created(node, lane.out);
  } else {
    book_.descend(through, lane.out);
  }
  if (taken == 0) return;
  // Their buffers go back before the next stage asks for some.
  resources::release_elements(through);
  lane.in_head += taken;
  lane.attempts = 0;
  lane.suspect = false;
  lane.singles -= static_cast<std::uint32_t>(std::min<std::size_t>(lane.singles, taken));
  if (lane.empty()) {
    lane.in.clear();
    lane.in_head = 0;
  }
  if (node.paused && outcome.status != StageStatus::pause) {
    node.paused = false;
    node.next_wait_ns = 0;
    pressure_changed(node);
  }
}

// Deals with how a call ended, once all that came of it has gone on: a run behaves like its elements one by one.
void FlowDriver::settle(Node& node, Lane& lane) noexcept {
  lane.state = lane.empty() ? Lane::State::idle : Lane::State::loaded;
  switch (lane.outcome.status) {
    case StageStatus::ok:
      return;
    case StageStatus::pause:
      return on_pause(node, lane);
    case StageStatus::closed:
      return on_closed(node);
    case StageStatus::element_error:
      return on_element_error(node, lane);
    case StageStatus::failed:
      return on_failed(node, lane);
    case StageStatus::end_of_stream:
    case StageStatus::nothing_yet:
      break;
  }
}

// As much as waits for the node and has room behind it. False: nothing, or no room.
bool FlowDriver::load(Node& node, Lane& lane) noexcept {
  std::size_t input = 0;
  std::size_t most = plan_.max_batch;
  if (node.inputs.size() > 1) {
    if (node.arrivals_head == node.arrivals.size()) return false;
    input = node.arrivals[node.arrivals_head].first;
    most = std::min<std::size_t>(most, node.arrivals[node.arrivals_head].second);
  } else if (edges_[node.inputs.front()]->stream.empty()) {
    return false;
  }
  if (!node.is_sink() && !node.gone) {
    const std::size_t room = demand(node);
    if (room == 0) return false;
    most = std::min(most, room);
  }
  // Several instances share what waits.
  if (const std::size_t several = node.instances.size(); several > 1) {
    const std::size_t waiting = edges_[node.inputs[input]]->stream.size();
    most = std::min(most, std::max<std::size_t>(1, (waiting + several - 1) / several));
  }
  Edge& edge = *edges_[node.inputs[input]];
  const bool was_full = edge.stream.full();
  edge.stream.take_run(lane.in, most, plan_.max_batch_bytes);
  lane.in_head = 0;
  lane.state = Lane::State::loaded;
  const std::size_t count = lane.in.size();
  edge.transferred += count;
  if (node.inputs.size() > 1) {
    auto& [from, left] = node.arrivals[node.arrivals_head];
    left -= static_cast<std::uint32_t>(count);
    if (left == 0 && ++node.arrivals_head == node.arrivals.size()) {
      node.arrivals.clear();
      node.arrivals_head = 0;
    }
  }
  Node& producer = *nodes_[edge.from];
  if (producer.blocked && !edge.stream.full()) mark_ready(producer.index);
  if (was_full || edge.congested) congestion_changed(edge);
  return true;
}

// How many elements its streams would take; 0: it is blocked, and will be woken.
std::size_t FlowDriver::demand(Node& node) noexcept {
  std::size_t room = plan_.max_batch;
  for (const auto& port : node.outputs) {
    for (const std::size_t index : port) {
      Edge& edge = *edges_[index];
      if (edge.stream.bounds().full_policy != FullPolicy::block) continue;
      const std::size_t credits = edge.stream.ask();
      if (credits == 0 && !edge.congested) congestion_changed(edge);
      room = std::min(room, credits);
    }
  }
  if (room == 0) block(node);
  return room;
}

void FlowDriver::block(Node& node) noexcept {
  node.blocked = true;
  became_stuck(node);
}

// ---- handing on -----------------------------------------------------------------------------------------------------------

// What came of a call goes to the streams. False: some is left, for want of room; the node is woken when there is some.
bool FlowDriver::hand_on(Node& node, Lane& lane) noexcept {
  if (lane.out.empty()) return true;
  if (node.only_output != nowhere) {
    Edge& edge = *edges_[node.only_output];
    const std::size_t count = lane.out.size() - lane.out_head;
    if (edge.stream.offer_run(lane.out, lane.out_head)) {
      lane.out.clear();
      lane.out_head = 0;
      arrived(edge, count);
      return true;
    }
  }
  while (lane.out_head < lane.out.size()) {
    if (!hand_one(node, lane.out[lane.out_head])) {
      block(node);
      return false;
    }
    ++lane.out_head;
    if (ending_) return false;  // a stream overflowed that must not
  }
  lane.out.clear();
  lane.out_head = 0;
  return true;
}

// One element to every edge of its port, or to none yet.
bool FlowDriver::hand_one(Node& node, Element& element) noexcept {
  TORVYN_ASSERT(element.port < node.outputs.size(), "an element leaves by a port its node doesn't have");
  const std::vector<std::size_t>& ways = node.outputs[element.port];
  for (const std::size_t way : ways) {
    Edge& edge = *edges_[way];
    if (edge.stream.offer(element)) continue;
    if (edge.stream.bounds().full_policy == FullPolicy::block) {
      if (!edge.congested) congestion_changed(edge);
      return false;
    }
    // It is let go only where waiting would not help: a receiver that can go on makes room at once.
    if (!is_stuck(*nodes_[edge.to])) {
      mark_ready(edge.to);
      return false;
    }
  }
  const resources::LineageId lineage = element.lineage;
  book_.branch(lineage, static_cast<std::uint32_t>(ways.size()));
  Element given = std::move(element);
  given.port = 0;  // a stage that passes it on as it came has one port
  for (std::size_t i = 0; i + 1 < ways.size(); ++i) {
    Edge& edge = *edges_[ways[i]];
    if (!edge.stream.offer(given) && !overflow(edge, given)) continue;
    edge.stream.put(given);
    arrived(edge, 1);
  }
  Edge& last = *edges_[ways.back()];
  if (last.stream.offer(given) || overflow(last, given)) {
    last.stream.put(std::move(given));
    arrived(last, 1);
  }
  book_.end(lineage, Fate::filtered);
  return true;
}

// The stream is full, and its policy is not to wait. True: there is room now.
bool FlowDriver::overflow(Edge& edge, const Element& element) noexcept {
  switch (edge.stream.bounds().full_policy) {
    case FullPolicy::drop_oldest:
      // An element may need the room of several.
      while (!edge.stream.offer(element)) {
        const Element oldest = edge.stream.take_oldest();
        ++edge.dropped;
        book_.end(oldest.lineage, Fate::dropped);
        forget_arrival(edge);
      }
      return true;
    case FullPolicy::drop_newest:
      ++edge.dropped;
      book_.end(element.lineage, Fate::dropped);
      return false;
    case FullPolicy::error:
      book_.end(element.lineage, Fate::failed);
      fail_flow(*nodes_[edge.from],
                Error(ErrorCode::capacity_exceeded, "the stream to `" + nodes_[edge.to]->plan.node + "` is full",
                      "raise its queue_depth or queue_bytes, or choose another backpressure_policy"),
                nullptr);
      return false;
    case FullPolicy::block:
      break;
  }
  TORVYN_ASSERT(false, "a stream that blocks overflowed");
  return false;
}

void FlowDriver::arrived(Edge& edge, std::size_t count) noexcept {
  edge.depth_max = std::max<std::uint64_t>(edge.depth_max, edge.stream.size());
  Node& to = *nodes_[edge.to];
  if (to.inputs.size() > 1) {
    if (to.arrivals_head != to.arrivals.size() && to.arrivals.back().first == edge.input) {
      to.arrivals.back().second += static_cast<std::uint32_t>(count);
    } else {
      if (to.arrivals_head != 0 && to.arrivals.size() == to.arrivals.capacity()) {
        to.arrivals.erase(to.arrivals.begin(), to.arrivals.begin() + static_cast<std::ptrdiff_t>(to.arrivals_head));
        to.arrivals_head = 0;
      }
      to.arrivals.emplace_back(edge.input, static_cast<std::uint32_t>(count));
    }
  }
  if (!to.waits()) mark_ready(edge.to);
}

// The oldest element of a stream is the first of the stream's in the order of arrival.
void FlowDriver::forget_arrival(const Edge& edge) noexcept {
  Node& to = *nodes_[edge.to];
  if (to.inputs.size() < 2) return;
  const auto from_here = to.arrivals.begin() + static_cast<std::ptrdiff_t>(to.arrivals_head);
  const auto first =
      std::find_if(from_here, to.arrivals.end(), [&](const auto& entry) { return entry.first == edge.input; });
  TORVYN_ASSERT(first != to.arrivals.end(), "an element waits that never arrived");
  if (--first->second == 0) to.arrivals.erase(first);
}

// It will not take an element before something happens that is not in its hands: a time, another thread, a stream behind it.
bool FlowDriver::is_stuck(const Node& node) const noexcept {
  if (node.waits() || node.blocked) return true;
  if (!node.is_parallel()) return false;
  return has_gap(node) ||
         std::ranges::none_of(node.lanes, [](const auto& lane) { return lane->state == Lane::State::idle; });
}

// ---- ends -----------------------------------------------------------------------------------------------------------------

// Nothing waits for the node. Where nothing will come any more, it makes an end.
void FlowDriver::at_rest(Node& node) noexcept {
  if (node.blocked) return;
  if (node.paused) {
    // Its wait is over, and there is nothing to offer it.
    node.paused = false;
    node.next_wait_ns = 0;
    pressure_changed(node);
  }
  if (node.open_inputs != 0 || !nothing_waits(node)) return;
  if (node.is_aggregator() && !node.flushed) return flush(node);
  if (node.is_sink() && !node.gone) {
    Lane& lane = node.only_lane();
    if (rests(node, lane.instance)) return;
    in_call_.store(&lane.stage(), std::memory_order_seq_cst);
    const bool cancelled = cancel_.load(std::memory_order_seq_cst);
    const Status completed = cancelled ? Status() : lane.stage().complete();
    in_call_.store(nullptr, std::memory_order_release);
    // A call that was stopped because the flow is to end says nothing of the stage.
    if (cancelled || (!completed && cancel_.load(std::memory_order_acquire))) return mark_ready(node.index);
    if (!completed) {
      count_error(node);
      return fail_flow(node, completed.error(), nullptr);
    }
  }
  end_node(node);
}

// At an orderly end an aggregator gives what it holds.
void FlowDriver::flush(Node& node) noexcept {
  Lane& lane = node.only_lane();
  if (rests(node, lane.instance)) return;
  in_call_.store(&lane.stage(), std::memory_order_seq_cst);
  if (cancel_.load(std::memory_order_seq_cst)) {
    in_call_.store(nullptr, std::memory_order_release);
    return mark_ready(node.index);
  }
  const std::uint64_t before_ns = clock_.monotonic_ns();
  const StageOutcome outcome = lane.stage().flush(lane.out);
  now_ns_ = clock_.monotonic_ns();
  in_call_.store(nullptr, std::memory_order_release);
  node.meter.time_ns += now_ns_ - before_ns;
  if (outcome.rests) note_rest(node, lane.instance, now_ns_);
  node.meter.elements_out += lane.out.size();
  elements_handed_ += lane.out.size();
  enter_created(node, lane.out);
  switch (outcome.status) {
    case StageStatus::ok:
      if (book_.keeps_acks()) acks_.go_on_holding(book_.ack_aggregator(node.index));
      break;
    case StageStatus::end_of_stream:
      node.flushed = true;
      // Of what came before its last output, nothing is left in it.
      if (book_.keeps_acks()) acks_.release(book_.ack_aggregator(node.index));
      break;
    case StageStatus::failed:
      if (cancel_.load(std::memory_order_acquire)) return mark_ready(node.index);
      count_error(node);
      node.meter.state_lost += node.absorbed;
      return fail_flow(node, lane.stage().failure(), nullptr);
    case StageStatus::element_error: {
      count_error(node);
      const ElementError& said = lane.stage().element_error();
      return fail_flow(node,
                       Error(ErrorCode::complete_failed,
                             std::string("`flush` returned ") + process_error_name(said.kind) + ": " + said.text),
                       nullptr);
    }
    case StageStatus::nothing_yet:
    case StageStatus::pause:
    case StageStatus::closed:
      TORVYN_ASSERT(false, "an aggregator's flush spoke like a source's pull or a sink's push");
  }
  if (hand_on(node, lane)) mark_ready(node.index);
}

void FlowDriver::end_node(Node& node) noexcept {
  node.ended = true;
  ++ended_nodes_;
  if (node.is_source()) --active_sources_;
  if (node.waits()) {
    node.wait_until_ns = 0;
    --waiting_nodes_;
  }
  for (const auto& port : node.outputs) {
    for (const std::size_t way : port) {
      Node& to = *nodes_[edges_[way]->to];
      --to.open_inputs;
      mark_ready(to.index);
    }
  }
}

// ---- backpressure ---------------------------------------------------------------------------------------------------------

// A stream is congested from when it is full, or its receiver under pressure, until it has run down to its low mark and neither holds.
void FlowDriver::congestion_changed(Edge& edge) noexcept {
  const bool waits = edge.stream.bounds().full_policy == FullPolicy::block;
  const bool congested =
      waits && (edge.stream.full() || nodes_[edge.to]->pressed || (edge.congested && !edge.stream.at_low_mark()));
  if (congested == edge.congested) return;
  edge.congested = congested;
  if (congested) {
    ++edge.congestions;
    edge.congested_since_ns = now_ns_;
  } else {
    edge.congested_ns += now_ns_ - edge.congested_since_ns;
  }
  pressure_changed(*nodes_[edge.from]);
}

// Goes on upstream to the sources, which hear of it.
void FlowDriver::pressure_changed(Node& node) noexcept {
  bool pressed = node.paused;
  for (const auto& port : node.outputs)
    for (const std::size_t way : port) pressed = pressed || edges_[way]->congested;
  if (pressed == node.pressed) return;
  node.pressed = pressed;
  if (node.is_source()) {
    if (!node.ended && !node.stopping) node.only_stage().notify_backpressure(pressed);
    return;
  }
  for (const std::size_t input : node.inputs) congestion_changed(*edges_[input]);
}

}  // namespace torvyn::reactor
