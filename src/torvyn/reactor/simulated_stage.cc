// What a stage of the simulation does, and what it makes sure of.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "torvyn/reactor/simulated_world.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

using config::ErrorAction;
using config::TrapAction;
using contracts::Role;
using observability::Fate;

namespace {

constexpr std::uint64_t ms = 1'000'000;

}  // namespace

Identity identity_of(const Element& element) {
  Identity identity;
  std::memcpy(&identity, element.payload.bytes().data(), sizeof identity);
  return identity;
}

// A call is under way: no other may be.
class SimStage::Call {
 public:
  Call(SimStage& stage, const char* name) : stage_(stage) {
    stage.require(!stage.busy_, "a stage is called while it is being called");
    stage.busy_ = true;
    ++stage.world_.counts.calls;
    stage.world_.note(stage.book_.index, name);
  }
  ~Call() { stage_.busy_ = false; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  SimStage& stage_;
};

SimStage::SimStage(World& world, Book& book, std::size_t instance, std::uint64_t seed)
    : world_(world),
      book_(book),
      node_(*book.node),
      habits_(book.node->habits),
      foretold_(book.foretold[instance]),
      dice_(seed) {}

void SimStage::require(bool holds, const char* promise) const {
  reactor::require(holds, promise, [this] { return fmt::format("node n{}", book_.index); });
}

// ---- its life -----------------------------------------------------------------------------------------------------------------

void SimStage::expect_life(Life life) const {
  require(life_ == life, "a stage is called at a moment of its life that has no such call");
}

void SimStage::expect_nothing_behind_has_ended() const {
  const std::uint32_t self_and_behind = book_.behind | 1U << book_.index;
  require((world_.closing & self_and_behind) == 0, "a stage is called after it, or one behind it, made an end");
  // Lanes may have been under way to another thread.
  require(!world_.cancelled() || node_.on_other_threads(), "a stage is called after the flow was cancelled");
}

Status SimStage::start() {
  const Call call(*this, "start");
  expect_life(Life::made);
  life_ = Life::running;
  ++book_.started;
  world_.moment();
  if (!dice_.per_mille(habits_.start_fails)) return {};
  world_.must_fail = true;
  return fail(ErrorCode::init_failed, "start fails");
}

void SimStage::start_for_swap() {
  life_ = Life::running;
  ++book_.started;
}

void SimStage::take_over() {
  given_before_ = book_.given;
  foretold_.attempts = 0;
}

Status SimStage::restart() {
  const Call call(*this, "restart");
  expect_life(Life::failed);
  require(!world_.cancelled(), "a stage is restarted after the flow was cancelled");
  require(node_.failure.on_trap == TrapAction::restart, "a stage is restarted against its policy");
  ++book_.restarts;
  ++world_.counts.restarts;
  life_ = Life::running;
  drop_held();
  given_before_ = book_.given;
  told_pause_ = false;
  let_time_pass();
  if (!stopped_ && !dice_.per_mille(habits_.restart_fails)) return {};
  life_ = Life::failed;
  if (!stopped_) world_.must_fail = true;
  return fail(ErrorCode::init_failed, "restart fails");
}

void SimStage::finish(bool orderly) noexcept {
  const Call call(*this, "finish");
  require(life_ != Life::finished, "a stage is finished twice");
  if (orderly) {
    require(life_ == Life::running, "a stage that failed is finished as if all was well");
    require(held_.empty(), "an aggregator is finished with elements in it");
    require(!node_.wants_acks || book_.acked == book_.given || book_.given == given_before_,
            "a source is finished and has not heard of all its elements");
  }
  if (life_ != Life::made) ++book_.finished;
  life_ = Life::finished;
  drop_held();
}

void SimStage::drop_held() {
  resources::clear_run(held_);
  held_pulled_.clear();
}

// A call takes its time, and others use it.
void SimStage::let_time_pass() {
  world_.moment();
  const std::uint64_t ns = dice_.below(5 * ms);
  if (dice_.per_mille(habits_.slow)) world_.pass(ns);
}

void SimStage::expect_rested() const {
  require(world_.now_ns() >= rest_until_ns_, "a stage is called while it is to rest");
}

// What it did may have been more than it may do for now.
StageOutcome SimStage::tired(const StageOutcome& outcome) {
  const std::uint64_t ns = 1 + dice_.below(60 * ms);
  if (!dice_.per_mille(habits_.rest)) return outcome;
  rest_until_ns_ = world_.now_ns() + ns;
  world_.note(book_.index, "  rests", ns);
  ++world_.counts.rests;
  ++book_.rests;
  StageOutcome told = outcome;
  told.rests = true;
  return told;
}

const ElementError& SimStage::element_error() const noexcept {
  require(outcome_.status == StageStatus::element_error, "a stage is asked for an error that it did not report");
  return error_;
}

Error SimStage::failure() const {
  require(life_ == Life::failed, "a stage is asked for a failure that it did not have");
  return Error(ErrorCode::component_trapped, "a trap");
}

std::string SimStage::describe_element(std::uint64_t index) const {
  require(index < book_.given, "a source is asked about an element that it did not give");
  return "number " + std::to_string(index);
}

// ---- sources ------------------------------------------------------------------------------------------------------------------

void SimStage::notify_backpressure(bool pause) noexcept {
  world_.note(book_.index, pause ? "pause" : "resume");
  require(life_ == Life::running || life_ == Life::failed, "a source that is not at work is told of backpressure");
  require(pause != told_pause_, "a source is told the same twice");
  told_pause_ = pause;
  if (pause) ++world_.counts.told_to_pause;
}

void SimStage::acknowledge(std::uint64_t up_to) noexcept {
  world_.note(book_.index, "acknowledge", up_to);
  require(life_ == Life::running || life_ == Life::failed, "a source that is not at work hears of acks");
  require(node_.wants_acks, "a source hears of acks that wants none");
  require(up_to != 0 && given_before_ + up_to > book_.acked, "a source hears of nothing new");
  require(given_before_ + up_to <= book_.given, "a source hears of more than it gave");
  world_.acknowledge(book_, given_before_ + up_to);
}

Element SimStage::make_element() {
  const Identity identity{.source = book_.index, .number = book_.given};
  const auto bytes = static_cast<std::uint32_t>(sizeof identity + dice_.below(node_.payload_bytes_max + 1));
  Element element;
  const resources::AllocateStatus allocated = simulated_pool().allocate(bytes, element.payload);
  TORVYN_ASSERT(allocated == resources::AllocateStatus::ok, "the simulation's pool is used up");
  std::memcpy(element.payload.writable().data(), &identity, sizeof identity);
  element.payload.set_size(bytes);
  const bool published = element.payload.apply(resources::BufferAction::publish);
  TORVYN_ASSERT(published, "a filled buffer could not be published");
  return element;
}

StageOutcome SimStage::pull(const PullLimits& limits, Run& out) noexcept {
  const Call call(*this, "pull");
  const SimFlow& flow = world_.flow;
  expect_life(Life::running);
  expect_nothing_behind_has_ended();
  expect_rested();
  require(!book_.at_end, "a source is pulled after its end");
  require(!world_.stop_asked(), "a source is pulled after the flow was to stop");
  require(world_.now_ns() >= ready_at_ns_, "a source is pulled before it said it would be ready");
  require(out.empty(), "a source is pulled while something it gave has not gone on");
  require(limits.elements_max >= 1 && limits.elements_max <= flow.max_batch, "a pull asks for none, or too many");
  require(!flow.elements_max || world_.given + limits.elements_max <= *flow.elements_max,
          "a pull asks for more than the flow's limit");
  ready_at_ns_ = 0;
  let_time_pass();
  if (stopped_) return answer_pull({.status = StageStatus::failed});

  const std::uint32_t most = std::min(limits.elements_max, node_.run_max);
  std::uint64_t bytes = 0;
  for (std::uint32_t count = 0; count < most && bytes < limits.bytes_max; ++count) {
    const bool troubled = troubled_ == Identity{.source = book_.index, .number = book_.given};
    if (dice_.per_mille(habits_.nothing)) {
      if (count != 0) return answer_pull({.status = StageStatus::ok, .done = count});
      if (dice_.one_in(3)) ready_at_ns_ = world_.now_ns() + dice_.below(40 * ms);
      return answer_pull({.status = StageStatus::nothing_yet});
    }
    if (dice_.per_mille(troubled && trouble_ == Trouble::error ? habits_.again : habits_.error))
      return answer_pull({.status = StageStatus::element_error, .done = count});
    if (dice_.per_mille(troubled && trouble_ == Trouble::trap ? habits_.again : habits_.trap))
      return answer_pull({.status = StageStatus::failed, .done = count});
    if (book_.given == node_.elements) return answer_pull({.status = StageStatus::end_of_stream, .done = count});
    out.push_back(make_element());
    bytes += out.back().payload.size();
    ++book_.given;
    ++book_.written[0];
    ++world_.given;
    world_.known[book_.index].emplace_back();
    foretold_.attempts = 0;
  }
  return answer_pull({.status = StageStatus::ok, .done = static_cast<std::uint32_t>(out.size())});
}

StageOutcome SimStage::answer_pull(const StageOutcome& said) {
  const StageOutcome outcome = outcome_ = tired(said);
  world_.note(book_.index, "  gives", outcome.done, static_cast<std::uint64_t>(outcome.status));
  troubled_ = Identity{.source = book_.index, .number = book_.given};
  if (outcome.status == StageStatus::end_of_stream) book_.at_end = true;
  if (outcome.status == StageStatus::failed) {
    trouble_ = Trouble::trap;
    end_by_trap();
  }
  if (outcome.status != StageStatus::element_error) return outcome;

  trouble_ = Trouble::error;
  ++world_.counts.errors;
  error_ = {.kind = pick_kind(), .text = "an error"};
  const config::ErrorPolicy& policy = node_.failure.on_error;
  // It has nothing yet.
  if (error_.kind == ProcessErrorKind::unavailable && policy.unavailable != ErrorAction::fail) return outcome;
  ++book_.errors;
  ErrorAction action = action_for(error_.kind);
  if (action == ErrorAction::retry && foretold_.attempts < node_.failure.retries) {
    ++foretold_.attempts;
    return outcome;
  }
  if (action == ErrorAction::retry) action = policy.exhausted;
  if (action == ErrorAction::skip) {
    world_.count_let_go();
  } else {
    world_.must_fail = true;
  }
  return outcome;
}

// ---- what stages are called with ----------------------------------------------------------------------------------------------

void SimStage::look_at(std::span<const Element> in) {
  expect_life(Life::running);
  expect_rested();
  expect_nothing_behind_has_ended();
  require(!book_.closed, "a sink is called after whoever read its output went away");
  require(!flushed_, "an aggregator is called after it gave all it held");
  require(!in.empty() && in.size() <= world_.flow.max_batch, "a run is empty, or too long");
  std::uint64_t bytes = 0;
  for (const Element& element : in) {
    require(static_cast<bool>(element.payload) && element.payload.size() >= sizeof(Identity),
            "an element lost its payload");
    bytes += element.payload.size();
    look_at(element);
  }
  require(in.size() == 1 || bytes <= world_.flow.max_batch_bytes, "a run has too many bytes");
  require(in.size() == 1 || (foretold_.singles == 0 && !foretold_.suspect),
          "elements that may have ended the instance are not offered one by one");
  require(!foretold_.next || *foretold_.next == identity_of(in.front()),
          "a stage is called with another element than the one whose turn it is");
}

void SimStage::look_at(const Element& element) {
  const Identity identity = identity_of(element);
  require(identity.source < world_.known.size() && identity.number < world_.known[identity.source].size() &&
              book_.ways[identity.source] != 0,
          "an element came from nowhere");
  // A job looks at the time when it is submitted, which is before this.
  require(node_.on_other_threads() || element.meta.deadline_ns == 0 || element.meta.deadline_ns > world_.now_ns(),
          "a stage is called with an element that is late");

  Known& known = world_.known[identity.source][identity.number];
  if (!known.seen) {
    known.seen = true;
    known.lineage = element.lineage;
    known.sequence = element.meta.sequence;
  }
  if (!world_.is_created(element)) {
    require(known.lineage == element.lineage && element.lineage != resources::no_lineage,
            "an element passes for another");
    return require(!world_.is_acked(identity), "a source heard of an element that is still on its way");
  }
  const std::vector<const Book*> aggregators = world_.aggregators_between(world_.books[identity.source], book_);
  require(!aggregators.empty(), "an element was made anew, and by no aggregator");
  // What one aggregator made and another took is settled for the first.
  if (aggregators.size() > 1) return;
  const Book& maker = *aggregators.front();
  if (maker.ways[identity.source] != 1 || maker.copied[identity.source]) return;
  for (const Identity& one : maker.groups.at(identity))
    require(!world_.is_acked(one),
            "a source heard of an element, and what an aggregator made of it is still on its way");
}

// What happens first in this call that isn't as usual.
SimStage::Verdict SimStage::judge(std::span<const Element> in) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool troubled = troubled_ == identity_of(in[i]);
    if (dice_.per_mille(troubled && trouble_ == Trouble::error ? habits_.again : habits_.error))
      return {i, Trouble::error};
    if (dice_.per_mille(troubled && trouble_ == Trouble::trap ? habits_.again : habits_.trap))
      return {i, Trouble::trap};
    if (node_.role != Role::sink) continue;
    if (dice_.per_mille(habits_.close)) return {i, Trouble::close};
    if (dice_.per_mille(habits_.refuse)) return {i, Trouble::refuse};
    if (dice_.per_mille(habits_.pause)) return {i, Trouble::pause};
  }
  return {in.size(), Trouble::none};
}

ProcessErrorKind SimStage::pick_kind() {
  const auto kind = static_cast<ProcessErrorKind>(dice_.below(4));
  return dice_.per_mille(habits_.fatal) ? ProcessErrorKind::fatal : kind;
}

// It is over with this element at this node, unless the way here is not the only one.
void SimStage::mark_through(const Element& element) {
  const Identity identity = identity_of(element);
  if (book_.ways[identity.source] != 1) return;
  require(foretold_.last[identity.source] <= identity.number + 1, "elements come out of order");
  foretold_.last[identity.source] = identity.number + 1;
  if (book_.copied[identity.source]) return;
  std::vector<bool>& through = book_.through[identity.source];
  if (through.size() <= identity.number) through.resize(identity.number + 1);
  require(!through[identity.number], "an element comes twice");
  through[identity.number] = true;
}

void SimStage::take(const Element& element) {
  mark_through(element);
  ++book_.taken;
  if (node_.role == Role::sink) world_.raise(element, Fate::delivered);
  if (node_.role == Role::aggregator) world_.raise(element, Fate::absorbed);
}

// ---- stages in the middle -----------------------------------------------------------------------------------------------------

void SimStage::send(Element element, Run& out) {
  if (node_.role == Role::router) element.port = static_cast<std::uint16_t>(dice_.below(node_.ports));
  // What came by another node's port leaves by the only one there is.
  ++book_.written[node_.role == Role::router ? element.port : 0];
  out.push_back(std::move(element));
}

void SimStage::give(Element& element, Run& out) {
  const bool drops = dice_.per_mille(habits_.drop);
  const std::uint32_t more = dice_.from_to(1, 2);
  const std::uint32_t count = drops ? 0 : dice_.per_mille(habits_.expand) ? 1 + more : 1;
  if (dice_.per_mille(habits_.trim)) element.payload = element.payload.slice(0, sizeof(Identity));
  if (dice_.per_mille(habits_.keeps_payload)) kept_ = element.payload;
  for (std::uint32_t i = 1; i < count; ++i) send(element, out);
  if (count != 0) send(std::move(element), out);
}

void SimStage::collect(Element& element, Run& out) {
  const Identity identity = identity_of(element);
  if (!world_.is_created(element)) held_pulled_.push_back(identity);
  held_.emplace_back().payload = std::move(element.payload);
  if (held_.size() < node_.group) return;
  book_.groups[identity] = held_pulled_;
  send(std::move(held_.back()), out);
  drop_held();
}

StageOutcome SimStage::process(std::span<Element> in, Run& out) noexcept {
  const bool aggregates = node_.role == Role::aggregator;
  const Call call(*this, aggregates ? "ingest" : "process");
  look_at(in);
  require(out.empty(), "a stage is called while something it gave has not gone on");
  let_time_pass();
  if (stopped_) return cut_short(in);

  const auto [stop, trouble] = judge(in);
  const bool all_void = trouble == Trouble::trap && node_.whole_runs;
  StageOutcome outcome{.status = StageStatus::ok, .done = all_void ? 0U : static_cast<std::uint32_t>(stop)};
  if (trouble != Trouble::none) {
    troubled_ = identity_of(in[stop]);
    trouble_ = trouble;
  }
  if (trouble == Trouble::error) outcome.status = StageStatus::element_error;
  if (trouble == Trouble::trap) {
    outcome.status = StageStatus::failed;
    // A trap between two elements is charged to none.
    outcome.charged = all_void ? static_cast<std::uint32_t>(in.size()) : dice_.one_in(8) ? 0 : 1;
  }
  outcome = answer(in, outcome);
  for (Element& element : in.first(outcome.done)) {
    if (aggregates) {
      collect(element, out);
    } else {
      give(element, out);
    }
  }
  if (out.size() > 1 && dice_.per_mille(habits_.misorders)) std::swap(out[0], out[1]);
  if (aggregates) {
    book_.absorbed = out.empty() ? book_.absorbed + outcome.done : 0;
    if (outcome.status == StageStatus::failed) book_.state_lost += std::exchange(book_.absorbed, 0);
  }
  return outcome;
}

StageOutcome SimStage::flush(Run& out) noexcept {
  const Call call(*this, "flush");
  expect_life(Life::running);
  expect_rested();
  require(!world_.cancelled(), "a stage is flushed after the flow was cancelled");
  require(node_.role == Role::aggregator && !flushed_, "a stage is flushed that is none to flush, or has been");
  // Where another takes its place it is flushed before its end.
  if (!book_.is_being_swapped()) {
    require((world_.closing & book_.behind) == 0, "a stage is flushed after one behind it made an end");
    require(world_.sources_are_over(book_), "a stage is flushed and not all has come");
    world_.closing |= 1U << book_.index;
  }
  ++world_.counts.flushes;
  world_.moment();
  if (stopped_ || dice_.per_mille(habits_.flush_fails)) {
    if (!stopped_) world_.must_fail = true;
    ++book_.errors;
    error_ = {.kind = ProcessErrorKind::internal, .text = "flush fails"};
    outcome_ = {.status = stopped_ || dice_.one_in(2) ? StageStatus::failed : StageStatus::element_error};
    if (outcome_.status == StageStatus::failed) life_ = Life::failed;
    return outcome_;
  }
  const std::size_t count = std::min<std::size_t>(held_.size(), node_.run_max);
  for (std::size_t i = 0; i < count; ++i) {
    const Identity identity = identity_of(held_[i]);
    book_.groups[identity] = {identity};
    send(std::move(held_[i]), out);
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
  if (count != 0) book_.absorbed = 0;
  flushed_ = held_.empty();
  if (flushed_) held_pulled_.clear();
  return outcome_ = tired({.status = flushed_ ? StageStatus::end_of_stream : StageStatus::ok});
}

// ---- sinks --------------------------------------------------------------------------------------------------------------------

StageOutcome SimStage::push(std::span<Element> in) noexcept {
  const Call call(*this, "push");
  look_at(in);
  let_time_pass();
  if (stopped_) return cut_short(in);

  const auto [stop, trouble] = judge(in);
  const bool all_unknown = trouble == Trouble::trap && node_.whole_runs;
  StageOutcome outcome{.status = StageStatus::ok, .done = all_unknown ? 0U : static_cast<std::uint32_t>(stop)};
  if (trouble == Trouble::error || trouble == Trouble::trap) {
    troubled_ = identity_of(in[stop]);
    trouble_ = trouble;
  }
  switch (trouble) {
    case Trouble::none:
      break;
    case Trouble::error:
      outcome.status = StageStatus::element_error;
      break;
    case Trouble::trap:
      outcome.status = StageStatus::failed;
      outcome.charged = all_unknown ? static_cast<std::uint32_t>(in.size()) : dice_.one_in(8) ? 0 : 1;
      break;
    case Trouble::pause:
      ++outcome.done;
      outcome.status = StageStatus::pause;
      break;
    case Trouble::refuse:
      outcome.status = StageStatus::pause;
      break;
    case Trouble::close:
      outcome.status = StageStatus::closed;
      break;
  }
  return answer(in, outcome);
}

Status SimStage::complete() {
  const Call call(*this, "complete");
  expect_life(Life::running);
  expect_rested();
  require(!world_.cancelled(), "a sink is to complete after the flow was cancelled");
  require(node_.role == Role::sink && !flushed_, "a sink completes twice");
  require(!book_.closed, "a sink completes after whoever read its output went away");
  if (!book_.is_being_swapped()) {
    require(world_.sources_are_over(book_), "a sink completes and not all has come");
    world_.closing |= 1U << book_.index;
  }
  world_.moment();
  if (stopped_ || dice_.per_mille(habits_.complete_fails)) {
    if (!stopped_) world_.must_fail = true;
    ++book_.errors;
    return fail(ErrorCode::complete_failed, "complete fails");
  }
  flushed_ = true;
  return {};
}

// ---- what they answer, and what must follow -----------------------------------------------------------------------------------

// The flow was cancelled while it was called.
StageOutcome SimStage::cut_short(std::span<const Element> in) {
  outcome_ = {.status = StageStatus::failed, .charged = node_.whole_runs ? static_cast<std::uint32_t>(in.size()) : 1};
  book_.tried += outcome_.charged;
  end_by_trap();
  return outcome_;
}

void SimStage::end_by_trap() {
  life_ = Life::failed;
  if (stopped_) return;
  ++world_.counts.traps;
  ++book_.errors;
  if (node_.failure.on_trap == TrapAction::fail) world_.must_fail = true;
  // The traps of other instances are counted against the same limit, and not all of them are within its window.
  if (++book_.traps > node_.failure.restarts) world_.may_fail = true;
}

// Requires: the elements before `outcome.done` are still as they came.
StageOutcome SimStage::answer(std::span<const Element> in, const StageOutcome& said) {
  const StageOutcome outcome = outcome_ = tired(said);
  const std::span<const Element> taken = in.first(outcome.done);
  const std::span<const Element> rest = in.subspan(outcome.done);
  world_.note(book_.index, "  takes", taken.size(), static_cast<std::uint64_t>(outcome.status));
  for (const Element& element : taken) take(element);
  book_.tried += taken.size();
  if (!taken.empty()) {
    foretold_.attempts = 0;
    foretold_.suspect = false;
    foretold_.singles -= std::min(foretold_.singles, outcome.done);
  }
  std::size_t through = 0;
  switch (outcome.status) {
    case StageStatus::element_error:
      error_ = {.kind = pick_kind(), .text = "an error"};
      ++world_.counts.errors;
      ++book_.errors;
      ++book_.tried;
      through = after_error(rest.front(), error_.kind);
      break;
    case StageStatus::failed:
      end_by_trap();
      book_.tried += outcome.charged;
      through = after_trap(rest);
      break;
    case StageStatus::pause:
      ++world_.counts.pauses;
      break;
    case StageStatus::closed:
      ++world_.counts.closed;
      ++world_.closed_sinks;
      book_.closed = true;
      break;
    case StageStatus::ok:
    case StageStatus::end_of_stream:
    case StageStatus::nothing_yet:
      break;
  }
  foretold_.next.reset();
  if (world_.foresees() && through < rest.size()) foretold_.next = identity_of(rest[through]);
  return outcome;
}

ErrorAction SimStage::action_for(ProcessErrorKind kind) const {
  const config::ErrorPolicy& policy = node_.failure.on_error;
  return std::array{policy.invalid_input, policy.unavailable, policy.internal, policy.deadline_exceeded,
                    ErrorAction::fail}[static_cast<std::size_t>(kind)];
}

// How many elements, one or none, the driver is through with.
std::size_t SimStage::after_error(const Element& element, ProcessErrorKind kind) {
  const config::ErrorPolicy& policy = node_.failure.on_error;
  ErrorAction action = action_for(kind);
  if (!world_.foresees()) {
    // Whether there is time for a retry isn't known here.
    if (action == ErrorAction::fail) world_.must_fail = true;
    if (action == ErrorAction::retry && policy.exhausted == ErrorAction::fail) world_.may_fail = true;
    return 0;
  }
  if (action == ErrorAction::retry) {
    if (foretold_.attempts < node_.failure.retries) {
      ++foretold_.attempts;
      ++world_.counts.retries;
      return 0;
    }
    action = policy.exhausted;
  }
  if (action == ErrorAction::fail) {
    world_.must_fail = true;
    world_.raise(element, Fate::failed);
  } else {
    world_.count_let_go();
    world_.raise(element, action == ErrorAction::skip ? Fate::skipped : Fate::dead_lettered);
    if (action == ErrorAction::dead_letter) {
      ++book_.dead_letters;
      ++world_.counts.dead_letters;
    }
    ++book_.let_go;
  }
  mark_through(element);
  foretold_.attempts = 0;
  foretold_.suspect = false;
  foretold_.singles -= std::min(foretold_.singles, 1U);
  return 1;
}

// How many elements the driver is through with.
std::size_t SimStage::after_trap(std::span<const Element> rest) {
  const std::uint32_t charged = outcome_.charged;
  if (node_.role == Role::sink || node_.role == Role::aggregator) {
    // What became of them nobody knows: they don't come again.
    for (const Element& element : rest.first(charged)) {
      world_.raise(element, Fate::failed);
      mark_through(element);
    }
    book_.lost += charged;
    if (charged != 0) foretold_.attempts = 0;
    return charged;
  }
  if (!world_.foresees()) {
    world_.may_fail = true;
    return 0;
  }
  if (charged > 1) {
    foretold_.singles = charged;
  } else if (charged == 1 && (foretold_.singles != 0 || foretold_.suspect)) {
    foretold_.suspect = true;
    return after_error(rest.front(), ProcessErrorKind::internal);
  } else {
    foretold_.suspect = charged == 1;
  }
  return 0;
}

}  // namespace torvyn::reactor
