#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/host/flow_maker.h"
#include "torvyn/host/make_run.h"
#include "torvyn/reactor/flow_driver.h"
#include "torvyn/types/clock.h"

namespace torvyn::host {

using observability::FlowReport;
using observability::FlowState;

namespace {

// Calls once after a while, unless it is destroyed before.
class Timer {
 public:
  template <class Callback>
  Timer(std::uint64_t after_ns, Callback callback)
      : thread_([this, after_ns, callback] {
          std::unique_lock lock(mutex_);
          const bool cancelled =
              ended_.wait_for(lock, std::chrono::nanoseconds(after_ns), [this] { return cancelled_; });
          if (!cancelled) callback();
        }) {}
  ~Timer() {
    {
      const std::scoped_lock lock(mutex_);
      cancelled_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool cancelled_ = false;
  std::thread thread_;
};

// What failed runs did counts with the last one's: the sums are the flow's.
void add_run(FlowReport& report, const FlowReport& before) {
  report.fates.pulled += before.fates.pulled;
  report.fates.created += before.fates.created;
  for (std::size_t fate = 0; fate < report.fates.fates.size(); ++fate)
    report.fates.fates[fate] += before.fates.fates[fate];
  report.latency.add(before.latency);
  report.duration_ns += before.duration_ns;
  report.cpu_ns += before.cpu_ns;
  report.restarts = before.restarts + 1;
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    observability::StageReport& stage = report.stages[i];
    const observability::StageReport& earlier = before.stages[i];
    stage.elements_in += earlier.elements_in;
    stage.elements_out += earlier.elements_out;
    stage.errors += earlier.errors;
    stage.restarts += earlier.restarts;
    stage.swaps += earlier.swaps;
    stage.swap_pause_ns = std::max(stage.swap_pause_ns, earlier.swap_pause_ns);
    stage.state_lost += earlier.state_lost;
    stage.rests += earlier.rests;
    stage.rested_ns += earlier.rested_ns;
    stage.time_ns += earlier.time_ns;
    stage.latency.add(earlier.latency);
    add(stage.copies, earlier.copies);
    security::add(stage.capabilities, earlier.capabilities);
  }
  for (std::size_t i = 0; i < report.streams.size(); ++i) {
    observability::StreamReport& stream = report.streams[i];
    const observability::StreamReport& earlier = before.streams[i];
    stream.transferred += earlier.transferred;
    stream.dropped += earlier.dropped;
    stream.depth_max = std::max(stream.depth_max, earlier.depth_max);
    stream.backpressure_events += earlier.backpressure_events;
    stream.backpressure_ns += earlier.backpressure_ns;
  }
}

class FlowRunOnDriver final : public FlowRun {
 public:
  FlowRunOnDriver(Shared& shared, std::unique_ptr<FlowMaker> maker, Audience audience)
      : shared_(shared), maker_(std::move(maker)), audience_(audience) {
    last_known_.name = maker_->flow().name;
  }

  ~FlowRunOnDriver() override {
    if (started_) {
      if (!has_ended()) cancel();
      static_cast<void>(wait());
    }
    if (thread_.joinable()) thread_.join();
  }

  // What can be wrong with a plan shows before anything runs.
  Status make_plan() {
    TORVYN_LET(plan_, maker_->plan(interrupt_));
    return {};
  }

  FlowReport run() override {
    std::optional<Timer> timer;
    if (const auto timeout_ns = maker_->timeout_ns())
      timer.emplace(*timeout_ns, [this] { request_stop(StopReason::timeout); });
    FlowReport report = run_once(std::move(*plan_));
    const config::FlowConfig& flow = maker_->flow();
    std::uint64_t backoff_ns = flow.restart_backoff_ns;
    while (flow.restart_on_failure && report.state == FlowState::failed && !interrupt_.raised() &&
           (flow.restart_max == 0 || report.restarts < flow.restart_max)) {
      if (interrupt_.wait_ns(backoff_ns)) break;
      backoff_ns = std::min(2 * backoff_ns, restart_backoff_max_ns);
      Result<reactor::FlowPlan> plan = [this] {
        const std::scoped_lock lock(mutex_);
        return maker_->plan(interrupt_);
      }();
      if (!plan) break;
      FlowReport next = run_once(*std::move(plan));
      add_run(next, report);
      report = std::move(next);
    }
    report.pools = shared_.pool->stats();
    return maker_->masked(std::move(report));
  }

  Status start() override {
    const bool may_block =
        std::ranges::any_of(plan_->stages, [](const auto& stage) { return stage.stage->may_block(); });
    const bool callers_drive = shared_.options.callers_drive;
    if (callers_drive && maker_->flow().restart_on_failure)
      return fail(ErrorCode::usage,
                  "a flow that is restarted after failures needs a thread of its own, and this host has none",
                  "leave `restart` out, or give the host worker threads");
    if (!callers_drive && (may_block || maker_->flow().restart_on_failure)) {
      try {
        thread_ = std::thread([this] { ended(run()); });
      } catch (const std::system_error& error) {
        return fail(ErrorCode::capacity_exceeded, std::string("no thread for the flow: ") + error.what());
      }
      started_ = true;
      return {};
    }
    const config::FlowConfig& flow = maker_->flow();
    pooled_ = shared_.scheduler->make_flow(reactor::flow_share(flow.weight, flow.priority));
    reactor::FlowDriver& driver = new_driver(std::move(*plan_), pooled_.get());
    driver.set_waker(pooled_.get());
    started_ = true;
    const Status started = pooled_->start(driver, [this, &driver] {
      FlowReport report = driver.report();
      report.pools = shared_.pool->stats();
      ended(maker_->masked(std::move(report)));
    });
    if (!started) started_ = false;
    return started;
  }

  FlowReport wait() override {
    std::unique_lock lock(mutex_);
    has_ended_.wait(lock, [this] { return report_.has_value(); });
    return *report_;
  }

  std::optional<FlowReport> wait_for(std::uint64_t ns) override {
    std::unique_lock lock(mutex_);
    has_ended_.wait_for(lock, std::chrono::nanoseconds(ns), [this] { return report_.has_value(); });
    return report_;
  }

  bool has_ended() const noexcept override {
    const std::scoped_lock lock(mutex_);
    return report_.has_value();
  }

  FlowReport report(std::uint64_t wait_ns) override {
    // Of its own, shared with the driver: the answer may come when nobody waits for it any more.
    struct Answer {
      std::mutex mutex;
      std::condition_variable came;
      std::optional<FlowReport> report;
    };
    const auto answer = std::make_shared<Answer>();
    {
      const std::scoped_lock lock(mutex_);
      if (report_) return *report_;
      if (reactor::FlowDriver* const driver = driver_.load())
        driver->request_report([answer](FlowReport report) {
          const std::scoped_lock answering(answer->mutex);
          answer->report = std::move(report);
          answer->came.notify_all();
        });
    }
    drive([&answer] {
      const std::scoped_lock answering(answer->mutex);
      return answer->report.has_value();
    });
    std::unique_lock waiting(answer->mutex);
    answer->came.wait_for(waiting, std::chrono::nanoseconds(wait_ns), [&answer] { return answer->report.has_value(); });
    std::optional<FlowReport> fresh = std::move(answer->report);
    waiting.unlock();
    const std::scoped_lock lock(mutex_);
    if (fresh) {
      fresh->pools = shared_.pool->stats();
      last_known_ = maker_->masked(*std::move(fresh));
    }
    return last_known_;
  }

  void request_stop(StopReason reason) noexcept override {
    // Said first, then the driver is looked for; new_driver does it the other way round: one of the two sees the other.
    const FlowState state = reason == StopReason::timeout ? FlowState::limited : FlowState::interrupted;
    FlowState running = FlowState::running;
    stop_.compare_exchange_strong(running, state);
    interrupt_.raise();
    if (reactor::FlowDriver* const driver = driver_.load()) driver->request_stop(state);
  }

  void cancel() noexcept override {
    cancelled_.store(true);
    interrupt_.raise();
    const std::scoped_lock lock(mutex_);
    if (reactor::FlowDriver* const driver = driver_.load()) driver->cancel();
  }

  Result<SwapResult> swap(std::string_view node, const std::filesystem::path& component, bool flush) override {
    const std::scoped_lock swapping(swap_mutex_);
    std::vector<linker::LinkedNode>& nodes = maker_->linked().nodes;
    const auto found = std::ranges::find_if(nodes, [node](const auto& one) { return one.config->name == node; });
    if (found == nodes.end())
      return fail(ErrorCode::unknown_flow_or_node,
                  "flow `" + maker_->flow().name + "` has no node `" + std::string(node) + "`");
    TORVYN_LET(linker::LinkedNode replacement,
               linker::link_replacement(*found, shared_.options.base_directory / component, *shared_.engine));
    TORVYN_LET(std::vector<std::unique_ptr<reactor::Stage>> stages, maker_->make_stages(replacement, interrupt_));
    for (const auto& stage : stages)
      if (Status started = stage->start(); !started) return fail(maker_->masked(std::move(started).error()));

    std::promise<Result<std::uint64_t>> done;
    {
      const std::scoped_lock lock(mutex_);
      reactor::FlowDriver* const driver = driver_.load();
      if (driver == nullptr) return fail(ErrorCode::usage, "flow `" + maker_->flow().name + "` does not run");
      driver->request_swap({.node = static_cast<std::size_t>(found - nodes.begin()),
                            .stages = std::move(stages),
                            .component = component.string(),
                            .flush = flush,
                            .done = [&done](Result<std::uint64_t> result) { done.set_value(std::move(result)); }});
    }
    std::future<Result<std::uint64_t>> swapped = done.get_future();
    drive([&swapped] { return swapped.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    TORVYN_LET(const std::uint64_t pause_ns, swapped.get());
    const std::scoped_lock lock(mutex_);
    *found = std::move(replacement);
    return SwapResult{.pause_ns = pause_ns};
  }

  observability::FlowProgress progress() const noexcept override {
    const std::scoped_lock lock(mutex_);
    const reactor::FlowDriver* const driver = driver_.load();
    return driver == nullptr ? observability::FlowProgress{} : driver->progress();
  }

 private:
  // The wait before a restart is doubled up to here.
  static constexpr std::uint64_t restart_backoff_max_ns = 60'000'000'000;

  FlowReport run_once(reactor::FlowPlan plan) {
    const bool parallel =
        std::ranges::any_of(plan.stages, [](const auto& stage) { return stage.parallel || !stage.more.empty(); });
    if (!parallel) return new_driver(std::move(plan), nullptr).run();
    const auto own = shared_.scheduler->make_flow_on_own_thread();
    reactor::FlowDriver& driver = new_driver(std::move(plan), own.get());
    if (const Status ran = own->run(driver); !ran) {
      FlowReport report;
      report.name = maker_->flow().name;
      report.state = FlowState::failed;
      report.error = ran.error();
      return report;
    }
    return driver.report();
  }

  // Where no thread of the host's does it: until `done`, or there is nothing to do any more.
  template <class Done>
  void drive(const Done& done) {
    constexpr std::uint64_t slice_ns = 1'000'000;
    while (shared_.options.callers_drive && !done() && shared_.scheduler->run_some(slice_ns).worked) {
    }
  }

  reactor::FlowDriver& new_driver(reactor::FlowPlan plan, reactor::Executor* executor) {
    auto driver = std::make_unique<reactor::FlowDriver>(std::move(plan), SystemClock::instance(), interrupt_, executor);
    const std::scoped_lock lock(mutex_);
    // The one before stays for as long as a signal handler may be looking at it.
    before_ = std::exchange(current_, std::move(driver));
    driver_.store(current_.get());
    maker_->wake_by_inlets(current_.get());
    if (const FlowState stop = stop_.load(); stop != FlowState::running) current_->request_stop(stop);
    if (cancelled_.load()) current_->cancel();
    return *current_;
  }

  void ended(FlowReport report) {
    if (audience_ == Audience::host && shared_.options.flow_ended) shared_.options.flow_ended(report);
    // Notified under the lock: whoever waits may destroy this as soon as it has it.
    const std::scoped_lock lock(mutex_);
    report_ = std::move(report);
    has_ended_.notify_all();
  }

  Shared& shared_;
  std::unique_ptr<FlowMaker> maker_;
  const Audience audience_;
  reactor::Interrupt interrupt_;
  std::optional<reactor::FlowPlan> plan_;
  std::shared_ptr<reactor::Scheduler::Flow> pooled_;
  mutable std::mutex mutex_;
  std::condition_variable has_ended_;
  std::unique_ptr<reactor::FlowDriver> before_;
  std::unique_ptr<reactor::FlowDriver> current_;
  std::atomic<reactor::FlowDriver*> driver_{nullptr};  // current_, for signal handlers
  std::atomic<FlowState> stop_{FlowState::running};
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
  bool started_ = false;
  std::mutex swap_mutex_;  // one swap after the other; taken before `mutex_`
  FlowReport last_known_;  // of while it runs
  std::optional<FlowReport> report_;
};

}  // namespace

Result<std::unique_ptr<FlowRun>> make_run(Shared& shared, const FlowDefinition& flow, const RunLimits& limits,
                                          Audience audience) {
  auto maker = std::make_unique<FlowMaker>(shared, flow, limits);
  if (Status linked = maker->link(); !linked) return fail(maker->masked(std::move(linked).error()));
  const FlowMaker& made = *maker;
  auto run = std::make_unique<FlowRunOnDriver>(shared, std::move(maker), audience);
  if (Status planned = run->make_plan(); !planned) return fail(made.masked(std::move(planned).error()));
  return run;
}

}  // namespace torvyn::host
