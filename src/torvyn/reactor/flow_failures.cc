// What becomes of errors, traps, pauses and late elements.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "torvyn/reactor/flow_driver.h"
#include "torvyn/reactor/flow_node.h"
#include "torvyn/types/assert.h"

namespace torvyn::reactor {

using config::ErrorAction;
using config::TrapAction;

namespace {

// The wait for a sink that asked for a pause, doubled from the first to the last of these.
constexpr std::uint64_t pause_first_ns = 1'000'000;
constexpr std::uint64_t pause_last_ns = 100'000'000;
// Between two retries, at most.
constexpr std::uint64_t backoff_last_ns = 60'000'000'000;
// Skipped errors kept for the report; the others are only counted.
constexpr std::size_t skipped_kept = 8;
// Dead letters say what was wrong in their content type; there is only room for so many different ones in a host.
constexpr std::size_t dead_letter_types_max = 256;
constexpr std::size_t dead_letter_text_max = 80;

std::uint64_t backoff_ns(std::uint64_t first_ns, std::uint32_t attempt) noexcept {
  const std::uint32_t doublings = std::min(attempt - 1, 40U);
  if (first_ns > backoff_last_ns >> doublings) return backoff_last_ns;
  return first_ns << doublings;
}

// The first element in hand is dealt with.
void let_go(Lane& lane) noexcept {
  lane.in_hand().front().payload.reset();
  ++lane.in_head;
  lane.attempts = 0;
  lane.suspect = false;
  if (lane.singles != 0) --lane.singles;
  if (!lane.empty()) return;
  lane.in.clear();
  lane.in_head = 0;
  lane.state = Lane::State::idle;
}

// Without what would end a quoted string or a header.
std::string quotable(std::string_view text) {
  std::string plain(text.substr(0, dead_letter_text_max));
  for (char& c : plain)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\') c = ' ';
  return plain;
}

}  // namespace

void FlowDriver::count_error(Node& node) noexcept {
  ++node.meter.errors;
  progress_errors_.fetch_add(1, std::memory_order_relaxed);
}

ErrorAction FlowDriver::action_for(const Node& node, ProcessErrorKind kind) const noexcept {
  const config::ErrorPolicy& policy = node.plan.failure.on_error;
  switch (kind) {
    case ProcessErrorKind::invalid_input:
      return policy.invalid_input;
    case ProcessErrorKind::unavailable:
      return policy.unavailable;
    case ProcessErrorKind::internal:
      return policy.internal;
    case ProcessErrorKind::deadline_exceeded:
      return policy.deadline_exceeded;
    case ProcessErrorKind::fatal:
      break;
  }
  return ErrorAction::fail;
}

// Is there room under --max-errors for one more element that the flow goes on without?
bool FlowDriver::may_let_go() const noexcept { return !plan_.errors_max || skipped_count_ < *plan_.errors_max; }

// ---- about an element -------------------------------------------------------------------------------------------------------

void FlowDriver::on_element_error(Node& node, Lane& lane) noexcept {
  count_error(node);
  const ElementError& said = lane.stage().element_error();
  const bool fatal = said.kind == ProcessErrorKind::fatal;
  deal_with(
      node, lane,
      {.kind = said.kind, .code = fatal ? ErrorCode::component_fatal : ErrorCode::element_failed, .text = said.text});
}

// The first element in hand is past its deadline: it is not handed to the stage.
void FlowDriver::on_late(Node& node, Lane& lane) noexcept {
  count_error(node);
  const std::uint64_t late_ns = now_ns_ - lane.in_hand().front().meta.deadline_ns;
  std::array<char, 64> text{};
  const auto end =
      fmt::format_to_n(text.begin(), text.size(), "{:.1f} ms after its deadline", static_cast<double>(late_ns) / 1e6);
  deal_with(node, lane,
            {.kind = ProcessErrorKind::deadline_exceeded,
             .code = ErrorCode::deadline_exceeded,
             .text = std::string_view(text.data(), std::min(end.size, text.size()))});
  if (!ending_) mark_ready(node.index);
}

// The first element in hand could not be dealt with. Nothing is allocated for one that is skipped like many before.
void FlowDriver::deal_with(Node& node, Lane& lane, const Trouble& trouble) noexcept {
  Element& element = lane.in_hand().front();
  const FailurePolicy& policy = node.plan.failure;
  ErrorAction action = action_for(node, trouble.kind);
  const bool retries = action == ErrorAction::retry;
  if (retries) {
    const bool in_time = element.meta.deadline_ns == 0 || element.meta.deadline_ns > now_ns_;
    if (in_time && lane.attempts < policy.retries) {
      ++lane.attempts;
      return wait_until(node, now_ns_ + backoff_ns(policy.retry_backoff_ns, lane.attempts));
    }
    action = policy.on_error.exhausted;
  }
  const auto error = [&] {
    const std::string text = fmt::format("{}: {}", process_error_name(trouble.kind), trouble.text);
    return placed(node, trouble.cause != nullptr ? *trouble.cause : Error(trouble.code, text), &element);
  };
  if (action != ErrorAction::fail && may_let_go()) {
    if (skipped_.size() < skipped_kept) skipped_.push_back(error());
    ++skipped_count_;
    if (action == ErrorAction::dead_letter) return send_to_dead_letter(node, lane, trouble);
    book_.end(element.lineage, Fate::skipped);
    return let_go(lane);
  }
  Error last = error();
  std::string& hint = last.detail().hint;
  if (action != ErrorAction::fail) {
    hint = fmt::format("--max-errors {} was reached", *plan_.errors_max);
  } else if (retries && lane.attempts != 0) {
    hint =
        fmt::format("it was tried {} times; what follows the last retry is the `default` of on_error, or `dead_letter`",
                    lane.attempts + 1);
  } else if (trouble.kind == ProcessErrorKind::deadline_exceeded) {
    hint = "raise the flow's `deadline`, or let late elements go: on_error = { deadline-exceeded = \"skip\" }";
  } else if (hint.empty() && trouble.kind != ProcessErrorKind::fatal) {
    hint = "on_error = \"skip\" for this node counts such elements and goes on";
  }
  fail_flow(node, std::move(last), nullptr);
  book_.end(element.lineage, Fate::failed);
  let_go(lane);
}

// Off to the node that takes what nobody else could, with a word about why.
void FlowDriver::send_to_dead_letter(Node& node, Lane& lane, const Trouble& trouble) noexcept {
  TORVYN_ASSERT(node.plan.failure.dead_letter_port, "a dead letter and nowhere to send it");
  Element& element = lane.in_hand().front();
  if (plan_.content_types != nullptr) {
    const std::string_view before = plan_.content_types->text(element.meta.content_type);
    std::string type = fmt::format("{}; torvyn-error={}; torvyn-node={}; torvyn-attempt={}",
                                   before.empty() ? "application/octet-stream" : before,
                                   process_error_name(trouble.kind), node.plan.node, lane.attempts + 1);
    const std::string full = fmt::format("{}; torvyn-message=\"{}\"", type, quotable(trouble.text));
    if (dead_letter_types_.contains(full) || dead_letter_types_.size() < dead_letter_types_max) {
      dead_letter_types_.insert(full);
      type = full;
    }
    // Too long, or too many in this host: it goes without.
    const ContentTypeId id = plan_.content_types->intern(type);
    if (id != resources::content_type_rejected) element.meta.content_type = id;
  }
  book_.mark(element.lineage, Fate::dead_lettered);
  element.port = *node.plan.failure.dead_letter_port;
  // Its time is up or not: a dead letter is not late.
  element.meta.deadline_ns = 0;
  lane.out.push_back(std::move(element));
  ++node.meter.elements_out;
  let_go(lane);
  hand_on(node, lane);
}

// ---- about a stage ------------------------------------------------------------------------------------------------------------

void FlowDriver::on_pause(Node& node, const Lane& lane) noexcept {
  node.paused = true;
  pressure_changed(node);
  // What is in flight when the flow is to stop goes out as fast as the sink takes it.
  const bool took_some = lane.outcome.done != 0;
  if (sources_stopped_ && took_some) return;
  node.next_wait_ns =
      sources_stopped_ ? pause_first_ns : std::clamp(2 * node.next_wait_ns, pause_first_ns, pause_last_ns);
  wait_until(node, now_ns_ + node.next_wait_ns);
}

// Whoever read the sink's output went away. The flow goes on as long as there is another sink.
void FlowDriver::on_closed(Node& node) noexcept {
  node.gone = true;
  if (--open_sinks_ != 0) return;
  state_ = FlowState::closed;
  ending_ = true;
}

// No element came, so there is none to charge.
void FlowDriver::on_source_error(Node& node) noexcept {
  Lane& lane = node.only_lane();
  const ElementError& said = lane.stage().element_error();
  const FailurePolicy& policy = node.plan.failure;
  if (said.kind == ProcessErrorKind::unavailable && policy.on_error.unavailable != ErrorAction::fail) {
    node.next_wait_ns = std::clamp(2 * node.next_wait_ns, pause_first_ns, pause_last_ns);
    return wait_until(node, now_ns_ + node.next_wait_ns);
  }
  count_error(node);
  ErrorAction action = action_for(node, said.kind);
  if (action == ErrorAction::retry && lane.attempts < policy.retries) {
    ++lane.attempts;
    return wait_until(node, now_ns_ + backoff_ns(policy.retry_backoff_ns, lane.attempts));
  }
  if (action == ErrorAction::retry) action = policy.on_error.exhausted;
  const bool fatal = said.kind == ProcessErrorKind::fatal;
  const auto error = [&] {
    return placed(node,
                  Error(fatal ? ErrorCode::component_fatal : ErrorCode::element_failed,
                        fmt::format("{}: {}", process_error_name(said.kind), said.text)),
                  nullptr);
  };
  if (action == ErrorAction::skip && may_let_go()) {
    if (skipped_.size() < skipped_kept) skipped_.push_back(error());
    ++skipped_count_;
    return;
  }
  Error last = error();
  if (action == ErrorAction::skip) {
    last.detail().hint = fmt::format("--max-errors {} was reached", *plan_.errors_max);
  } else if (!fatal) {
    last.detail().hint = "on_error = \"skip\" for this node counts such errors and goes on";
  }
  fail_flow(node, std::move(last), nullptr);
}

// The instance has ended in a call. Those before `done` stand; the call may have dealt with up to `charged` elements from there on.
void FlowDriver::on_failed(Node& node, Lane& lane) noexcept {
  // Stopped because the flow is to end: what was in hand is cancelled with everything else.
  if (cancel_.load(std::memory_order_acquire)) return;
  count_error(node);
  // Those of the call alone: more may be in hand.
  const std::size_t in_call = lane.empty() ? 0 : lane.offered - lane.outcome.done;
  const std::size_t charged = std::min<std::size_t>(lane.outcome.charged, in_call);
  const Error cause = lane.stage().failure();
  const bool unknown = node.is_sink() || node.is_aggregator();
  if (node.is_aggregator()) node.meter.state_lost += std::exchange(node.absorbed, 0);

  const Element* const element = charged == 0 ? nullptr : &lane.in_hand().front();
  const bool goes_on = node.plan.failure.on_trap == TrapAction::restart && restart(node, lane, cause, element);
  if (cancel_.load(std::memory_order_acquire)) return;
  if (!goes_on && !ending_) fail_flow(node, cause, element);
  if (!goes_on || unknown) {
    // What a sink or an aggregator did with them before it ended nobody knows: they are not offered again.
    book_.end_all(lane.in_hand().first(charged), Fate::failed);
    for (std::size_t i = 0; i < charged; ++i) let_go(lane);
  } else if (charged > 1) {
    lane.singles = static_cast<std::uint32_t>(charged);
  } else if (charged == 1 && (lane.singles != 0 || lane.suspect)) {
    lane.suspect = true;
    deal_with(node, lane,
              {.kind = ProcessErrorKind::internal, .code = cause.code(), .text = cause.message(), .cause = &cause});
  } else {
    lane.suspect = charged == 1;
  }
  if (goes_on && !ending_ && !node.waits()) mark_ready(node.index);
}

// A fresh instance in place of the one that ended. False: the flow ends.
bool FlowDriver::restart(Node& node, Lane& lane, const Error& cause, const Element* element) noexcept {
  const FailurePolicy& policy = node.plan.failure;
  std::erase_if(node.restarted_ns, [&](std::uint64_t at_ns) { return now_ns_ - at_ns >= policy.restart_window_ns; });
  if (node.restarted_ns.size() >= policy.restarts) {
    Error error(ErrorCode::restart_limit, {});
    error.detail() = cause.detail();
    error.detail().hint =
        fmt::format("it was restarted {} times in {:.0f} s, as often as it may (`restarts`, `restart_window`)",
                    policy.restarts, static_cast<double>(policy.restart_window_ns) / 1e9);
    fail_flow(node, std::move(error), element);
    return false;
  }
  node.restarted_ns.push_back(now_ns_);
  ++node.meter.restarts;
  in_call_.store(&lane.stage(), std::memory_order_seq_cst);
  const Status restarted = lane.stage().restart();
  in_call_.store(nullptr, std::memory_order_release);
  now_ns_ = clock_.monotonic_ns();
  if (restarted) {
    if (node.is_source()) begin_anew(node);
    if (node.is_aggregator() && book_.keeps_acks()) acks_.release(book_.ack_aggregator(node.index));
    return true;
  }
  if (!cancel_.load(std::memory_order_acquire)) fail_flow(node, restarted.error(), element);
  return false;
}

// ---- the flow's end -----------------------------------------------------------------------------------------------------------

Error FlowDriver::placed(const Node& node, Error error, const Element* element) const {
  Error placed = std::move(error).at_node(plan_.name, node.plan.node, node.plan.component);
  if (element == nullptr) return placed;
  ErrorDetail& detail = placed.detail();
  detail.element = element->meta.sequence;
  detail.element_bytes = element->payload ? element->payload.size() : 0;
  if (element->lineage == resources::no_lineage) return placed;
  const LineageBook::Entry entry = book_.entry(element->lineage);
  if (!entry.created) detail.element_place = nodes_[entry.node]->only_stage().describe_element(entry.number);
  return placed;
}

void FlowDriver::fail_flow(const Node& node, Error error, const Element* element) noexcept {
  ending_ = true;
  state_ = FlowState::failed;
  if (!error_) error_ = placed(node, std::move(error), element);
}

}  // namespace torvyn::reactor
