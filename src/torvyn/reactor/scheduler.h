// Worker threads that drive many flows, each by its share; and flows that have a thread of their own.
//
//   Scheduler scheduler({.worker_threads = 2});
//   const std::shared_ptr<Scheduler::Flow> flow = scheduler.make_flow(flow_share(weight, priority));
//   FlowDriver driver(std::move(plan), clock, interrupt, flow.get());  // its lanes run as the flow's jobs
//   driver.set_waker(flow.get());
//   TORVYN_TRY(flow->start(driver, [&] { ended.count_down(); }));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/fair_queues.h"
#include "torvyn/types/clock.h"
#include "torvyn/types/error.h"

namespace torvyn::reactor {

struct SchedulerOptions {
  std::uint32_t worker_threads = 1;  // 0 = the program's threads do the work, in `run_some`
  Quantum quantum = {};  // of a turn; `may_block` is true on a flow's own thread alone, whatever stands here
  const Clock* clock = &SystemClock::instance();  // outlives the scheduler
  // A turn or job that has lasted this long, while others wait, goes on beside the workers; never_ns: however long it takes.
  std::uint64_t overrun_ns = 10'000'000;
};

// Most turns and jobs that go on beside the workers at once. More of them hold up the others.
inline constexpr std::uint32_t overruns_max = 32;

struct WorkerStats {
  std::uint64_t wakeups = 0;   // returns from sleep, for work, a timer or nothing
  std::uint64_t idle_ns = 0;   // asleep, until now
  std::uint64_t steals = 0;    // flows taken from another worker's queue
  std::uint64_t overruns = 0;  // turns and jobs that went on beside it
};

// A turn may overrun its quantum: a call of a component ends when it ends. So that it costs nobody else more than `overrun_ns`, its worker
// is then given to another thread; the turn goes on where it is, and the machine divides its cores between the two. The flow is charged
// for all of it.
//
// A worker sleeps while there is nothing to do, and costs nothing then; so do waiting flows, of which there may be tens of thousands, at
// some 300 bytes each. In steady state nothing is allocated.
//
// The threads block all signals but those a thread raises itself (SIGSEGV and its like: the engine's traps), so the program's own
// threads get them. A forked child has none of the threads: it may destroy the scheduler, which then lets go of everything without
// ending it, and must not use it.
//
// Thread: any, all members; but destroy it when nobody is in one, and not from one of its threads.
// Where a `run_some` ended.
struct SomeWork {
  bool worked = false;  // a turn or a job was run
  bool more = false;    // there is more to do now
  std::uint64_t wake_at_ns =
      never_ns;  // else, when there will be, on the scheduler's clock, unless somebody wakes a flow before
};

class Scheduler {
 public:
  // The handle of a flow. It may be woken, and dropped, at any time; a flow that was started lives on until it has ended.
  //
  // As an executor it runs the flow's jobs on the workers, which take them before flows, and flows that have jobs in turns; a flow's
  // own are taken first in, first out. The time they take is charged to the flow with its next turn; with a thread of its own it has
  // no share, and its jobs are charged to nobody. A flow on the only worker sees its jobs run after its turn, not during.
  // The handle outlives `run` of its jobs, so a job may wake its flow as the last thing it does, even if that ends the flow.
  class Flow : public Waker, public Executor, public std::enable_shared_from_this<Flow> {
   public:
    // Gives `driven` a turn, and goes on until one answers `done`; then calls `ended`, on the thread of that turn. Called once.
    // `driven` must stay alive until `ended` is called, which may destroy it and may start other flows.
    // A wake before the start counts for nothing: the first turn comes anyway.
    // Errors: capacity_exceeded: no thread to be had. The flow can be started later.
    virtual Status start(Driven& driven, std::function<void()> ended) = 0;

    // Requires: the flow was started.
    void submit(Job& job) noexcept override = 0;
  };

  // A flow that nothing else waits for: its turns may block, and between them the thread sleeps.
  class OwnThreadFlow : public Flow {
   public:
    // As `start`, on the calling thread: returns when the flow has ended, instead of calling anybody.
    virtual Status run(Driven& driven) = 0;
  };

  // The threads come with the first flow that is started.
  explicit Scheduler(SchedulerOptions options);
  // Requires: every flow that was started has ended. Joins the threads.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Requires: share ≥ share_min.
  std::shared_ptr<Flow> make_flow(double share);
  std::shared_ptr<OwnThreadFlow> make_flow_on_own_thread();

  // Runs turns and jobs on the calling thread until `budget_ns` have passed or there is nothing to do; a turn that has begun is finished.
  // One at a time: while another thread is in it, it does nothing and says `more`. Requires: worker_threads = 0.
  SomeWork run_some(std::uint64_t budget_ns);

  // A sleeping worker waits for the next timer by the machine's clock. Whoever moves a clock that stands still says so here; flows with
  // a thread of their own are told by waking them.
  void clock_moved() noexcept;

  // One for each worker. Flows with threads of their own are not in it.
  std::vector<WorkerStats> stats() const;

 private:
  struct Core;
  class PooledFlow;
  class ThreadFlow;
  std::shared_ptr<Core> core_;
};

}  // namespace torvyn::reactor
