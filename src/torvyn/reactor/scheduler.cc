// Who may touch a flow is agreed over one word, `TurnState`: whoever moves it to `queued` puts the flow into a queue, whoever takes it
// from the queue drives it. Every wake writes that word, even where it changes nothing, so what the waker wrote before is seen by the
// turn that answers the wake.
//
// No work may be left lying while a worker sleeps. Two counters see to that, both read and written sequentially consistent, as are the
// heads of the queues: `sleeping`, and `searching`, the workers that were woken and have found nothing yet.
//   * Whoever queues work does so first and looks at the counters second; if somebody sleeps and nobody searches, it wakes one.
//   * Whoever goes to sleep says so first and looks at the queues second.
//   * Whoever searched and found something stops being a searcher first and looks at the queues second: if there is more, it wakes
//     the next. So a storm of wakes rouses workers one after the other, and only as many as there is work for.
// Of the sleepers one, the timekeeper, sleeps no longer than until the next timer. When it gets up, it leaves the post vacant; whoever
// goes to work fills it if there are timers. Workers at work look at the timers between turns.
//
// Threads, `Hand`s, are not workers: they are at one. A worker has one hand at a time. While a hand is in a turn or a job, its worker's
// `busy` holds that turn's number. The watch, a thread that is up only while somebody waits for a worker, takes the number away where a
// turn overruns, and gives the worker to another hand; the hand that finds its number gone has lost its worker: it sees the flow home, and
// waits to be given another.
#include "torvyn/reactor/scheduler.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "torvyn/reactor/pairing_heap.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {
namespace {

// A sleep of years overflows in the library that waits; after an hour a worker looks at its clock and sleeps on.
constexpr std::uint64_t sleep_max_ns = 3'600'000'000'000;

class TurnState {
 public:
  // True: it waited, and the caller puts it into a queue.
  bool wake() noexcept {
    State seen = state_.load(std::memory_order_relaxed);
    State next;
    do {
      next = seen == State::waiting ? State::queued : seen == State::running ? State::running_woken : seen;
    } while (!state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel, std::memory_order_relaxed));
    return seen == State::waiting;
  }

  bool waits() const noexcept { return state_.load(std::memory_order_acquire) == State::waiting; }

  // The rest is for whoever drives.
  void queue() noexcept { state_.exchange(State::queued, std::memory_order_acq_rel); }
  void run() noexcept { state_.exchange(State::running, std::memory_order_acq_rel); }
  void end() noexcept { state_.exchange(State::ended, std::memory_order_acq_rel); }

  // After a turn. True: it waits, and may be another thread's already. False: it was woken meanwhile.
  bool wait() noexcept {
    State running = State::running;
    return state_.compare_exchange_strong(running, State::waiting, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

 private:
  enum class State : std::uint8_t { unstarted, waiting, queued, running, running_woken, ended };
  std::atomic<State> state_{State::unstarted};
};

// Threads inherit the mask of the one that makes them.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t others;
    sigfillset(&others);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&others, own);
    pthread_sigmask(SIG_BLOCK, &others, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

template <class Body>
Status start_thread(std::thread& thread, const char* name, Body body) {
  const SignalsBlocked blocked;
  try {
    thread = std::thread([name, body = std::move(body)]() mutable noexcept {
      pthread_setname_np(pthread_self(), name);
      body();
    });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::capacity_exceeded, "cannot start a thread: " + error.code().message(),
                "Raise the limit on processes: `ulimit -u`, or `pids.max` of the container.");
  }
  return {};
}

// Until a wake, or `wake_at_ns`, or an hour; it may also return for nothing.
void sleep_until(std::condition_variable& bell, std::unique_lock<std::mutex>& lock, const Clock& clock,
                 std::uint64_t wake_at_ns) {
  if (wake_at_ns == never_ns) return bell.wait(lock);
  const std::uint64_t now_ns = clock.monotonic_ns();
  if (wake_at_ns <= now_ns) return;
  bell.wait_for(lock, std::chrono::nanoseconds(std::min(wake_at_ns - now_ns, sleep_max_ns)));
}

// First in, first out, linked through the items' own `Link`.
template <class T, auto Link>
class Fifo {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void push(T& item) noexcept {
    item.*Link = nullptr;
    (empty() ? first_ : last_->*Link) = &item;
    last_ = &item;
  }
  T& pop() noexcept {
    T& item = *first_;
    first_ = item.*Link;
    return item;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

// A flow's jobs that no worker has taken yet.
struct JobList {
  explicit JobList(Scheduler::Flow& owner) noexcept : flow(owner) {}
  Scheduler::Flow& flow;
  Fifo<Job, &Job::next_job> jobs;
  JobList* next = nullptr;                // in the list of lists that have any
  std::atomic<std::uint64_t> work_ns{0};  // spent by jobs and not charged yet
};

}  // namespace

class Scheduler::PooledFlow final : public Flow, public Contender {
 public:
  PooledFlow(std::shared_ptr<Core> core, double share, std::uint32_t home_queue)
      : Contender(share, home_queue), jobs_(*this), core_(std::move(core)) {}

  Status start(Driven& driven, std::function<void()> ended) override;
  void wake() noexcept override;
  void submit(Job& job) noexcept override;

 private:
  friend struct Core;
  struct TimerLinks {
    static PooledFlow*& child(PooledFlow& flow) noexcept { return flow.timer_child_; }
    static PooledFlow*& sibling(PooledFlow& flow) noexcept { return flow.timer_sibling_; }
    static PooledFlow*& before(PooledFlow& flow) noexcept { return flow.timer_before_; }
    static bool precedes(const PooledFlow& a, const PooledFlow& b) noexcept { return a.wake_at_ns_ < b.wake_at_ns_; }
  };

  TurnState state_;
  bool has_timer_ = false;  // was armed when it last waited
  JobList jobs_;
  Driven* driven_ = nullptr;
  std::function<void()> ended_;
  std::shared_ptr<Core> core_;
  std::shared_ptr<Flow> self_;  // while it is driven

  // Guarded by the core's mutex.
  bool in_timers_ = false;
  std::uint64_t wake_at_ns_ = never_ns;
  PooledFlow* timer_child_ = nullptr;
  PooledFlow* timer_sibling_ = nullptr;
  PooledFlow* timer_before_ = nullptr;
};

// What the scheduler, its threads and the handles of flows have in common; the last of them takes it away.
struct Scheduler::Core {
  struct Hand;
  struct Worker {
    std::uint32_t index = 0;
    std::atomic<std::uint64_t> busy{0};  // number of the turn or job that its hand is in; 0: none

    // Its hand's.
    std::uint64_t turns = 0;  // and jobs, so far
    bool searches = false;    // counted in `searching`

    // Guarded by `mutex`.
    Hand* hand = nullptr;
    std::condition_variable bell;
    bool sleeps = false;                       // counted in `sleeping`
    std::uint64_t sleeps_since_ns = never_ns;  // until its hand is up
    std::uint64_t idle_ns = 0;
    std::uint64_t wakeups = 0;
    std::uint64_t overruns = 0;
    std::uint64_t busy_seen = 0;  // by the watch, when it last looked,
    std::uint32_t looks = 0;      // and for so many looks before
  };

  struct TakenJob {
    std::shared_ptr<Flow> flow;  // lives until the job has run
    JobList* list = nullptr;
    Job* job = nullptr;  // null: there was none
  };

  struct Hand {
    std::thread thread;
    std::uint64_t now_ns = 0;  // its own, as of the last turn, job or sleep

    // Guarded by `mutex`.
    Worker* worker = nullptr;  // null: lost, or not given one yet
    bool is_spare = false;     // in `spare_hands`
    std::condition_variable bell;
    Hand* next = nullptr;  // in `spare_hands`
  };

  explicit Core(SchedulerOptions given);

  // Without threads there is one worker all the same, for whoever calls `run_some`.
  static std::uint32_t worker_count(const SchedulerOptions& given) noexcept {
    return std::max(1U, given.worker_threads);
  }

  // The life of a worker.
  Status start_workers();
  void live(Hand& me) noexcept;
  SomeWork run_some(std::uint64_t budget_ns) noexcept;
  void work(Hand& me, Worker& worker) noexcept;
  bool run_turn(Hand& me, Worker& worker, PooledFlow& flow) noexcept;
  TakenJob take_job() noexcept;
  bool run_job(Hand& me, Worker& worker, const TakenJob& taken) noexcept;
  template <class Work>
  bool keeps_worker(Worker& worker, Work work) noexcept;
  bool go_to_sleep(Hand& me, Worker& worker) noexcept;
  void get_up(Worker& worker) noexcept;
  void enter(PooledFlow& flow) noexcept;
  void go_to_work(Worker& worker) noexcept;
  void call_one(std::uint32_t near) noexcept;
  Worker* choose_sleeper(std::uint32_t near) noexcept;

  // The watch.
  Status add_hand(Worker* worker);
  void call_watch() noexcept;
  void watch() noexcept;
  void relieve(Worker& worker) noexcept;
  bool anyone_waits() const noexcept { return jobs_waiting.load() != 0 || queues.any(); }

  // Timers.
  void arm(PooledFlow& flow, std::uint64_t wake_at_ns) noexcept;
  void disarm(PooledFlow& flow) noexcept;
  void fire_timers(std::uint64_t now_ns) noexcept;
  void timers_changed() noexcept;

  void flow_started() noexcept;
  void flow_ended() noexcept;
  void submit(JobList& list, Job& job) noexcept;

  const SchedulerOptions options;
  const Clock& clock;
  FairQueues queues;
  const std::unique_ptr<Worker[]> workers;
  const pid_t process = getpid();
  std::shared_ptr<Core> let_go;  // itself, in a forked child: never destroyed
  std::atomic<std::uint32_t> next_home{0};

  // Written with `mutex` held, but for a searcher that finds something; read by anyone.
  std::atomic<std::uint32_t> sleeping{0};
  std::atomic<std::uint32_t> searching{0};
  std::atomic<std::uint32_t> jobs_waiting{0};
  std::atomic<std::uint64_t> next_timer_ns{never_ns};
  std::atomic<Worker*> timekeeper{nullptr};
  std::atomic<bool> watch_sleeps{false};

  std::mutex caller_mutex;   // of `run_some`; taken before `mutex`
  mutable std::mutex mutex;  // guards the rest; a queue's may be taken while it is held, not the other way round
  PairingHeap<PooledFlow, PooledFlow::TimerLinks> timers;
  Fifo<JobList, &JobList::next> job_lists;  // those with jobs
  std::deque<Hand> hands;                   // the first ones began at the workers
  Fifo<Hand, &Hand::next> spare_hands;
  std::thread watcher;
  std::condition_variable watch_bell;
  std::uint64_t flows = 0;  // started, and not ended
  bool stopping = false;

  std::uint64_t own_threads = 0;
  std::thread ended_thread;  // the last own thread that ended; joined by the next
  std::condition_variable no_own_threads;
};

class Scheduler::ThreadFlow final : public OwnThreadFlow {
 public:
  explicit ThreadFlow(std::shared_ptr<Core> core) : jobs_(*this), core_(std::move(core)) {}

  Status start(Driven& driven, std::function<void()> ended) override;
  Status run(Driven& driven) override;
  void wake() noexcept override;
  void submit(Job& job) noexcept override { core_->submit(jobs_, job); }

 private:
  void drive(Driven& driven) noexcept;
  void wait_until(std::uint64_t wake_at_ns) noexcept;
  void leave_thread() noexcept;

  TurnState state_;
  JobList jobs_;
  std::shared_ptr<Core> core_;
  bool started_ = false;
  std::thread thread_;  // guarded by the core's mutex
  std::mutex mutex_;    // held to ring the bell, and to hear it
  std::condition_variable bell_;
};

Scheduler::Core::Core(SchedulerOptions given)
    : options(given),
      clock(*given.clock),
      queues(worker_count(given), given.quantum.time_ns),
      workers(std::make_unique<Worker[]>(worker_count(given))) {
  for (std::uint32_t i = 0; i < worker_count(given); ++i) workers[i].index = i;
}

Status Scheduler::Core::start_workers() {
  const std::lock_guard lock(mutex);
  TORVYN_ASSERT(!stopping, "a flow was started after its scheduler's end");
  if (options.worker_threads == 0) return {};
  while (hands.size() < options.worker_threads) TORVYN_TRY(add_hand(&workers[hands.size()]));
  if (options.overrun_ns != never_ns && !watcher.joinable())
    TORVYN_TRY(start_thread(watcher, "torvyn-watch", [this] { watch(); }));
  return {};
}

// Requires: `mutex` is held.
Status Scheduler::Core::add_hand(Worker* worker) {
  Hand& hand = hands.emplace_back();
  if (const Status started = start_thread(hand.thread, "torvyn-worker", [this, &hand] { live(hand); }); !started) {
    hands.pop_back();
    return started;
  }
  hand.worker = worker;
  if (worker != nullptr) worker->hand = &hand;
  return {};
}

void Scheduler::Core::live(Hand& me) noexcept {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (Worker* const worker = me.worker) {
      lock.unlock();
      work(me, *worker);
      lock.lock();
    } else {
      if (!std::exchange(me.is_spare, true)) spare_hands.push(me);
      while (me.worker == nullptr && !stopping) me.bell.wait(lock);
    }
  }
}

// Until the worker is lost, or the scheduler ends.
void Scheduler::Core::work(Hand& me, Worker& worker) noexcept {
  me.now_ns = clock.monotonic_ns();
  for (bool has_worker = true; has_worker;) {
    if (next_timer_ns.load(std::memory_order_relaxed) <= me.now_ns) {
      const std::lock_guard lock(mutex);
      fire_timers(me.now_ns);
    }
    if (const TakenJob taken = take_job(); taken.job != nullptr) {
      has_worker = run_job(me, worker, taken);
    } else if (Contender* const next = queues.next(worker.index)) {
      has_worker = run_turn(me, worker, static_cast<PooledFlow&>(*next));
    } else {
      has_worker = go_to_sleep(me, worker);
    }
  }
}

SomeWork Scheduler::Core::run_some(std::uint64_t budget_ns) noexcept {
  TORVYN_ASSERT(options.worker_threads == 0, "the workers have threads of their own");
  const std::unique_lock alone(caller_mutex, std::try_to_lock);
  if (!alone) return {.more = true};
  SomeWork some;
  Hand me;
  Worker& worker = workers[0];
  me.now_ns = clock.monotonic_ns();
  const std::uint64_t end_ns = me.now_ns + std::min(budget_ns, never_ns - me.now_ns);
  do {
    if (next_timer_ns.load(std::memory_order_relaxed) <= me.now_ns) {
      const std::lock_guard lock(mutex);
      fire_timers(me.now_ns);
    }
    if (const TakenJob taken = take_job(); taken.job != nullptr) {
      run_job(me, worker, taken);
    } else if (Contender* const next = queues.next(worker.index)) {
      run_turn(me, worker, static_cast<PooledFlow&>(*next));
    } else {
      some.wake_at_ns = next_timer_ns.load(std::memory_order_relaxed);
      return some;
    }
    some.worked = true;
  } while (me.now_ns < end_ns);
  some.more = anyone_waits();
  if (!some.more) some.wake_at_ns = next_timer_ns.load(std::memory_order_relaxed);
  return some;
}

// Does what may overrun. False: it did, and the worker is another hand's now.
template <class Work>
bool Scheduler::Core::keeps_worker(Worker& worker, Work work) noexcept {
  std::uint64_t number = ++worker.turns;
  worker.busy.store(number, std::memory_order_release);
  work();
  return worker.busy.compare_exchange_strong(number, 0, std::memory_order_acq_rel);
}

bool Scheduler::Core::run_turn(Hand& me, Worker& worker, PooledFlow& flow) noexcept {
  go_to_work(worker);
  flow.state_.run();
  if (flow.has_timer_) disarm(flow);
  Quantum quantum = options.quantum;
  quantum.may_block = false;
  Turn turn;
  const bool has_worker = keeps_worker(worker, [&] { turn = flow.driven_->turn(quantum); });
  me.now_ns = clock.monotonic_ns();
  flow.charge(turn.work_ns + flow.jobs_.work_ns.exchange(0, std::memory_order_relaxed));

  bool goes_on = true;
  if (turn.next == Turn::Next::done) {
    goes_on = false;
    flow.state_.end();
    const std::shared_ptr<Flow> self = std::move(flow.self_);
    const std::function<void()> ended = std::move(flow.ended_);
    flow_ended();
    ended();
  } else if (turn.next == Turn::Next::wait && turn.wake_at_ns > me.now_ns) {
    // Armed before it waits: from then on it may be another thread's.
    if (turn.wake_at_ns != never_ns) arm(flow, turn.wake_at_ns);
    goes_on = !flow.state_.wait();
  }
  if (goes_on) {
    flow.state_.queue();
    queues.put_back(worker.index, flow);
  }
  // A hand with a worker sees next to what it left. Without one, it leaves a queue and a timer to workers that may be asleep.
  if (!has_worker) call_one(worker.index);
  return has_worker;
}

Scheduler::Core::TakenJob Scheduler::Core::take_job() noexcept {
  if (jobs_waiting.load(std::memory_order_relaxed) == 0) return {};
  const std::lock_guard lock(mutex);
  if (job_lists.empty()) return {};
  JobList& list = job_lists.pop();
  Job& job = list.jobs.pop();
  if (!list.jobs.empty()) job_lists.push(list);
  jobs_waiting.fetch_sub(1);
  return {.flow = list.flow.shared_from_this(), .list = &list, .job = &job};
}

bool Scheduler::Core::run_job(Hand& me, Worker& worker, const TakenJob& taken) noexcept {
  go_to_work(worker);
  std::uint64_t work_ns = 0;
  const bool has_worker = keeps_worker(worker, [&] { work_ns = taken.job->run(); });
  me.now_ns = clock.monotonic_ns();
  taken.list->work_ns.fetch_add(work_ns, std::memory_order_relaxed);
  return has_worker;
}

void Scheduler::Core::enter(PooledFlow& flow) noexcept {
  const std::uint32_t near = flow.home;  // once queued, the flow is for others to touch
  queues.enter(flow);
  call_one(near);
}

// Whoever found something to do sees to what is left behind: more work, and timers.
void Scheduler::Core::go_to_work(Worker& worker) noexcept {
  if (std::exchange(worker.searches, false)) searching.fetch_sub(1);
  if (sleeping.load() == 0) {
    if (watch_sleeps.load() && anyone_waits()) call_watch();
    return;
  }
  if (anyone_waits()) call_one(worker.index);
  if (next_timer_ns.load(std::memory_order_relaxed) == never_ns) return;
  if (timekeeper.load(std::memory_order_relaxed) != nullptr) return;
  const std::lock_guard lock(mutex);
  if (timers.top() == nullptr || timekeeper.load(std::memory_order_relaxed) != nullptr) return;
  if (Worker* const sleeper = choose_sleeper(worker.index))
    sleeper->bell.notify_one();  // takes the post, and sleeps on
}

// False: the scheduler ends.
bool Scheduler::Core::go_to_sleep(Hand& me, Worker& worker) noexcept {
  std::unique_lock lock(mutex);
  worker.sleeps = true;
  sleeping.fetch_add(1);
  if (std::exchange(worker.searches, false)) searching.fetch_sub(1);
  worker.sleeps_since_ns = clock.monotonic_ns();
  while (worker.sleeps && !stopping && !anyone_waits()) {
    std::uint64_t wake_at_ns = never_ns;
    Worker* const keeper = timekeeper.load(std::memory_order_relaxed);
    if (timers.top() != nullptr && (keeper == nullptr || keeper == &worker)) {
      timekeeper.store(&worker, std::memory_order_relaxed);
      wake_at_ns = timers.top()->wake_at_ns_;
      const std::uint64_t now_ns = clock.monotonic_ns();
      if (wake_at_ns <= now_ns) {
        fire_timers(now_ns);
        break;
      }
    }
    sleep_until(worker.bell, lock, clock, wake_at_ns);
    ++worker.wakeups;
  }
  if (worker.sleeps) get_up(worker);
  me.now_ns = clock.monotonic_ns();
  worker.idle_ns += me.now_ns - std::exchange(worker.sleeps_since_ns, never_ns);
  return !stopping;
}

void Scheduler::Core::call_watch() noexcept {
  const std::lock_guard lock(mutex);
  if (watch_sleeps.exchange(false)) watch_bell.notify_one();
}

void Scheduler::Core::watch() noexcept {
  const auto interval = std::chrono::nanoseconds(std::max<std::uint64_t>(options.overrun_ns / 2, 1));
  std::unique_lock lock(mutex);
  while (!stopping) {
    // Says that it sleeps first and looks second; whoever queues work does it the other way round.
    watch_sleeps.store(true);
    if (!anyone_waits()) {
      while (watch_sleeps.load() && !stopping) watch_bell.wait(lock);
      continue;
    }
    watch_sleeps.store(false);
    watch_bell.wait_for(lock, interval);
    if (sleeping.load() != 0 || !anyone_waits()) continue;
    for (std::uint32_t i = 0; i < options.worker_threads && !stopping; ++i) relieve(workers[i]);
  }
}

// Gives the worker to another hand where its own is in the same turn as two looks ago. Requires: `mutex` is held.
void Scheduler::Core::relieve(Worker& worker) noexcept {
  std::uint64_t number = worker.busy.load(std::memory_order_acquire);
  if (std::exchange(worker.busy_seen, number) != number) worker.looks = 0;
  if (number == 0 || ++worker.looks < 3) return;
  if (spare_hands.empty()) {
    if (hands.size() == options.worker_threads + overruns_max || !add_hand(nullptr)) return;
    hands.back().is_spare = true;
    spare_hands.push(hands.back());
  }
  if (!worker.busy.compare_exchange_strong(number, 0, std::memory_order_acq_rel)) return;
  Hand& spare = spare_hands.pop();
  spare.is_spare = false;
  worker.hand->worker = nullptr;
  worker.hand = &spare;
  spare.worker = &worker;
  ++worker.overruns;
  spare.bell.notify_one();
}

// Requires: `mutex` is held.
void Scheduler::Core::get_up(Worker& worker) noexcept {
  worker.sleeps = false;
  sleeping.fetch_sub(1);
  if (timekeeper.load(std::memory_order_relaxed) == &worker) timekeeper.store(nullptr, std::memory_order_relaxed);
}

// Wakes a worker for something that was queued, where one sleeps and none searches: the nearest has its caches warm.
void Scheduler::Core::call_one(std::uint32_t near) noexcept {
  if (sleeping.load() == 0 && watch_sleeps.load()) call_watch();
  if (sleeping.load() == 0 || searching.load() != 0) return;
  Worker* sleeper = nullptr;
  {
    const std::lock_guard lock(mutex);
    if (searching.load() != 0) return;
    sleeper = choose_sleeper(near);
    if (sleeper == nullptr) return;
    get_up(*sleeper);
    sleeper->searches = true;
    searching.fetch_add(1);
  }
  sleeper->bell.notify_one();
}

// Rather `near`, rather not the timekeeper. Requires: `mutex` is held.
Scheduler::Core::Worker* Scheduler::Core::choose_sleeper(std::uint32_t near) noexcept {
  if (workers[near].sleeps) return &workers[near];
  for (std::uint32_t i = 0; i < options.worker_threads; ++i) {
    if (workers[i].sleeps && timekeeper.load(std::memory_order_relaxed) != &workers[i]) return &workers[i];
  }
  return timekeeper.load(std::memory_order_relaxed);
}

void Scheduler::Core::arm(PooledFlow& flow, std::uint64_t wake_at_ns) noexcept {
  const std::lock_guard lock(mutex);
  flow.has_timer_ = true;
  flow.in_timers_ = true;
  flow.wake_at_ns_ = wake_at_ns;
  timers.push(flow);
  timers_changed();
  if (timers.top() != &flow) return;
  if (Worker* const keeper = timekeeper.load(std::memory_order_relaxed)) keeper->bell.notify_one();
}

void Scheduler::Core::disarm(PooledFlow& flow) noexcept {
  const std::lock_guard lock(mutex);
  flow.has_timer_ = false;
  if (!std::exchange(flow.in_timers_, false)) return;
  timers.remove(flow);
  timers_changed();
}

// Requires: `mutex` is held.
void Scheduler::Core::fire_timers(std::uint64_t now_ns) noexcept {
  while (timers.top() != nullptr && timers.top()->wake_at_ns_ <= now_ns) {
    PooledFlow& flow = *timers.pop();
    flow.in_timers_ = false;
    if (flow.state_.wake()) queues.enter(flow);
  }
  timers_changed();
}

// Requires: `mutex` is held.
void Scheduler::Core::timers_changed() noexcept {
  next_timer_ns.store(timers.top() == nullptr ? never_ns : timers.top()->wake_at_ns_, std::memory_order_relaxed);
}

void Scheduler::Core::flow_started() noexcept {
  const std::lock_guard lock(mutex);
  ++flows;
}

void Scheduler::Core::flow_ended() noexcept {
  const std::lock_guard lock(mutex);
  --flows;
}

void Scheduler::Core::submit(JobList& list, Job& job) noexcept {
  {
    const std::lock_guard lock(mutex);
    TORVYN_ASSERT(hands.size() >= options.worker_threads, "a job of a flow that was not started");
    if (list.jobs.empty()) job_lists.push(list);
    list.jobs.push(job);
    jobs_waiting.fetch_add(1);
  }
  call_one(0);
}

Status Scheduler::PooledFlow::start(Driven& driven, std::function<void()> ended) {
  TORVYN_TRY(core_->start_workers());
  TORVYN_ASSERT(driven_ == nullptr, "a flow was started twice");
  driven_ = &driven;
  ended_ = std::move(ended);
  self_ = shared_from_this();
  core_->flow_started();
  state_.queue();
  core_->enter(*this);
  return {};
}

void Scheduler::PooledFlow::submit(Job& job) noexcept { core_->submit(jobs_, job); }

void Scheduler::PooledFlow::wake() noexcept {
  if (state_.wake()) core_->enter(*this);
}

Status Scheduler::ThreadFlow::start(Driven& driven, std::function<void()> ended) {
  TORVYN_TRY(core_->start_workers());
  TORVYN_ASSERT(!started_, "a flow was started twice");
  const std::lock_guard lock(core_->mutex);  // the thread must find itself in `thread_` when it leaves
  TORVYN_TRY(start_thread(thread_, "torvyn-flow", [self = shared_from_this(), this, &driven, ended = std::move(ended)] {
    drive(driven);
    core_->flow_ended();
    ended();
    leave_thread();
  }));
  started_ = true;
  ++core_->flows;
  ++core_->own_threads;
  return {};
}

Status Scheduler::ThreadFlow::run(Driven& driven) {
  TORVYN_TRY(core_->start_workers());
  TORVYN_ASSERT(!std::exchange(started_, true), "a flow was started twice");
  core_->flow_started();
  drive(driven);
  core_->flow_ended();
  return {};
}

void Scheduler::ThreadFlow::drive(Driven& driven) noexcept {
  Quantum quantum = core_->options.quantum;
  quantum.may_block = true;
  for (;;) {
    state_.run();
    const Turn turn = driven.turn(quantum);
    if (turn.next == Turn::Next::done) break;
    if (turn.next == Turn::Next::wait) wait_until(turn.wake_at_ns);
  }
  state_.end();
}

void Scheduler::ThreadFlow::wait_until(std::uint64_t wake_at_ns) noexcept {
  if (wake_at_ns <= core_->clock.monotonic_ns() || !state_.wait()) return;
  std::unique_lock lock(mutex_);
  while (state_.waits() && wake_at_ns > core_->clock.monotonic_ns()) sleep_until(bell_, lock, core_->clock, wake_at_ns);
}

void Scheduler::ThreadFlow::wake() noexcept {
  if (!state_.wake()) return;
  const std::lock_guard lock(mutex_);
  bell_.notify_one();
}

// A thread can't join itself: it leaves itself to the next one that ends, and joins the one before.
void Scheduler::ThreadFlow::leave_thread() noexcept {
  std::thread before;
  {
    const std::lock_guard lock(core_->mutex);
    before = std::exchange(core_->ended_thread, std::move(thread_));
    if (--core_->own_threads == 0) core_->no_own_threads.notify_all();
  }
  if (before.joinable()) before.join();
}

Scheduler::Scheduler(SchedulerOptions options) { core_ = std::make_shared<Core>(options); }

Scheduler::~Scheduler() {
  if (getpid() != core_->process) {
    core_->let_go = core_;  // nobody is left to join, and a mutex may be held for ever
    return;
  }
  std::unique_lock lock(core_->mutex);
  TORVYN_ASSERT(core_->flows == 0, "a scheduler was destroyed before its flows ended");
  core_->stopping = true;
  for (std::uint32_t i = 0; i < core_->options.worker_threads; ++i) core_->workers[i].bell.notify_one();
  for (Core::Hand& hand : core_->hands) hand.bell.notify_one();
  core_->watch_bell.notify_one();
  core_->no_own_threads.wait(lock, [this] { return core_->own_threads == 0; });
  lock.unlock();
  for (Core::Hand& hand : core_->hands) hand.thread.join();
  if (core_->watcher.joinable()) core_->watcher.join();
  if (core_->ended_thread.joinable()) core_->ended_thread.join();
}

std::shared_ptr<Scheduler::Flow> Scheduler::make_flow(double share) {
  static_assert(sizeof(PooledFlow) <= 304, "there may be tens of thousands");
  const std::uint32_t home =
      core_->next_home.fetch_add(1, std::memory_order_relaxed) % Core::worker_count(core_->options);
  return std::make_shared<PooledFlow>(core_, share, home);
}

std::shared_ptr<Scheduler::OwnThreadFlow> Scheduler::make_flow_on_own_thread() {
  return std::make_shared<ThreadFlow>(core_);
}

SomeWork Scheduler::run_some(std::uint64_t budget_ns) { return core_->run_some(budget_ns); }

void Scheduler::clock_moved() noexcept {
  const std::lock_guard lock(core_->mutex);
  if (Core::Worker* const keeper = core_->timekeeper.load(std::memory_order_relaxed)) keeper->bell.notify_one();
}

std::vector<WorkerStats> Scheduler::stats() const {
  std::vector<WorkerStats> stats(core_->options.worker_threads);
  const std::lock_guard lock(core_->mutex);
  const std::uint64_t now_ns = core_->clock.monotonic_ns();
  for (std::uint32_t i = 0; i < stats.size(); ++i) {
    const Core::Worker& worker = core_->workers[i];
    stats[i].wakeups = worker.wakeups;
    stats[i].idle_ns = worker.idle_ns + (worker.sleeps_since_ns == never_ns ? 0 : now_ns - worker.sleeps_since_ns);
    stats[i].steals = core_->queues.steals(i);
    stats[i].overruns = worker.overruns;
  }
  return stats;
}

}  // namespace torvyn::reactor
