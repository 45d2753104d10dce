#include "torvyn/reactor/fair_queues.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/pairing_heap.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {
namespace {

constexpr std::uint64_t times(std::uint64_t factor, std::uint64_t ns) noexcept {
  return ns > never_ns / factor ? never_ns : factor * ns;
}

struct ContenderLinks {
  static Contender*& child(Contender& item) noexcept { return item.child; }
  static Contender*& sibling(Contender& item) noexcept { return item.sibling; }
  static Contender*& before(Contender& item) noexcept { return item.before; }
  static bool precedes(const Contender& a, const Contender& b) noexcept {
    return a.virtual_ns != b.virtual_ns ? a.virtual_ns < b.virtual_ns : a.arrival < b.arrival;
  }
};

}  // namespace

Contender::Contender(double share, std::uint32_t home_queue) noexcept : cost(1 / share), home(home_queue) {
  TORVYN_ASSERT(std::isfinite(share) && share >= share_min, "a flow with no share of the workers");
}

void Contender::charge(std::uint64_t work_ns) noexcept {
  part_ns += static_cast<double>(std::max<std::uint64_t>(work_ns, 1)) * cost;
  const double whole_ns = std::floor(part_ns);
  part_ns -= whole_ns;
  virtual_ns += static_cast<std::uint64_t>(whole_ns);
}

// On a cache line of its own: the others look at `head_ns` before each turn.
struct alignas(64) FairQueues::Queue {
  std::atomic<std::uint64_t> head_ns{never_ns};  // virtual time of the top; never_ns if there is none
  std::atomic<std::uint64_t> steals{0};
  std::mutex mutex;  // guards the rest, and is never held with another queue's
  PairingHeap<Contender, ContenderLinks> heap;
  std::uint64_t arrivals = 0;
};

FairQueues::FairQueues(std::uint32_t queues, std::uint64_t quantum_ns)
    : count_(queues),
      slack_ns_(times(2, quantum_ns)),
      arrears_max_ns_(times(64, quantum_ns)),
      queues_(std::make_unique<Queue[]>(queues)) {}

FairQueues::~FairQueues() = default;

void FairQueues::push(Queue& queue, Contender& contender) noexcept {
  const std::lock_guard lock(queue.mutex);
  contender.arrival = queue.arrivals++;
  queue.heap.push(contender);
  queue.head_ns.store(queue.heap.top()->virtual_ns, std::memory_order_seq_cst);
}

// Requires: the queue is locked and not empty.
Contender* FairQueues::pop(Queue& queue) noexcept {
  Contender* const contender = queue.heap.pop();
  const Contender* const top = queue.heap.top();
  queue.head_ns.store(top == nullptr ? never_ns : top->virtual_ns, std::memory_order_seq_cst);
  std::uint64_t service_ns = service_ns_.load(std::memory_order_relaxed);
  while (service_ns < contender->virtual_ns &&
         !service_ns_.compare_exchange_weak(service_ns, contender->virtual_ns, std::memory_order_relaxed)) {
  }
  return contender;
}

void FairQueues::enter(Contender& contender) noexcept {
  contender.virtual_ns = std::max(contender.virtual_ns, service_ns_.load(std::memory_order_relaxed));
  push(queues_[contender.home], contender);
}

void FairQueues::put_back(std::uint32_t queue, Contender& contender) noexcept {
  const std::uint64_t service_ns = service_ns_.load(std::memory_order_relaxed);
  if (service_ns > arrears_max_ns_) contender.virtual_ns = std::max(contender.virtual_ns, service_ns - arrears_max_ns_);
  push(queues_[queue], contender);
}

Contender* FairQueues::next(std::uint32_t queue) noexcept {
  const auto top_ns = [](const Queue& of) { return of.heap.top() == nullptr ? never_ns : of.heap.top()->virtual_ns; };
  const auto is_due = [this](std::uint64_t there_ns, std::uint64_t here_ns) {
    if (here_ns == never_ns) return there_ns != never_ns;
    return there_ns < here_ns && here_ns - there_ns > slack_ns_;
  };
  Queue& here = queues_[queue];
  for (;;) {
    Queue* there = &here;
    std::uint64_t there_ns = never_ns;
    for (std::uint32_t i = 0; i < count_; ++i) {
      const std::uint64_t head_ns = queues_[i].head_ns.load(std::memory_order_relaxed);
      if (i == queue || head_ns >= there_ns) continue;
      there = &queues_[i];
      there_ns = head_ns;
    }
    std::uint64_t here_ns = never_ns;
    {
      const std::lock_guard lock(here.mutex);
      here_ns = top_ns(here);
      if (!is_due(there_ns, here_ns)) return here_ns == never_ns ? nullptr : pop(here);
    }
    const std::lock_guard lock(there->mutex);
    if (!is_due(top_ns(*there), here_ns)) continue;  // another worker was faster
    Contender* const stolen = pop(*there);
    stolen->home = queue;
    here.steals.fetch_add(1, std::memory_order_relaxed);
    return stolen;
  }
}

bool FairQueues::any() const noexcept {
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (queues_[i].head_ns.load(std::memory_order_seq_cst) != never_ns) return true;
  }
  return false;
}

std::uint64_t FairQueues::steals(std::uint32_t queue) const noexcept {
  return queues_[queue].steals.load(std::memory_order_relaxed);
}

}  // namespace torvyn::reactor
