// The engine's sense of time: one thread that moves the epoch on every millisecond while any guest runs, and sleeps otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

namespace torvyn::engine {

inline constexpr std::uint64_t tick_ns = 1'000'000;

class Ticker {
 public:
  // `tick` is called on the ticker's thread.
  explicit Ticker(std::function<void()> tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // A guest runs between enter and leave. Thread: any.
  void enter() noexcept;
  void leave() noexcept { running_.fetch_sub(1, std::memory_order_release); }

 private:
  void loop();
  std::function<void()> tick_;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> parked_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace torvyn::engine
