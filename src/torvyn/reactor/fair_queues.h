// Who is next: weighted fair queueing over several queues, without threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace torvyn::reactor {

// The least share: weight 1, priority 0. Virtual time, 64 bits of nanoseconds, lasts such a flow for 18 years of work.
inline constexpr double share_min = 1.0 / 32;

// weight × 2^(priority − 5). Requires: weight at least 1, priority at most 10.
inline double flow_share(std::uint32_t weight, std::uint32_t priority) noexcept {
  return static_cast<double>(weight) * static_cast<double>(1U << priority) * share_min;
}

// A flow as fair queueing sees it. Its virtual time is the work it has had, in nanoseconds, divided by its share: who has the least is
// next, so all of them advance together, and work is divided by share.
// Thread: one at a time; whoever drives it or queues it.
struct Contender {
  // Requires: share ≥ share_min. `home` is the queue it enters, until another one takes it.
  Contender(double share, std::uint32_t home) noexcept;

  // For a turn. At least 1 ns is charged.
  void charge(std::uint64_t work_ns) noexcept;

  double cost;         // of a nanosecond, in virtual ones: 1 / share
  double part_ns = 0;  // charged and not yet in `virtual_ns`: less than 1
  std::uint64_t virtual_ns = 0;
  std::uint64_t arrival = 0;
  std::uint32_t home;
  Contender* child = nullptr;  // belong to the queue
  Contender* sibling = nullptr;
  Contender* before = nullptr;
};

// The queues of runnable flows, one a worker, and the rule who is next. Holds no threads: a test can play the workers.
//
// A worker takes the contender with the least virtual time of its own queue, the one that came first among equals. It takes one from
// another queue (the one furthest behind, which then lives here) when its own is empty, or is ahead of that queue by more than
// two quanta of virtual time. So the queues advance together, and a contender seldom changes caches.
//
// Service time is the virtual time of the contender that was furthest ahead when its turn came. Whoever becomes runnable after waiting,
// or is new, is put level with it: sleeping earns no credit. On one worker that is the least virtual time in service. On several
// it is not, on purpose: a flow whose share is more than one thread can give falls behind for ever, and who is put level with that one
// would hold up all others until it caught up. For the same reason a flow's arrears are limited, to 64 quanta: twice what a flow of the
// least share is charged for a turn, so arrears that work is going to settle are not touched where turns keep to their quantum.
//
// Thread: any. Allocates nothing after construction: contenders are linked through themselves.
class FairQueues {
 public:
  FairQueues(std::uint32_t queues, std::uint64_t quantum_ns);
  ~FairQueues();
  FairQueues(const FairQueues&) = delete;
  FairQueues& operator=(const FairQueues&) = delete;

  // New, or after waiting: to its home. The contender stays alive until `next` gave it back.
  void enter(Contender& contender) noexcept;
  // After a turn, when it could go on.
  void put_back(std::uint32_t queue, Contender& contender) noexcept;
  // Who is next, taken out of its queue; null when all are empty.
  Contender* next(std::uint32_t queue) noexcept;

  // Whether anyone is queued. Sequentially consistent with `enter` and `put_back`.
  bool any() const noexcept;
  // Contenders that `next(queue)` took from other queues.
  std::uint64_t steals(std::uint32_t queue) const noexcept;

 private:
  struct Queue;
  void push(Queue& queue, Contender& contender) noexcept;
  Contender* pop(Queue& queue) noexcept;

  std::uint32_t count_;
  std::uint64_t slack_ns_;
  std::uint64_t arrears_max_ns_;
  std::unique_ptr<Queue[]> queues_;
  std::atomic<std::uint64_t> service_ns_{0};
};

}  // namespace torvyn::reactor
