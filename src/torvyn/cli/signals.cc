#include "torvyn/cli/signals.h"

#include <unistd.h>

#include <atomic>

#include "torvyn/types/assert.h"

namespace torvyn::cli {
namespace {

// A signal handler reaches nothing but globals; both are lock-free.
std::atomic<host::FlowRun*> flow_to_stop{nullptr};
std::atomic<int> first_signal{0};
static_assert(std::atomic<host::FlowRun*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void stop_the_flow(int signal) {
  const int meant = signal == SIGHUP ? SIGTERM : signal;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, meant)) _exit(exit_code_of_signal(meant));
  if (host::FlowRun* const run = flow_to_stop.load()) run->request_stop(host::StopReason::interrupt);
}

}  // namespace

StopOnSignal::StopOnSignal(host::FlowRun& run) noexcept
    : previous_{{SIGINT, {}}, {SIGTERM, {}}, {SIGHUP, {}}, {SIGPIPE, {}}, {SIGXFSZ, {}}} {
  TORVYN_ASSERT(flow_to_stop.load() == nullptr, "two flows ask for signals at once");
  first_signal = 0;
  flow_to_stop = &run;
  for (Previous& previous : previous_) {
    sigaction(previous.signal, nullptr, &previous.action);
    if (previous.action.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    const bool stops = previous.signal != SIGPIPE && previous.signal != SIGXFSZ;
    action.sa_handler = stops ? stop_the_flow : SIG_IGN;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(previous.signal, &action, nullptr);
  }
}

StopOnSignal::~StopOnSignal() {
  for (const Previous& previous : previous_) sigaction(previous.signal, &previous.action, nullptr);
  flow_to_stop = nullptr;
}

int StopOnSignal::received() const noexcept { return first_signal.load(); }

}  // namespace torvyn::cli
