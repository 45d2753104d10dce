// Private to the reactor: one instance of a stage, and the queue through which lanes reach it where it works beside the thread that drives
// its flow.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/resources/copy_ledger.h"
#include "torvyn/security/capability_count.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {

struct Lane;
struct LanesHome;

// Of a parallel node it is a job that calls the stage with one lane after the other, as long as there are some. Lanes go in on the driving
// thread and are taken out by whoever runs the job: a ring with one producer and one consumer, without locks.
//
// A call that ends otherwise than well halts it: the lanes behind come back as they are, since what happens to the elements before theirs is
// the driver's to decide.
class Instance final : public Job {
 public:
  // Lanes that may be in the queue and in the call, all together.
  static constexpr std::uint32_t lanes_max = 8;

  explicit Instance(std::unique_ptr<Stage> made) : stage(std::move(made)) {}

  // Thread: the driving one. Requires: not more than lanes_max of its lanes are under way.
  void offer(Lane& lane) noexcept;
  // Thread: the driving one, while none of its lanes is under way.
  void go_on() noexcept { is_halted_ = false; }

  // Calls the stage with what waits.
  std::uint64_t run() noexcept override;

  std::unique_ptr<Stage> stage;
  bool is_sink = false;
  const Clock* clock = nullptr;
  LanesHome* home = nullptr;
  std::uint64_t rest_until_ns = 0;  // it is not to be called before; 0 = it does not rest

  // What a report says of it while it works on another thread.
  struct Seen {
    resources::CopyCounts copies{};
    security::CapabilityCounts capabilities{};
    std::uint64_t memory_bytes = 0;
    std::uint64_t cpu_ns = 0;
  };
  Seen see() const noexcept;
  Seen seen;  // the driver's: when it last came back

 private:
  void call(Lane& lane) noexcept;
  bool has_more() noexcept;

  // Whoever runs the job's; the driver's while no lane is under way.
  std::uint64_t cpu_ns_ = 0;
  std::uint32_t head_ = 0;
  bool is_halted_ = false;

  std::uint32_t tail_ = 0;  // the driver's
  std::array<Lane*, lanes_max> queue_{};
  // Lanes in the queue and in the call, and one for the job itself. Whoever finds none submits the job, which ends where it is the only one.
  std::atomic<std::uint32_t> under_way_{0};
};

}  // namespace torvyn::reactor
