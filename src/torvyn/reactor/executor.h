// Where work of a flow runs beside the thread that drives it, and what a flow is to whoever drives it.
#pragma once

#include <cstdint>
#include <limits>

namespace torvyn::reactor {

inline constexpr std::uint64_t never_ns = std::numeric_limits<std::uint64_t>::max();

// Between two looks at what another thread is about to change.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A piece of work for another thread: the runs that wait for an instance of a parallel stage. Intrusive: whoever submits it keeps it alive
// until `run` has returned.
class Job {
 public:
  virtual ~Job() = default;
  // Returns the CPU time it took, in nanoseconds.
  virtual std::uint64_t run() noexcept = 0;

  Job* next_job = nullptr;  // belongs to the executor between `submit` and `run`
};

// Thread: any. Allocates nothing.
class Executor {
 public:
  virtual ~Executor() = default;
  // Calls `job.run()` once, soon, but never inside the caller's turn. A job may submit itself, as the last thing that its `run` does.
  virtual void submit(Job& job) noexcept = 0;
};

// How long a turn may last before others are let on.
struct Quantum {
  std::uint32_t elements = 4096;      // handed to stages, all stages together
  std::uint64_t time_ns = 1'000'000;  // looked at once a run
  bool may_block = false;  // the thread is the flow's own: it may wait in the turn, and a source for what it is to give
};

// How a turn ended.
struct Turn {
  enum class Next : std::uint8_t {
    again,  // the quantum was used up
    wait,   // nothing to do before `wake_at_ns`, or a wake
    done,   // ended: not to be called again
  };
  Next next = Next::again;
  std::uint64_t wake_at_ns = never_ns;  // on the flow's clock
  std::uint64_t work_ns = 0;            // CPU time that the turn took: what the flow is charged
};

// Told by a flow that there is something to do for it: a lane came back, somebody wants it to stop.
class Waker {
 public:
  virtual ~Waker() = default;
  // Thread: any, the driving one included; async-signal-safe is not asked for. A wake is never lost: one that comes while a turn runs
  // leads to another turn.
  virtual void wake() noexcept = 0;
};

// A flow, for whoever drives it.
class Driven {
 public:
  virtual ~Driven() = default;
  // Thread: one at a time, each time perhaps another.
  virtual Turn turn(const Quantum& quantum) noexcept = 0;
};

}  // namespace torvyn::reactor
