// Another stage in a node's place, and what sources hear of their elements.
#include <algorithm>
#include <utility>

#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/flow_node.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

void FlowDriver::request_swap(SwapRequest request) {
  std::unique_lock lock(requests_mutex_);
  if (swaps_closed_) {
    lock.unlock();
    return refuse(request, "the flow has ended", {});
  }
  swaps_.push_back(std::move(request));
  swaps_asked_.store(true, std::memory_order_release);
  lock.unlock();
  asked_.store(true, std::memory_order_seq_cst);
  wake();
}

void FlowDriver::take_swaps() noexcept {
  std::vector<SwapRequest> asked;
  {
    const std::scoped_lock lock(requests_mutex_);
    asked.swap(swaps_);
    swaps_asked_.store(false, std::memory_order_relaxed);
  }
  for (SwapRequest& request : asked) {
    Node& node = *nodes_[request.node];
    if (request.stages.size() != node.instances.size()) {
      refuse(request, "the node has another number of instances", {});
    } else if (node.ended) {
      refuse(request, "the node has ended", {});
    } else if (node.is_source() && node.ack_source == nowhere) {
      refuse(request, "it is a source that does not hear of acks: nobody would know what it has lost",
             "restart the flow with the new component");
    } else if (node.is_aggregator() && !request.flush) {
      refuse(request, "it is an aggregator: what it holds would be lost",
             "--flush has it give out what it holds first, as a window that is not full");
    } else {
      // The one asked for before gives way: this one takes over from whatever is there. An aggregator may have begun to flush for it, so no
      // request may take its place and be refused then.
      if (node.swap != nullptr) refuse_swap(node, "another swap of the node was asked for", {});
      node.swap = std::make_unique<SwapRequest>(std::move(request));
      node.swap_since_ns = now_ns_;
      mark_ready(node.index);
    }
  }
}

void FlowDriver::refuse_swap(Node& node, const std::string& why, std::string hint) noexcept {
  refuse(*std::exchange(node.swap, nullptr), why, std::move(hint));
}

void FlowDriver::refuse(const SwapRequest& request, const std::string& why, std::string hint) noexcept {
  for (const auto& stage : request.stages) stage->finish(false);
  const Node& node = *nodes_[request.node];
  Error error(ErrorCode::usage, "`" + node.plan.node + "` cannot be swapped: " + why, std::move(hint));
  request.done(fail(std::move(error).at_node(plan_.name, node.plan.node, {})));
}

// Called where the node has handed on all that came of its last call. True: it is not to be called with more now.
bool FlowDriver::swap_stages(Node& node) noexcept {
  for (const auto& lane : node.lanes)
    if (lane->state == Lane::State::running || lane->state == Lane::State::called || !lane->handed_on()) return true;
  Stage& old = node.only_stage();
  if (node.is_source()) {
    // Woken by the acks of what is still on its way.
    tell_acks(node);
    if (node.acked != node.given) {
      if (!acks_.only_aggregators_hold(node.ack_source, node.given)) return true;
      // Without more elements they may hold them for ever.
      refuse_swap(node, "an aggregator holds elements that it gave: they would come twice",
                  "restart the flow with the new component");
      return false;
    }
  }
  if (node.is_aggregator() && !node.flushed) {
    flush(node);
    return true;
  }
  if (node.is_sink() && !node.gone) {
    if (rests(node, *node.instances.front())) return true;
    in_call_.store(&old, std::memory_order_seq_cst);
    const bool cancelled = cancel_.load(std::memory_order_seq_cst);
    const Status completed = cancelled ? Status() : old.complete();
    in_call_.store(nullptr, std::memory_order_release);
    // A call that was stopped because the flow is to end says nothing of the stage.
    if (cancelled || (!completed && cancel_.load(std::memory_order_acquire))) return true;
    if (!completed) {
      count_error(node);
      fail_flow(node, completed.error(), nullptr);
      return true;
    }
  }
  const std::unique_ptr<SwapRequest> request = std::exchange(node.swap, nullptr);
  {
    const std::scoped_lock lock(stages_mutex_);
    for (std::size_t i = 0; i < node.instances.size(); ++i) {
      Instance& instance = *node.instances[i];
      instance.stage->finish(true);
      add(node.copies_before, instance.stage->copies());
      security::add(node.capabilities_before, instance.stage->capabilities());
      instance.stage = std::move(request->stages[i]);
      instance.rest_until_ns = 0;
      instance.go_on();
    }
    for (const auto& lane : node.lanes) lane->attempts = 0;
  }
  node.flushed = false;
  node.restarted_ns.clear();
  if (node.is_source()) begin_anew(node);
  node.plan.component = std::move(request->component);
  now_ns_ = clock_.monotonic_ns();
  const std::uint64_t pause_ns = now_ns_ - node.swap_since_ns;
  ++node.meter.swaps;
  node.meter.swap_pause_ns = std::max(node.meter.swap_pause_ns, pause_ns);
  mark_ready(node.index);
  request->done(pause_ns);
  return true;
}

// A fresh instance of a source knows nothing of what was said before.
void FlowDriver::begin_anew(Node& node) noexcept {
  node.given_before = node.acked = node.given;
  if (node.pressed) node.only_stage().notify_backpressure(true);
}

// ---- acks -------------------------------------------------------------------------------------------------------------------

void FlowDriver::tell_acks() noexcept {
  for (const std::size_t index : sources_) {
    Node& node = *nodes_[index];
    tell_acks(node);
    if (node.swap != nullptr) mark_ready(index);
  }
}

// A source hears how many of the elements its present instance gave have met their fates, in order.
void FlowDriver::tell_acks(Node& node) noexcept {
  if (node.ack_source == nowhere || ending_) return;
  const std::uint64_t up_to = acks_.up_to(node.ack_source);
  if (up_to <= node.acked) return;
  node.acked = up_to;
  Stage& stage = node.only_stage();
  if (stage.wants_acks()) stage.acknowledge(up_to - node.given_before);
}

}  // namespace torvyn::reactor
