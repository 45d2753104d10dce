// Private to the simulation: the world, the stages in it, and the books they keep.
//
// The world is one thread that plays all of them: a call of a stage may let time pass, and in it a job of "another thread" may run, or
// somebody may ask the flow to stop. Between turns the world does what a scheduler would: it calls the flow again when it was woken or its
// time has come, and at no other moment, so that a wake that is missing shows as a halt.
//
// Each stage looks at what it is called with, and foretells from the policy of its node what it must be called with next. Each node keeps a
// book of what it took and gave; at the end the report has to agree with the books.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/simulation.h"
#include "torvyn/reactor/stage.h"
#include "torvyn/resources/buffer_pool.h"
#include "torvyn/resources/content_types.h"
#include "torvyn/types/clock.h"

namespace torvyn::reactor {

class SimStage;
class World;

// Which element it is, whatever becomes of it on the way: the first bytes of its payload.
struct Identity {
  std::uint64_t source = 0;  // index of its node
  std::uint64_t number = 0;  // from 0
  auto operator<=>(const Identity&) const = default;
};
Identity identity_of(const Element& element);

// An element that a source gave.
struct Known {
  bool seen = false;  // by a stage
  std::uint64_t sequence = 0;
  resources::LineageId lineage = resources::no_lineage;
  observability::Fate worst = {};  // at least
};

[[noreturn]] void broken(const char* promise, const std::string& how = {});

// Aborts where a promise of the driver is broken. `how` is only made then.
template <class How>
void require(bool holds, const char* promise, How&& how) {
  if (!holds) [[unlikely]]
    broken(promise, how());
}

// What must come next for one of the stages of a node, by the node's policy. Another stage in its place goes on with it.
struct Foretold {
  std::optional<Identity> next;  // the first element of the next call
  std::uint32_t attempts = 0;
  std::uint32_t singles = 0;  // so many are offered one by one
  bool suspect = false;
  std::vector<std::uint64_t> last;  // of each source: the number last dealt with, plus one
};

// One a node, for all of its stages.
struct Book {
  const SimNode* node = nullptr;
  std::size_t index = 0;
  std::uint32_t before = 0;  // the nodes that lead here, a bit each
  std::uint32_t behind = 0;  // those that it leads to

  // From each source:
  std::vector<std::uint32_t> ways;         // paths that lead here; 2 stands for more, too
  std::vector<bool> copied;                // a stage on the way may make several of one
  std::vector<std::vector<bool>> through;  // the elements that are dealt with here

  std::vector<Foretold> foretold;  // one an instance
  std::vector<SimStage*> stages;   // at work now

  std::uint64_t given = 0;             // sources
  std::uint64_t acked = 0;             // of those
  bool at_end = false;                 // sources: said so
  std::vector<std::uint64_t> written;  // elements that left by each port
  std::uint64_t tried = 0;             // elements that went into a call, and were dealt with or ended it
  std::uint64_t taken = 0;
  std::uint64_t let_go = 0;  // after an error, to the dead-letter port or nowhere
  std::uint64_t dead_letters = 0;
  std::uint64_t lost = 0;  // in a trap of a sink or an aggregator
  std::uint64_t errors = 0;
  std::uint64_t traps = 0;
  std::uint64_t restarts = 0;
  std::uint64_t rests = 0;
  std::uint64_t absorbed = 0;                        // aggregators: since they last gave something
  std::map<Identity, std::vector<Identity>> groups;  // aggregators: what each element they gave stands for
  std::uint64_t state_lost = 0;
  bool closed = false;  // sinks: nobody reads any more

  std::uint64_t swaps_asked = 0;
  std::uint64_t swapped = 0;
  std::uint64_t swaps_refused = 0;
  std::uint64_t started = 0;   // stages, those that took another's place too
  std::uint64_t finished = 0;  // of those

  bool is_being_swapped() const { return swaps_asked != swapped + swaps_refused; }
};

class World final : public Executor, public Waker {
 public:
  explicit World(const SimFlow& simulated);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  SimResult run();

  void submit(Job& job) noexcept override;
  void wake() noexcept override { woken_ = true; }

  // For stages.
  void note(std::size_t node, const char* what, std::uint64_t a = 0, std::uint64_t b = 0);
  // A moment goes by in a call: other threads and the outside have their say.
  void moment();
  void pass(std::uint64_t ns) { clock_.advance_ns(ns); }
  std::uint64_t now_ns() const { return clock_.monotonic_ns(); }
  bool stop_asked() const { return stop_asked_ || is_timed_out(); }
  bool cancelled() const { return cancelled_; }
  bool sources_are_over(const Book& of) const;
  // Nothing but the flow's deadlines makes it uncertain what the driver does next.
  bool foresees() const { return !flow.deadline_ns; }
  bool is_created(const Element& element) const;
  // The aggregators on the ways from a source to a node.
  std::vector<const Book*> aggregators_between(const Book& source, const Book& node) const;
  bool is_acked(const Identity& identity) const { return identity.number < books[identity.source].acked; }
  void raise(const Element& element, observability::Fate fate);
  void count_let_go();
  void acknowledge(Book& source, std::uint64_t up_to);

  const SimFlow& flow;
  SimCounts counts;
  std::vector<Book> books;
  std::vector<std::vector<Known>> known;  // of each source
  std::uint64_t given = 0;
  std::uint64_t let_go = 0;  // errors that the flow went on without
  bool must_fail = false;    // something was answered that ends the flow
  bool may_fail = false;     // or that may
  std::uint64_t closed_sinks = 0;
  std::uint32_t closing = 0;  // the nodes that began to make an end, a bit each

 private:
  void join();
  FlowPlan plan();
  std::unique_ptr<SimStage> make_stage(Book& book, std::size_t instance);
  bool is_timed_out() const {
    return flow.timeout_ns && started_ns_ != 0 && now_ns() >= started_ns_ + *flow.timeout_ns;
  }
  void outside();
  void ask_for_swap(const SimSwap& swap);
  void ask_for_report();
  void run_job();
  void wait(const Turn& turn);
  void check_state(const observability::FlowReport& report) const;
  void check_stages(const observability::FlowReport& report) const;
  void check_counts(const observability::FlowReport& report) const;
  void check_streams(const observability::FlowReport& report) const;
  void check_fates(const observability::FlowReport& report);

  Dice dice_;
  ManualClock clock_;
  Interrupt interrupt_;
  resources::ContentTypes content_types_;
  std::optional<FlowDriver> driver_;
  std::vector<Job*> jobs_;
  std::uint64_t history_ = 0;
  std::uint64_t moments_ = 0;
  std::uint64_t started_ns_ = 0;
  std::uint64_t stages_made_ = 0;
  std::uint64_t reports_asked_ = 0;
  std::uint64_t reports_given_ = 0;
  observability::FateCounts reported_;
  bool woken_ = false;
  bool in_call_ = false;
  bool stop_asked_ = false;
  bool cancelled_ = false;
};

// A stage of any role.
class SimStage final : public Stage {
 public:
  // `world` and `book` outlive it. `instance`: its place among those of its node.
  SimStage(World& world, Book& book, std::size_t instance, std::uint64_t seed);

  // Started beforehand, to take another's place; and then it does.
  void start_for_swap();
  void take_over();
  // Sinks and aggregators: it was asked for its last, and gave it.
  bool made_its_end() const { return flushed_; }
  // Aggregators: those of the elements it holds that no other aggregator made.
  std::span<const Identity> held_pulled() const { return held_pulled_; }

  Status start() override;
  StageOutcome pull(const PullLimits& limits, Run& out) noexcept override;
  std::uint64_t ready_at_ns() const noexcept override { return ready_at_ns_; }
  std::uint64_t rest_until_ns() const noexcept override { return rest_until_ns_; }
  void notify_backpressure(bool pause) noexcept override;
  StageOutcome process(std::span<Element> in, Run& out) noexcept override;
  StageOutcome flush(Run& out) noexcept override;
  StageOutcome push(std::span<Element> in) noexcept override;
  Status complete() override;
  Status restart() override;
  void stop() noexcept override { stopped_ = true; }
  bool wants_acks() const noexcept override { return node_.wants_acks; }
  void acknowledge(std::uint64_t up_to) noexcept override;
  void finish(bool orderly) noexcept override;
  const ElementError& element_error() const noexcept override;
  Error failure() const override;
  std::string_view path() const noexcept override { return "simulated"; }
  std::string describe_element(std::uint64_t index) const override;

 private:
  enum class Life : std::uint8_t { made, running, failed, finished };
  enum class Trouble : std::uint8_t { none, error, trap, pause, refuse, close };
  struct Verdict {
    std::size_t at = 0;  // index of the element that it is about
    Trouble trouble = Trouble::none;
  };
  class Call;

  void require(bool holds, const char* promise) const;
  void expect_life(Life life) const;
  void expect_nothing_behind_has_ended() const;
  void look_at(std::span<const Element> in);
  void look_at(const Element& element);
  void let_time_pass();
  void expect_rested() const;
  StageOutcome tired(const StageOutcome& outcome);
  Verdict judge(std::span<const Element> in);
  ProcessErrorKind pick_kind();

  Element make_element();
  void take(const Element& element);
  void give(Element& element, Run& out);
  void collect(Element& element, Run& out);
  void send(Element element, Run& out);
  void drop_held();

  StageOutcome answer(std::span<const Element> in, const StageOutcome& said);
  StageOutcome answer_pull(const StageOutcome& said);
  StageOutcome cut_short(std::span<const Element> in);
  config::ErrorAction action_for(ProcessErrorKind kind) const;
  std::size_t after_error(const Element& element, ProcessErrorKind kind);
  std::size_t after_trap(std::span<const Element> rest);
  void mark_through(const Element& element);
  void end_by_trap();

  World& world_;
  Book& book_;
  const SimNode& node_;
  const Habits& habits_;
  Foretold& foretold_;
  Dice dice_;
  Life life_ = Life::made;
  bool busy_ = false;
  bool stopped_ = false;
  bool told_pause_ = false;  // sources: the last thing it heard
  bool flushed_ = false;     // gave all it held, or made what it wrote final
  StageOutcome outcome_;     // of the last call
  ElementError error_;

  std::optional<Identity> troubled_;  // the element that met an error or a trap the time before
  Trouble trouble_ = Trouble::none;
  std::uint64_t given_before_ = 0;  // sources: by stages before this one, or before it began anew
  std::uint64_t ready_at_ns_ = 0;
  std::uint64_t rest_until_ns_ = 0;
  Run held_;
  std::vector<Identity> held_pulled_;
  resources::BufferRef kept_;
};

// The one that all simulated flows take their payloads from.
resources::BufferPool& simulated_pool();

}  // namespace torvyn::reactor
