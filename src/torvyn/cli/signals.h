// Ctrl-C and its relatives, as a request to a running flow.
#pragma once

#include <csignal>

#include "torvyn/host/host.h"

namespace torvyn::cli {

// Exit code of a process that a signal ended.
constexpr int exit_code_of_signal(int signal) noexcept { return 128 + signal; }

// While it lives, SIGINT, SIGTERM and SIGHUP (as SIGTERM) stop `run` in good order; a second one ends the process at once.
// A signal that was ignored before stays ignored, as `nohup` and shells want it. SIGPIPE and SIGXFSZ are ignored: what writes
// sees an error instead.
//
// One at a time in a process. `run` outlives it.
class StopOnSignal {
 public:
  explicit StopOnSignal(host::FlowRun& run) noexcept;
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  // The signal that came, SIGINT or SIGTERM; 0 = none. Thread: any.
  int received() const noexcept;

 private:
  struct Previous {
    int signal;
    struct sigaction action;
  };
  Previous previous_[5];
};

}  // namespace torvyn::cli
