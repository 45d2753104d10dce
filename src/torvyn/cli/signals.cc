#include "torvyn/cli/signals.h"

#include <semaphore.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::cli {
namespace {

// Rung by the handler, answered by the thread. It stays for as long as the process: a handler may be late.
class Bell {
 public:
  Bell() noexcept { sem_init(&semaphore_, 0, 0); }
  void ring() noexcept { sem_post(&semaphore_); }  // async-signal-safe
  void wait() noexcept {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
  }

 private:
  sem_t semaphore_;
};

// A signal handler reaches nothing but globals.
Bell bell;
std::atomic<int> first_signal{0};
std::atomic<bool> hangup_reloads{false};
std::atomic<int> hangups{0};
std::atomic<bool> in_use{false};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void note_signal(int signal) {
  if (signal == SIGHUP && hangup_reloads) {
    ++hangups;
    bell.ring();
    return;
  }
  const int meant = signal == SIGHUP ? SIGTERM : signal;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, meant)) _exit(exit_code_of_signal(meant));
  bell.ring();
}

}  // namespace

SignalWatch::SignalWatch(std::function<void()> stop, std::function<void()> reload)
    : stop_(std::move(stop)),
      reload_(std::move(reload)),
      previous_{{SIGINT, {}}, {SIGTERM, {}}, {SIGHUP, {}}, {SIGPIPE, {}}, {SIGXFSZ, {}}} {
  const bool alone = !in_use.exchange(true);
  TORVYN_ASSERT(alone, "two ask for signals at once");
  first_signal = 0;
  hangups = 0;
  hangup_reloads = reload_ != nullptr;
  watcher_ = std::thread([this] { watch(); });
  for (Previous& previous : previous_) {
    sigaction(previous.signal, nullptr, &previous.action);
    if (previous.action.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    const bool stops = previous.signal != SIGPIPE && previous.signal != SIGXFSZ;
    action.sa_handler = stops ? note_signal : SIG_IGN;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(previous.signal, &action, nullptr);
  }
}

SignalWatch::~SignalWatch() {
  for (const Previous& previous : previous_) sigaction(previous.signal, &previous.action, nullptr);
  ended_ = true;
  bell.ring();
  watcher_.join();
  in_use = false;
}

void SignalWatch::watch() const {
  bool stopped = false;
  for (;;) {
    bell.wait();
    if (ended_) return;
    if (first_signal != 0 && !std::exchange(stopped, true)) stop_();
    if (hangups.exchange(0) != 0 && !stopped) reload_();
  }
}

int SignalWatch::received() const noexcept { return first_signal.load(); }

}  // namespace torvyn::cli
