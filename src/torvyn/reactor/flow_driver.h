// Drives one flow: a graph of stages, from its sources to its sinks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/observability/flow_report.h"
#include "torvyn/observability/histogram.h"
#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/flow_plan.h"
#include "torvyn/reactor/lineage_book.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {

struct Node;
struct Lane;
struct Edge;
class Instance;

// What lanes that work on other threads know of the flow they come back to.
struct LanesHome {
  Waker* flow = nullptr;
  Executor* executor = nullptr;
  std::uint32_t looks = 0;  // FlowPlan::looks
  // The driving thread says that it is to be woken, then looks whether any is back; a lane says that it is back, then looks whether to wake.
  std::atomic<bool> is_waiting{false};
  std::atomic<bool> any_back{false};
  std::atomic<std::uint32_t> under_way{0};  // jobs that were submitted and have not let go of all this
};

// Runs of elements travel depth first: what a stage produced is consumed before more is pulled, so streams stay empty, and a run is in
// cache when the next stage reads it. Where a stage cannot go on (its sink pauses, it waits before a retry, its stream is full), its
// producers go on until their streams are full, and the rest of the graph goes on without it. Every pulled element is followed to its fate.
//
// A flow is a state machine, driven turn by turn: it never waits itself, unless the thread is its own.
class FlowDriver final : public Driven, public Waker {
 public:
  // `clock` and `interrupt` outlive the driver; the same interrupt is known to the stages that wait. `executor` runs parallel
  // stages; it may be null where there are none.
  FlowDriver(FlowPlan plan, const Clock& clock, Interrupt& interrupt, Executor* executor = nullptr);
  ~FlowDriver() override;
  FlowDriver(const FlowDriver&) = delete;
  FlowDriver& operator=(const FlowDriver&) = delete;

  // To the end of the flow, on the calling thread. Called once, instead of `turn`; throws nothing of its own.
  observability::FlowReport run();

  // A part of the way.
  Turn turn(const Quantum& quantum) noexcept override;
  // Who is to be told when a waiting flow has something to do. Set before the first turn; null = nobody, `run` needs none.
  void set_waker(Waker* waker) noexcept { waker_ = waker; }
  void wake() noexcept override;
  // Once `turn` has said `done`. Before, request_report.
  observability::FlowReport report() const;

  // How things stand between two steps of the flow: `done` gets it on the thread that drives the flow; once the flow has ended, the closing
  // report, on the caller's. A stage that is in a long call makes it wait; of one that works on another thread the figures are those of
  // before its call. `done` must not call the driver.
  // Thread: any.
  void request_report(std::function<void(observability::FlowReport)> done);

  // Ends the flow in good order: sources stop, what is in flight is finished. `state` is limited (a time-out) or interrupted; the first
  // call counts.
  // Thread: any; async-signal-safe as long as no waker is set.
  void request_stop(observability::FlowState state) noexcept;

  // Ends the flow now: a call that is under way is stopped, what is in flight is cancelled, nothing is made final.
  // Thread: any.
  void cancel() noexcept;

  // Puts other stages in a node's place, with nothing lost, repeated or reordered: the old ones finish what they hold and are torn down, the
  // new ones go on. Refused (E0006): built-in stages; sources that want no acks, since nobody would know what they have lost; aggregators
  // without `flush`.
  // Thread: any.
  void request_swap(SwapRequest request);

  // Thread: any.
  observability::FlowProgress progress() const noexcept;

  // Holds the driver to what it promises of its own state between turns; aborts where it does not hold. For tests.
  void check_invariants() const;

 private:
  using FlowState = observability::FlowState;
  enum class Phase : std::uint8_t { unstarted, running, ended };

  // flow_driver.cc: the life of a flow, and which node is next.
  void join_nodes();
  void start() noexcept;
  Turn::Next work(const Quantum& quantum) noexcept;
  bool heed_requests() noexcept;
  void give_reports() noexcept;
  void ask() noexcept;
  void collect_lanes() noexcept;
  bool comes_back_soon() noexcept;
  void fire_timers() noexcept;
  void look_at_fed_sources() noexcept;
  std::uint64_t next_timer_ns() const noexcept;
  std::size_t next_ready() noexcept;
  void mark_ready(std::size_t index) noexcept { ready_[index / 64] |= std::uint64_t{1} << (index % 64); }
  void stop_sources() noexcept;
  void wind_up() noexcept;
  void wait_for_wake(std::uint64_t until_ns) const noexcept;

  // flow_steps.cc: what a node does when it is its turn.
  void step(Node& node) noexcept;
  void step_source(Node& node) noexcept;
  void step_one_lane(Node& node) noexcept;
  void step_lanes(Node& node) noexcept;
  bool ready_to_call(Node& node, Lane& lane) noexcept;
  bool resume(Node& node) noexcept;
  static bool has_gap(const Node& node) noexcept;
  static void note_rest(Node& node, Instance& instance, std::uint64_t now_ns) noexcept;
  bool rests(Node& node, Instance& instance) noexcept;
  bool is_resting(Instance& instance) const noexcept;
  void wait_for_lanes(Node& node) noexcept;
  std::size_t offerable(Lane& lane) const noexcept;
  void call(Node& node, Lane& lane) noexcept;
  void submit(const Node& node, Lane& lane) noexcept;
  void after_call(Node& node, Lane& lane) noexcept;
  void settle(Node& node, Lane& lane) noexcept;
  bool load(Node& node, Lane& lane) noexcept;
  std::size_t demand(Node& node) noexcept;
  bool hand_on(Node& node, Lane& lane) noexcept;
  bool hand_one(Node& node, Element& element) noexcept;
  bool overflow(Edge& edge, const Element& element) noexcept;
  void arrived(Edge& edge, std::size_t count) noexcept;
  bool is_stuck(const Node& node) const noexcept;
  bool nothing_waits(const Node& node) const noexcept;
  void at_rest(Node& node) noexcept;
  void flush(Node& node) noexcept;
  void end_node(Node& node) noexcept;
  void enter_pulled(Node& node, Run& run) noexcept;
  void enter_created(Node& node, Run& run) noexcept;
  void wait_until(Node& node, std::uint64_t until_ns) noexcept;
  void block(Node& node) noexcept;
  void became_stuck(const Node& node) noexcept;
  void forget_arrival(const Edge& edge) noexcept;
  void congestion_changed(Edge& edge) noexcept;
  void pressure_changed(Node& node) noexcept;

  // flow_swap.cc: another stage in a node's place, and acks.
  void take_swaps() noexcept;
  bool swap_stages(Node& node) noexcept;
  void refuse(const SwapRequest& request, const std::string& why, std::string hint) noexcept;
  void refuse_swap(Node& node, const std::string& why, std::string hint) noexcept;
  void begin_anew(Node& node) noexcept;
  void tell_acks() noexcept;
  void tell_acks(Node& node) noexcept;

  // flow_failures.cc: what becomes of errors, traps and late elements.
  void on_late(Node& node, Lane& lane) noexcept;
  void on_pause(Node& node, const Lane& lane) noexcept;
  void on_closed(Node& node) noexcept;
  void on_element_error(Node& node, Lane& lane) noexcept;
  void on_source_error(Node& node) noexcept;
  void on_failed(Node& node, Lane& lane) noexcept;
  struct Trouble {
    ProcessErrorKind kind = ProcessErrorKind::internal;
    ErrorCode code = ErrorCode::element_failed;
    std::string_view text = {};
    const Error* cause = nullptr;  // of a trap: said in place of the text
  };
  void deal_with(Node& node, Lane& lane, const Trouble& trouble) noexcept;
  bool restart(Node& node, Lane& lane, const Error& cause, const Element* element) noexcept;
  void send_to_dead_letter(Node& node, Lane& lane, const Trouble& trouble) noexcept;
  config::ErrorAction action_for(const Node& node, ProcessErrorKind kind) const noexcept;
  bool may_let_go() const noexcept;
  void count_error(Node& node) noexcept;
  Error placed(const Node& node, Error error, const Element* element) const;
  void fail_flow(const Node& node, Error error, const Element* element) noexcept;

  FlowPlan plan_;
  const Clock& clock_;
  Interrupt& interrupt_;
  Waker* waker_ = nullptr;
  std::vector<std::unique_ptr<Node>> nodes_;  // in topological order
  std::vector<std::unique_ptr<Edge>> edges_;
  std::vector<std::size_t> sources_;
  std::vector<std::size_t> sinks_;
  std::vector<std::uint64_t> ready_;  // a bit for each node that may have something to do
  AckBook acks_;
  LineageBook book_;

  Phase phase_ = Phase::unstarted;
  FlowState state_ = FlowState::completed;
  bool ending_ = false;  // not orderly: what is in flight is cancelled
  bool sources_stopped_ = false;
  std::size_t started_ = 0;  // nodes whose start was tried
  std::size_t ended_nodes_ = 0;
  std::size_t next_source_ = 0;
  std::size_t active_sources_ = 0;
  std::size_t waiting_nodes_ = 0;
  std::size_t running_lanes_ = 0;
  std::size_t open_sinks_ = 0;
  Quantum quantum_;
  std::uint64_t now_ns_ = 0;
  bool has_fed_sources_ = false;
  std::uint64_t elements_handed_ = 0;  // in this turn
  std::uint64_t next_sequence_ = 0;

  std::optional<Error> error_;
  std::vector<Error> skipped_;
  std::uint64_t skipped_count_ = 0;
  std::set<std::string, std::less<>> dead_letter_types_;  // content types that say why, so far
  observability::Histogram latency_;                      // source entry to delivery
  std::uint64_t stop_at_ns_ = never_ns;                   // the flow's time-out
  std::uint64_t started_ns_ = 0;
  std::uint64_t ended_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;

  std::atomic<bool> asked_{false};  // one of the following, for a look at a single flag between two steps
  std::atomic<FlowState> stop_{FlowState::running};
  std::atomic<bool> cancel_{false};
  LanesHome lanes_home_;
  std::atomic<bool> swaps_asked_{false};
  std::atomic<bool> reports_asked_{false};
  std::mutex requests_mutex_;
  std::vector<SwapRequest> swaps_;                                       // asked for and not taken up yet
  std::vector<std::function<void(observability::FlowReport)>> reports_;  // likewise
  bool swaps_closed_ = false;                                            // the flow is about to end
  bool report_closed_ = false;            // the closing report is there, and stays as it is
  std::atomic<Stage*> in_call_{nullptr};  // on the driving thread
  std::mutex stages_mutex_;               // held while a stage is stopped from outside or taken away

  // Read by `progress` from other threads.
  std::atomic<std::uint64_t> progress_pulled_{0};
  std::atomic<std::uint64_t> progress_delivered_{0};
  std::atomic<std::uint64_t> progress_errors_{0};
  std::atomic<std::uint64_t> progress_started_ns_{0};
};

}  // namespace torvyn::reactor
