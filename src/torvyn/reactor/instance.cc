#include "torvyn/reactor/instance.h"

#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/flow_node.h"

namespace torvyn::reactor {

namespace {

// Then the job goes to the end of its flow's queue: others wait for a worker too.
constexpr std::uint32_t calls_of_a_job = 16;

}  // namespace

void Instance::offer(Lane& lane) noexcept {
  queue_[tail_++ % lanes_max] = &lane;
  if (under_way_.fetch_add(1, std::memory_order_acq_rel) != 0) return;
  under_way_.fetch_add(1, std::memory_order_relaxed);  // the job: only it could have taken the lane away
  home->under_way.fetch_add(1, std::memory_order_relaxed);
  home->executor->submit(*this);
}

std::uint64_t Instance::run() noexcept {
  // Once the job is no longer under way the flow may be gone, and with it this.
  LanesHome& at = *home;
  const std::uint64_t cpu_before_ns = thread_cpu_ns();
  std::uint64_t work_ns = 0;
  for (std::uint32_t calls = 1;; ++calls) {
    Lane& lane = *queue_[head_++ % lanes_max];
    lane.was_called = !is_halted_;
    if (lane.was_called) call(lane);
    const std::uint64_t so_far_ns = thread_cpu_ns() - cpu_before_ns;
    cpu_ns_ += so_far_ns - work_ns;
    work_ns = so_far_ns;
    if (lane.was_called) lane.seen = see();
    lane.back.store(true, std::memory_order_release);
    at.any_back.store(true, std::memory_order_seq_cst);
    under_way_.fetch_sub(1, std::memory_order_acq_rel);
    if (at.is_waiting.load(std::memory_order_seq_cst)) at.flow->wake();
    if (!has_more()) break;
    if (calls == calls_of_a_job) {
      at.executor->submit(*this);
      return work_ns;
    }
  }
  at.under_way.fetch_sub(1, std::memory_order_release);
  return work_ns;
}

bool Instance::has_more() noexcept {
  for (std::uint32_t look = 0; look < home->looks; ++look) {
    if (under_way_.load(std::memory_order_acquire) > 1) return true;
    relax();
  }
  std::uint32_t only_this = 1;
  return !under_way_.compare_exchange_strong(only_this, 0, std::memory_order_acq_rel);
}

void Instance::call(Lane& lane) noexcept {
  const std::span<Element> in = lane.in_hand().first(lane.offered);
  const std::uint64_t before_ns = clock->monotonic_ns();
  lane.outcome = is_sink ? stage->push(in) : stage->process(in, lane.out);
  lane.took_ns = clock->monotonic_ns() - before_ns;
  is_halted_ = lane.outcome.status != StageStatus::ok || lane.outcome.rests;
}

Instance::Seen Instance::see() const noexcept {
  return {.copies = stage->copies(),
          .capabilities = stage->capabilities(),
          .memory_bytes = stage->memory_bytes(),
          .cpu_ns = cpu_ns_};
}

}  // namespace torvyn::reactor
