#include "torvyn/reactor/scheduler.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <csignal>
#include <deque>
#include <latch>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>

#include "torvyn/reactor/test_graph.h"

namespace torvyn::reactor {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t hour = 3'600'000 * ms;
constexpr Turn again{.next = Turn::Next::again};
constexpr Turn wait{.next = Turn::Next::wait};
constexpr Turn done{.next = Turn::Next::done};
Turn wait_until(std::uint64_t wake_at_ns) { return {.next = Turn::Next::wait, .wake_at_ns = wake_at_ns}; }

class Script final : public Driven {
 public:
  explicit Script(std::function<Turn(const Quantum&)> turn) : turn_(std::move(turn)) {}
  explicit Script(std::function<Turn()> turn) : turn_([turn = std::move(turn)](const Quantum&) { return turn(); }) {}
  Turn turn(const Quantum& quantum) noexcept override { return turn_(quantum); }

 private:
  std::function<Turn(const Quantum&)> turn_;
};

class Task final : public Job {
 public:
  explicit Task(std::function<void()> body) : body_(std::move(body)) {}
  std::uint64_t run() noexcept override {
    const std::uint64_t work_ns = says_ns;  // when the body has ended, the task may be gone
    body_();
    return work_ns;
  }

  std::uint64_t says_ns = 0;  // the time that it says it took

 private:
  std::function<void()> body_;
};

void start(Scheduler::Flow& flow, Driven& driven, std::latch& ended) {
  const Status started = flow.start(driven, [&ended] { ended.count_down(); });
  ASSERT_TRUE(started) << started.error().to_string();
}

// Keeps one worker in a turn from its construction until `open`.
class Gate {
 public:
  explicit Gate(Scheduler& scheduler)
      : flow_(scheduler.make_flow(1)), script_([this] {
          entered_.count_down();
          open_.wait();
          return done;
        }) {
    start(*flow_, script_, ended_);
    entered_.wait();
  }
  void open() {
    open_.count_down();
    ended_.wait();
  }

 private:
  std::latch entered_{1};
  std::latch open_{1};
  std::latch ended_{1};
  std::shared_ptr<Scheduler::Flow> flow_;
  Script script_;
};

TEST(Scheduler, DividesAWorkerByShares) {
  Scheduler scheduler({.overrun_ns = never_ns});
  Gate gate(scheduler);
  std::latch ended(3);
  std::array<int, 3> turns{};
  int all_turns = 0;
  std::deque<Script> scripts;
  for (std::uint32_t i = 0; i < 3; ++i) {
    scripts.emplace_back(std::function<Turn()>([&, i] {
      if (all_turns == 7'000) return done;
      ++all_turns;
      ++turns[i];
      return Turn{.next = Turn::Next::again, .work_ns = 1 * ms};
    }));
    start(*scheduler.make_flow(flow_share(1, 5 + i)), scripts.back(), ended);
  }
  gate.open();
  ended.wait();
  EXPECT_NEAR(turns[0], 1'000, 1);
  EXPECT_NEAR(turns[1], 2'000, 1);
  EXPECT_NEAR(turns[2], 4'000, 1);
}

// A wake that is lost leaves a flow waiting for ever, and the test with it.
TEST(Scheduler, LosesNoWakeInAStormAndDrivesAFlowOnOneThreadAtATime) {
  constexpr std::uint64_t rounds = 2'000;
  constexpr std::size_t wakers = 4;
  struct Driver final : Driven {
    Turn turn(const Quantum&) noexcept override {
      ++turns;  // of no one type: a data race if two threads drive
      seen = given.load(std::memory_order_relaxed);
      if (seen == wakers * rounds) return done;
      switch (turns % 4) {
        case 0:
          return again;
        case 1:
          return wait_until(SystemClock::instance().monotonic_ns() + hour);
        default:
          return wait;
      }
    }
    std::atomic<std::uint64_t> given{0};
    std::uint64_t seen = 0;
    std::uint64_t turns = 0;
  };
  Scheduler scheduler({.worker_threads = 3});
  std::deque<Driver> drivers(10);
  std::vector<std::shared_ptr<Scheduler::Flow>> flows;
  std::latch ended(static_cast<std::ptrdiff_t>(drivers.size()));
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    flows.push_back(i < 2 ? scheduler.make_flow_on_own_thread() : scheduler.make_flow(1));
    start(*flows.back(), drivers[i], ended);
  }
  {
    std::vector<std::jthread> threads;
    for (std::size_t waker = 0; waker < wakers; ++waker) {
      threads.emplace_back([&, waker] {
        for (std::uint64_t round = 0; round < rounds; ++round) {
          for (std::size_t i = 0; i < drivers.size(); ++i) {
            const std::size_t target = (i + waker * 3) % drivers.size();
            drivers[target].given.fetch_add(1, std::memory_order_relaxed);
            flows[target]->wake();
          }
        }
      });
    }
  }
  ended.wait();
  for (const Driver& driver : drivers) EXPECT_EQ(driver.seen, wakers * rounds);
}

// Tokens go round a ring of flows. There is less to do than there are workers, so these sleep and are woken all the time.
TEST(Scheduler, LosesNoWakeWhileWorkersFallAsleep) {
  struct Member final : Driven {
    Turn turn(const Quantum&) noexcept override {
      const std::uint64_t tokens = inbox.exchange(0, std::memory_order_relaxed);
      passed += tokens;
      next->inbox.fetch_add(tokens, std::memory_order_relaxed);
      next->flow->wake();
      return passed < 3'000 ? wait : done;
    }
    std::atomic<std::uint64_t> inbox{0};
    std::uint64_t passed = 0;
    Member* next = nullptr;
    std::shared_ptr<Scheduler::Flow> flow;
  };
  Scheduler scheduler({.worker_threads = 3});
  std::deque<Member> members(8);
  std::latch ended(static_cast<std::ptrdiff_t>(members.size()));
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].next = &members[(i + 1) % members.size()];
    members[i].flow = scheduler.make_flow(1);
    if (i == 0) members[i].flow = scheduler.make_flow_on_own_thread();
  }
  members[0].inbox = 2;
  for (Member& member : members) start(*member.flow, member, ended);
  ended.wait();
  for (const Member& member : members) EXPECT_GE(member.passed, 3'000U);
}

// Three turns, or three jobs, that can't go on without one another: with fewer workers awake they would wait for ever.
TEST(Scheduler, RousesAsManyWorkersAsThereIsWorkFor) {
  constexpr int rounds = 300;
  Scheduler scheduler({.worker_threads = 3});
  std::barrier meeting(3);
  std::atomic<int> met{0};
  const auto meet = [&] {
    meeting.arrive_and_wait();
    met.fetch_add(1);
    met.notify_all();
  };
  const auto wait_for = [&met](int count) {
    for (int seen = met.load(); seen < count; seen = met.load()) met.wait(seen);
  };
  std::deque<Script> scripts;
  std::deque<Task> jobs;
  std::vector<std::shared_ptr<Scheduler::Flow>> flows;
  std::latch ended(3);
  for (int i = 0; i < 3; ++i) {
    jobs.emplace_back(meet);
    scripts.emplace_back(std::function<Turn()>([&, turns = 0]() mutable {
      meet();
      return ++turns <= rounds ? wait : done;
    }));
    flows.push_back(scheduler.make_flow(1));
    start(*flows.back(), scripts.back(), ended);
  }
  int count = 3;
  wait_for(count);
  for (int i = 0; i < rounds; ++i) {
    for (std::size_t j = 0; j < 3; ++j) flows[0]->submit(jobs[j]);
    wait_for(count += 3);
    for (const auto& flow : flows) flow->wake();
    wait_for(count += 3);
  }
  ended.wait();
  EXPECT_EQ(met, count);
}

TEST(Scheduler, AFlowMayWakeItself) {
  Scheduler scheduler({});
  std::latch ended(1);
  int turns = 0;
  const auto flow = scheduler.make_flow(1);
  Script script([&] {
    if (++turns == 1'000) return done;
    flow->wake();
    return wait;
  });
  start(*flow, script, ended);
  ended.wait();
  EXPECT_EQ(turns, 1'000);
}

TEST(Scheduler, WakesBeforeTheStartAndAfterTheEndAreNothing) {
  Scheduler scheduler({});
  for (const std::shared_ptr<Scheduler::Flow>& flow :
       {scheduler.make_flow(1), std::shared_ptr<Scheduler::Flow>(scheduler.make_flow_on_own_thread())}) {
    int turns = 0;
    Script script([&] {
      ++turns;
      return done;
    });
    std::latch ended(1);
    flow->wake();
    start(*flow, script, ended);
    ended.wait();
    flow->wake();
    EXPECT_EQ(turns, 1);
  }
}

// One worker, and a clock that stands: whatever was to be done first is done when `settle` returns.
struct StandingClock {
  ManualClock clock;
  Scheduler scheduler{{.clock = &clock}};
  std::shared_ptr<Scheduler::Flow> mark = scheduler.make_flow(1);
  std::atomic<int> marks{0};
  std::atomic<bool> ends{false};
  std::latch ended{1};
  Script script{[this] {
    marks.fetch_add(1);
    marks.notify_all();
    return ends ? done : wait;
  }};

  StandingClock() { start(*mark, script, ended); }
  ~StandingClock() {
    ends = true;
    mark->wake();
    ended.wait();
  }

  // The mark is charged for each of its turns, so flows that have had fewer go before it.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      const int before = marks.load();
      mark->wake();
      marks.wait(before);
    }
  }
  // Time counts as idle only while the worker sleeps. Returns how much has.
  std::uint64_t wait_for_sleep() {
    for (;;) {
      const std::uint64_t before_ns = scheduler.stats()[0].idle_ns;
      clock.advance_ns(1);
      if (scheduler.stats()[0].idle_ns == before_ns + 1) return before_ns + 1;
    }
  }
  void advance(std::uint64_t ns) {
    clock.advance_ns(ns);
    scheduler.clock_moved();
    settle();
  }
};

TEST(Scheduler, FiresTimersWhenTheyAreDueInTheirOrder) {
  std::vector<std::uint64_t> fired;
  std::deque<Script> scripts;
  std::latch ended(5);
  {
    StandingClock standing;
    for (const std::uint64_t at_ns : {5 * hour, 3 * hour, 1 * hour, 4 * hour, 2 * hour}) {
      scripts.emplace_back(std::function<Turn()>([&, at_ns, is_first = true]() mutable {
        if (std::exchange(is_first, false)) return wait_until(at_ns);
        fired.push_back(at_ns);
        return done;
      }));
      start(*standing.scheduler.make_flow(1), scripts.back(), ended);
    }
    standing.settle();
    EXPECT_TRUE(fired.empty());
    standing.advance(2 * hour);
    EXPECT_EQ(fired, (std::vector<std::uint64_t>{1 * hour, 2 * hour}));
    standing.advance(1 * hour - 1);
    EXPECT_EQ(fired.size(), 2U);
    standing.advance(1);
    EXPECT_EQ(fired.size(), 3U);
    // Nothing but the clock tells the worker, which would sleep for another hour.
    standing.wait_for_sleep();
    standing.clock.advance_ns(10 * hour);
    standing.scheduler.clock_moved();
    ended.wait();
  }
  EXPECT_EQ(fired, (std::vector<std::uint64_t>{1 * hour, 2 * hour, 3 * hour, 4 * hour, 5 * hour}));
}

// A third of the flows are woken before their time, and ask for another.
TEST(Scheduler, AWakeTakesThePlaceOfTheTimer) {
  constexpr std::size_t count = 300;
  std::minstd_rand random(7);
  std::vector<std::uint64_t> fired;
  std::size_t woken = 0;
  int early = 0;
  std::deque<Script> scripts;
  std::vector<std::shared_ptr<Scheduler::Flow>> flows;
  std::latch ended(count);
  {
    StandingClock standing;
    for (std::size_t i = 0; i < count; ++i) {
      scripts.emplace_back(std::function<Turn()>([&, at_ns = 1 + random() % 1'000, turns = 0]() mutable {
        if (++turns == 1) return wait_until(at_ns);
        if (standing.clock.monotonic_ns() == 0) {
          ++woken;
          return wait_until(at_ns += 500);
        }
        if (standing.clock.monotonic_ns() < at_ns) ++early;
        fired.push_back(at_ns);
        return done;
      }));
      flows.push_back(standing.scheduler.make_flow(1));
      start(*flows.back(), scripts.back(), ended);
    }
    standing.settle();
    for (std::size_t i = 0; i < count; i += 3) flows[i]->wake();
    standing.settle();
    for (int step = 0; step < 15; ++step) standing.advance(100);
    ended.wait();
  }
  EXPECT_EQ(woken, count / 3);
  EXPECT_EQ(early, 0);
  EXPECT_EQ(fired.size(), count);
  EXPECT_TRUE(std::ranges::is_sorted(fired));
}

TEST(Scheduler, TimersFireByTheMachinesClockOnEveryThread) {
  Scheduler scheduler({.worker_threads = 2});
  const Clock& clock = SystemClock::instance();
  std::deque<Script> scripts;
  std::atomic<int> early{0};
  std::latch ended(20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    scripts.emplace_back(std::function<Turn()>([&, i, turns = 0, at_ns = std::uint64_t{0}]() mutable {
      if (clock.monotonic_ns() < at_ns) ++early;
      if (++turns == 10) return done;
      at_ns = clock.monotonic_ns() + (i + 1) * ms / 10;
      return wait_until(at_ns);
    }));
    start(i % 5 == 0 ? *scheduler.make_flow_on_own_thread() : *scheduler.make_flow(1), scripts.back(), ended);
  }
  ended.wait();
  EXPECT_EQ(early, 0) << "a turn before its time, and nobody woke the flow";
}

// The first timer gets the worker up that sees to timers, and holds it; the other worker must see to the second.
TEST(Scheduler, ATimerDoesNotWaitForABusyWorker) {
  Scheduler scheduler({.worker_threads = 2});
  std::latch fired(1);
  std::latch ended(2);
  const std::uint64_t now_ns = SystemClock::instance().monotonic_ns();
  Script first([&, turns = 0]() mutable {
    if (++turns == 1) return wait_until(now_ns + 10 * ms);
    fired.wait();
    return done;
  });
  Script second([&, turns = 0]() mutable {
    if (++turns == 1) return wait_until(now_ns + 20 * ms);
    fired.count_down();
    return done;
  });
  start(*scheduler.make_flow(1), first, ended);
  start(*scheduler.make_flow(1), second, ended);
  ended.wait();
}

// One worker sleeps until the later one; the other sleeps with no time set, and may be who drives the earlier one.
TEST(Scheduler, AnEarlierTimerShortensTheSleep) {
  Scheduler scheduler({.worker_threads = 2});
  std::latch all_ended(1);
  Script later([turns = 0]() mutable {
    return ++turns == 1 ? wait_until(SystemClock::instance().monotonic_ns() + hour) : done;
  });
  const auto flow = scheduler.make_flow(1);
  start(*flow, later, all_ended);
  for (int i = 0; i < 20; ++i) {
    std::latch ended(1);
    Script earlier([turns = 0]() mutable {
      return ++turns == 1 ? wait_until(SystemClock::instance().monotonic_ns() + 2 * ms) : done;
    });
    start(*scheduler.make_flow(1), earlier, ended);
    ended.wait();
  }
  flow->wake();
  all_ended.wait();
}

TEST(Scheduler, AnIdleWorkerTakesFromABusyOne) {
  Scheduler scheduler({.worker_threads = 2});
  std::latch second_ran(1);
  std::latch ended(2);
  Script first([&] {
    second_ran.wait();
    return done;
  });
  Script second([&] {
    second_ran.count_down();
    return done;
  });
  const auto at_home_0 = scheduler.make_flow(1);
  const auto at_home_1 = scheduler.make_flow(1);
  const auto at_home_0_too = scheduler.make_flow(1);
  start(*at_home_0, first, ended);
  start(*at_home_0_too, second, ended);
  ended.wait();
  std::uint64_t steals = 0;
  for (const WorkerStats& worker : scheduler.stats()) steals += worker.steals;
  EXPECT_GE(steals, 1U) << "both belong to one worker, and ran at the same time";
}

TEST(Scheduler, TenThousandWaitingFlowsWakeNobody) {
  constexpr std::size_t count = 10'000;
  Scheduler scheduler({.worker_threads = 2});
  std::latch waiting(count);
  std::latch ended(count);
  std::atomic<bool> ends{false};
  std::deque<Script> scripts;
  std::vector<std::shared_ptr<Scheduler::Flow>> flows;
  for (std::size_t i = 0; i < count; ++i) {
    scripts.emplace_back(std::function<Turn()>([&, i] {
      if (ends) return done;
      waiting.count_down();
      return i % 2 == 0 ? wait : wait_until(SystemClock::instance().monotonic_ns() + hour);
    }));
    flows.push_back(scheduler.make_flow(1));
    start(*flows.back(), scripts.back(), ended);
  }
  waiting.wait();
  const auto wakeups = [&scheduler] {
    std::uint64_t sum = 0;
    for (const WorkerStats& worker : scheduler.stats()) sum += worker.wakeups;
    return sum;
  };
  // The last turns may still be ending: of ten looks, two in a row must see the same.
  bool is_quiet = false;
  for (int look = 0; look < 10 && !is_quiet; ++look) {
    const std::uint64_t before = wakeups();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    is_quiet = wakeups() == before;
  }
  EXPECT_TRUE(is_quiet);
  ends = true;
  for (const auto& flow : flows) flow->wake();
  ended.wait();
  EXPECT_GT(wakeups(), 0U) << "the counter counts";
}

TEST(Scheduler, CountsTheTimeAWorkerSleeps) {
  StandingClock standing;
  const std::uint64_t before_ns = standing.wait_for_sleep();
  standing.clock.advance_ns(41);
  EXPECT_EQ(standing.scheduler.stats()[0].idle_ns, before_ns + 41);
}

// ---- a thread of their own ---------------------------------------------------------------------------------------------------------

TEST(Scheduler, AFlowThatBlocksOnItsOwnThreadHoldsUpNobody) {
  Scheduler scheduler({});
  std::latch hundred_turns(100);
  std::latch ended(2);
  bool may_block_here = false;
  bool may_block_there = true;
  Script blocks([&](const Quantum& quantum) {
    may_block_here = quantum.may_block;
    hundred_turns.wait();
    return done;
  });
  Script busy([&, turns = 0](const Quantum& quantum) mutable {
    may_block_there = quantum.may_block;
    hundred_turns.count_down();
    return ++turns == 100 ? done : again;
  });
  start(*scheduler.make_flow_on_own_thread(), blocks, ended);
  start(*scheduler.make_flow(1), busy, ended);
  ended.wait();
  EXPECT_TRUE(may_block_here);
  EXPECT_FALSE(may_block_there);
}

TEST(Scheduler, RunsAFlowOnTheCallersThreadToItsEnd) {
  Scheduler scheduler({});
  const auto flow = scheduler.make_flow_on_own_thread();
  std::atomic<int> wakes{0};
  std::set<std::thread::id> threads;
  int turns = 0;
  Script script([&] {
    threads.insert(std::this_thread::get_id());
    ++turns;
    return wakes == 3 ? done : turns % 2 == 0 ? again : wait;
  });
  const std::jthread waker([&] {
    while (wakes < 3) {
      ++wakes;
      flow->wake();
    }
  });
  ASSERT_TRUE(flow->run(script));
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(Scheduler, AnEndMayStartTheNextFlow) {
  Scheduler scheduler({});
  for (const bool on_own_thread : {false, true}) {
    int left = 200;
    std::latch ended(1);
    Script script([] { return done; });
    std::function<void()> restart = [&] {
      if (left-- == 0) return ended.count_down();
      std::shared_ptr<Scheduler::Flow> flow = scheduler.make_flow(1);
      if (on_own_thread) flow = scheduler.make_flow_on_own_thread();
      EXPECT_TRUE(flow->start(script, restart));
    };
    restart();
    ended.wait();
  }
}

// ---- jobs --------------------------------------------------------------------------------------------------------------------------

TEST(Scheduler, RunsAJobWhileItsFlowGoesOn) {
  Scheduler scheduler({});
  std::latch ended(1);
  std::latch ran(1);
  std::thread::id job_thread;
  std::thread::id flow_thread;
  Task job([&] {
    job_thread = std::this_thread::get_id();
    ran.count_down();
  });
  const auto flow = scheduler.make_flow_on_own_thread();
  Script script([&] {
    flow_thread = std::this_thread::get_id();
    flow->submit(job);
    ran.wait();
    return done;
  });
  start(*flow, script, ended);
  ended.wait();
  EXPECT_NE(job_thread, flow_thread);
}

TEST(Scheduler, RunsAJobOfTheOnlyWorkersFlowAfterItsTurn) {
  Scheduler scheduler({});
  std::latch ended(1);
  bool ran = false;
  const auto flow = scheduler.make_flow(1);
  Task job([&] {
    ran = true;
    flow->wake();
  });
  bool ran_during_turn = false;
  Script script([&] {
    if (ran) return done;
    flow->submit(job);
    ran_during_turn = ran;
    return wait;
  });
  start(*flow, script, ended);
  ended.wait();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(ran_during_turn);
}

TEST(Scheduler, TakesJobsBeforeFlowsInTheirOrderAndFlowsInTurns) {
  Scheduler scheduler({.overrun_ns = never_ns});
  Gate gate(scheduler);
  std::vector<std::string> order;
  std::latch ran(6);
  std::deque<Task> jobs;
  const auto job = [&](const std::string& name) -> Job& {
    return jobs.emplace_back([&, name] {
      order.push_back(name);
      ran.count_down();
    });
  };
  std::latch ended(3);
  std::deque<Script> scripts;
  Script later([&] {
    order.emplace_back("flow");
    ran.count_down();
    return done;
  });
  start(*scheduler.make_flow(1), later, ended);
  for (const std::vector<std::string>& names : {std::vector<std::string>{"a1", "a2", "a3"}, {"b1", "b2"}}) {
    const auto flow = scheduler.make_flow_on_own_thread();
    std::latch is_submitted(1);
    std::vector<Job*> mine;
    for (const std::string& name : names) mine.push_back(&job(name));
    scripts.emplace_back(std::function<Turn()>([&, raw = flow.get(), mine] {
      for (Job* const one : mine) raw->submit(*one);
      is_submitted.count_down();
      ran.wait();
      return done;
    }));
    start(*flow, scripts.back(), ended);
    is_submitted.wait();
  }
  gate.open();
  ended.wait();
  EXPECT_EQ(order, (std::vector<std::string>{"a1", "b1", "a2", "b2", "a3", "flow"}));
}

TEST(Scheduler, ChargesAFlowForItsJobs) {
  Scheduler scheduler({.overrun_ns = never_ns});
  Gate gate(scheduler);
  std::latch ended(2);
  int jobs = 0;
  int turns = 0;
  const auto delegates = scheduler.make_flow(1);
  Task job([&] {
    ++jobs;
    delegates->wake();
  });
  job.says_ns = 1 * ms;
  Script delegating([&] {
    if (jobs + turns >= 2'000) return done;
    delegates->submit(job);
    return wait;
  });
  Script working([&] {
    if (jobs + turns >= 2'000) return done;
    ++turns;
    return Turn{.next = Turn::Next::again, .work_ns = 1 * ms};
  });
  start(*delegates, delegating, ended);
  start(*scheduler.make_flow(1), working, ended);
  gate.open();
  ended.wait();
  EXPECT_NEAR(jobs, turns, 3);
}

// A job may wake its flow as its last act, though another turn has ended the flow by then and nobody else holds the handle.
TEST(Scheduler, AHandleOutlivesItsJobs) {
  Scheduler scheduler({.worker_threads = 2});
  for (int i = 0; i < 20; ++i) {
    std::latch ended(1);
    std::latch job_ended(1);
    std::atomic<bool> ran{false};
    auto flow = scheduler.make_flow(1);
    Scheduler::Flow* const raw = flow.get();
    Task job([&, handle = std::weak_ptr(flow)] {
      ran = true;
      ended.wait();
      for (int look = 0; look < 100 && !handle.expired(); ++look) std::this_thread::yield();
      EXPECT_FALSE(handle.expired());
      if (!handle.expired()) raw->wake();
      job_ended.count_down();
    });
    Script script([&, is_submitted = false]() mutable {
      if (!std::exchange(is_submitted, true)) raw->submit(job);
      return ran ? done : again;
    });
    start(*flow, script, ended);
    flow.reset();
    job_ended.wait();
  }
}

// ---- manners -----------------------------------------------------------------------------------------------------------------------

TEST(Scheduler, LeavesSignalsToTheProgramButNotTraps) {
  Scheduler scheduler({});
  std::latch ended(2);
  std::array<sigset_t, 2> masks{};
  std::deque<Script> scripts;
  for (sigset_t& mask : masks) {
    scripts.emplace_back(std::function<Turn()>([&mask] {
      pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      return done;
    }));
  }
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  start(*scheduler.make_flow(1), scripts[0], ended);
  start(*scheduler.make_flow_on_own_thread(), scripts[1], ended);
  ended.wait();
  for (const sigset_t& mask : masks) {
    for (const int blocked : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGRTMIN}) {
      EXPECT_EQ(sigismember(&mask, blocked), 1) << blocked;
    }
    for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) EXPECT_EQ(sigismember(&mask, open), 0) << open;
  }
  sigset_t after;
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM)) << "the caller's mask is as it was";
}

TEST(Scheduler, AFlowThatGotNoThreadCanBeStartedLater) {
  Scheduler scheduler({});
  const std::shared_ptr<Scheduler::Flow> pooled = scheduler.make_flow(1);
  const std::shared_ptr<Scheduler::Flow> on_own_thread = scheduler.make_flow_on_own_thread();
  for (const auto& flow : {pooled, on_own_thread}) {
    std::latch ended(1);
    Script script([] { return done; });
    pthread_attr_t usual;
    pthread_attr_t impossible;
    ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
    ASSERT_EQ(pthread_attr_init(&impossible), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&impossible, std::size_t{1} << 47), 0);  // more than there are addresses
    ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
    const Status started = flow->start(script, [&ended] { ended.count_down(); });
    ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
    pthread_attr_destroy(&impossible);
    pthread_attr_destroy(&usual);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), ErrorCode::capacity_exceeded);
    start(*flow, script, ended);
    ended.wait();
  }
}

TEST(Scheduler, AForkedChildMayDestroyIt) {
  auto scheduler = std::make_unique<Scheduler>(SchedulerOptions{.worker_threads = 2});
  Gate gate(*scheduler);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    scheduler.reset();  // in the parent this would be a bug: a flow has not ended
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  gate.open();
}

TEST(SchedulerDeathTest, IsNotDestroyedBeforeItsFlows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto scheduler = std::make_unique<Scheduler>(SchedulerOptions{});
        Script script([] { return wait; });
        const auto flow = scheduler->make_flow(1);
        if (!flow->start(script, [] {})) return;
        scheduler.reset();
      },
      "destroyed before its flows ended");
}

// A turn that waits for what others do in theirs: without another hand, neither ends.
TEST(Scheduler, ATurnThatOverrunsLeavesItsWorkerToOthers) {
  Scheduler scheduler({.overrun_ns = ms});
  std::latch ended(2);
  std::atomic<int> turns{0};
  Script endless([&, is_first = true]() mutable {
    if (!std::exchange(is_first, false)) return done;
    while (turns < 100) std::this_thread::yield();
    return again;
  });
  Script healthy([&] { return ++turns < 100 ? again : done; });
  const auto stuck = scheduler.make_flow(1);
  start(*stuck, endless, ended);
  start(*scheduler.make_flow(1), healthy, ended);
  ended.wait();
  EXPECT_GE(scheduler.stats()[0].overruns, 1U);
}

TEST(Scheduler, AJobThatOverrunsLeavesItsWorkerToOthers) {
  Scheduler scheduler({.overrun_ns = ms});
  std::latch ended(2);
  std::atomic<bool> is_healthy_done{false};
  std::atomic<bool> ran{false};
  const auto delegates = scheduler.make_flow(1);
  Task job([&] {
    while (!is_healthy_done) std::this_thread::yield();
    ran = true;
    delegates->wake();
  });
  Script delegating([&, is_submitted = false]() mutable {
    if (!std::exchange(is_submitted, true)) delegates->submit(job);
    return ran ? done : wait;
  });
  Script healthy([&, left = 100]() mutable {
    if (--left != 0) return again;
    is_healthy_done = true;
    return done;
  });
  start(*delegates, delegating, ended);
  start(*scheduler.make_flow(1), healthy, ended);
  ended.wait();
  EXPECT_TRUE(ran);
}

// More turns overrun than there are hands: the others wait until one ends, and nothing is lost.
TEST(Scheduler, OverrunsAreLimited) {
  Scheduler scheduler({.overrun_ns = ms});
  constexpr int stuck_count = static_cast<int>(overruns_max) + 5;
  std::latch ended(stuck_count);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> open{false};
  std::deque<Script> scripts;
  for (int i = 0; i < stuck_count; ++i) {
    scripts.emplace_back(std::function<Turn()>([&] {
      const int now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      if (now == static_cast<int>(overruns_max) + 1) open = true;
      while (!open) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --inside;
      return done;
    }));
    start(*scheduler.make_flow(1), scripts.back(), ended);
  }
  ended.wait();
  EXPECT_EQ(most, static_cast<int>(overruns_max) + 1);
}

// The last hand that was beside a worker leaves a timer to workers that all sleep.
TEST(Scheduler, ATurnThatOverranMayWaitForATimeAndIsWoken) {
  Scheduler scheduler({.overrun_ns = ms});
  for (int i = 0; i < 20; ++i) {
    std::latch ended(2);
    std::atomic<bool> is_other_done{false};
    Script overrunning([&, is_first = true]() mutable {
      if (!std::exchange(is_first, false)) return done;
      while (!is_other_done) std::this_thread::yield();
      return wait_until(SystemClock::instance().monotonic_ns() + ms);
    });
    Script other([&] {
      is_other_done = true;
      return done;
    });
    start(*scheduler.make_flow(1), overrunning, ended);
    start(*scheduler.make_flow(1), other, ended);
    ended.wait();
  }
}

// ---- whole flows ------------------------------------------------------------------------------------------------------------

// Two processors and the sink beside their flow, on as many threads as there are; one of them reports errors and one traps.
class ParallelStages : public testing::TestWithParam<std::tuple<bool, std::uint32_t>> {};

TEST_P(ParallelStages, PassOnEverythingInOrder) {
  const auto& [on_own_thread, looks] = GetParam();
  constexpr std::uint64_t elements = 20'000;
  Graph graph;
  graph.source(elements);
  std::uint64_t errors = 0;
  graph.stage([&](Element& element, resources::Run& out) {
    if (fake_number(element) % 1'000 == 999 && ++errors % 2 == 1) return StageStatus::element_error;
    return pass_on(element, out);
  });
  int traps = 0;
  graph.stage([&](Element& element, resources::Run& out) {
    if (fake_number(element) % 5'000 == 2'500 && ++traps % 2 == 1) return StageStatus::failed;
    return pass_on(element, out);
  });
  KeepingSink& sink = graph.sink();
  for (const std::size_t node : {1U, 2U, 3U}) graph.node(node).parallel = true;
  graph.failure(1).on_error.internal = config::ErrorAction::retry;
  graph.failure(1).retry_backoff_ns = 1'000;
  graph.failure(2).on_trap = config::TrapAction::restart;
  graph.failure(2).restarts = 10;
  graph.plan().max_batch = 16;
  graph.plan().looks = looks;

  Scheduler scheduler({.worker_threads = 3});
  Interrupt interrupt;
  if (on_own_thread) {
    const auto flow = scheduler.make_flow_on_own_thread();
    FlowDriver driver(std::move(graph.plan()), SystemClock::instance(), interrupt, flow.get());
    driver.set_waker(flow.get());
    ASSERT_TRUE(flow->run(driver));
    EXPECT_EQ(driver.report().fates[observability::Fate::delivered], elements);
    EXPECT_EQ(sink.numbers.size(), elements);
    EXPECT_TRUE(std::ranges::is_sorted(sink.numbers));
    return;
  }
  const auto flow = scheduler.make_flow(1);
  FlowDriver driver(std::move(graph.plan()), SystemClock::instance(), interrupt, flow.get());
  driver.set_waker(flow.get());
  std::latch ended(1);
  ASSERT_TRUE(flow->start(driver, [&] { ended.count_down(); }));
  ended.wait();
  EXPECT_EQ(driver.report().fates[observability::Fate::delivered], elements);
  EXPECT_EQ(sink.numbers.size(), elements);
  EXPECT_TRUE(std::ranges::is_sorted(sink.numbers));
}

INSTANTIATE_TEST_SUITE_P(OnWorkers, ParallelStages, testing::Combine(testing::Bool(), testing::Values(0U, 50U)),
                         [](const auto& drawn) {
                           return std::string(std::get<0>(drawn.param) ? "OwnThread" : "Pooled") +
                                  (std::get<1>(drawn.param) == 0 ? "" : "Looking");
                         });

}  // namespace
}  // namespace torvyn::reactor
