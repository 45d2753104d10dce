// Ctrl-C and its relatives, as a request to what runs.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace torvyn::cli {

// Exit code of a process that a signal ended.
constexpr int exit_code_of_signal(int signal) noexcept { return 128 + signal; }

// While it lives, the first SIGINT or SIGTERM calls `stop`, and the second one ends the process at once. SIGHUP calls `reload`, as often
// as it comes; where there is none, it is taken for SIGTERM. A signal that was ignored before stays ignored, as `nohup` and shells want it. SIGPIPE
// and SIGXFSZ are ignored: what writes sees an error instead.
//
// The handler only rings a bell, and a thread does the calling: to stop a flow that workers drive takes locks. It makes one call at a time.
//
// One at a time in a process.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void()> stop, std::function<void()> reload = nullptr);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The signal that came, SIGINT or SIGTERM; 0 = none. Thread: any.
  int received() const noexcept;

 private:
  void watch() const;

  struct Previous {
    int signal;
    struct sigaction action;
  };
  const std::function<void()> stop_;
  const std::function<void()> reload_;
  Previous previous_[5];
  std::atomic<bool> ended_{false};
  std::thread watcher_;
};

}  // namespace torvyn::cli
