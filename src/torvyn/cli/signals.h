// Ctrl-C and its relatives, as a request to running flows.
#pragma once

#include <atomic>
#include <csignal>
#include <span>
#include <thread>

#include "torvyn/host/host.h"

namespace torvyn::cli {

// Exit code of a process that a signal ended.
constexpr int exit_code_of_signal(int signal) noexcept { return 128 + signal; }

// While it lives, SIGINT, SIGTERM and SIGHUP (as SIGTERM) stop all of `runs` in good order; a second one ends the process at once.
// A signal that was ignored before stays ignored, as `nohup` and shells want it. SIGPIPE and SIGXFSZ are ignored: what writes
// sees an error instead.
//
// The handler only rings a bell, and a thread does the rest: to stop a flow that workers drive takes locks.
//
// One at a time in a process. `runs` outlive it.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::span<host::FlowRun* const> runs);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  // The signal that came, SIGINT or SIGTERM; 0 = none. Thread: any.
  int received() const noexcept;

 private:
  void watch() const noexcept;

  struct Previous {
    int signal;
    struct sigaction action;
  };
  const std::span<host::FlowRun* const> runs_;
  Previous previous_[5];
  std::atomic<bool> ended_{false};
  std::thread watcher_;
};

}  // namespace torvyn::cli
