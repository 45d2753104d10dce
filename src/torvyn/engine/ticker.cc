#include "torvyn/engine/ticker.h"

#include <ctime>

namespace torvyn::engine {
namespace {

// Parking and waking cost a system call each: a guest that is called in short bursts should meet a ticker that is awake.
constexpr int idle_ticks_before_parking = 16;

}  // namespace

Ticker::Ticker(std::function<void()> tick) : tick_(std::move(tick)), thread_([this] { loop(); }) {}

Ticker::~Ticker() {
  ending_.store(true, std::memory_order_relaxed);
  enter();
  thread_.join();
}

// Parking is announced before the last look at `running_`, and entering is counted before the look at `parked_`; both are sequentially
// consistent, so at least one side sees the other and no guest runs with the ticker asleep.
void Ticker::enter() noexcept {
  running_.fetch_add(1, std::memory_order_seq_cst);
  if (parked_.load(std::memory_order_seq_cst)) {
    parked_.store(false, std::memory_order_seq_cst);
    parked_.notify_one();
  }
}

void Ticker::loop() {
  int idle_ticks = 0;
  while (!ending_.load(std::memory_order_relaxed)) {
    const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(tick_ns)};
    nanosleep(&pause, nullptr);
    if (running_.load(std::memory_order_acquire) != 0) {
      idle_ticks = 0;
      tick_();
    } else if (++idle_ticks == idle_ticks_before_parking) {
      idle_ticks = 0;
      parked_.store(true, std::memory_order_seq_cst);
      if (running_.load(std::memory_order_seq_cst) == 0) parked_.wait(true, std::memory_order_seq_cst);
      parked_.store(false, std::memory_order_seq_cst);
    }
  }
}

}  // namespace torvyn::engine
