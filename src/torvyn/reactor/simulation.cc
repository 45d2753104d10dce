// What a seed stands for, as data: how flows are drawn, written and made smaller. See simulated_world.cc for what happens in them.
#include "torvyn/reactor/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace torvyn::reactor {

using config::ErrorAction;
using config::TrapAction;
using contracts::Role;
using observability::FlowState;

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::size_t middle_max = 8;  // nodes beside sources and sinks
constexpr std::uint64_t roomy_bytes = std::uint64_t{16} << 20;

struct Habit {
  const char* name;
  std::uint32_t Habits::* rate;
};

constexpr std::array habits = {
    Habit{"slow", &Habits::slow},
    Habit{"nothing", &Habits::nothing},
    Habit{"error", &Habits::error},
    Habit{"fatal", &Habits::fatal},
    Habit{"trap", &Habits::trap},
    Habit{"again", &Habits::again},
    Habit{"drop", &Habits::drop},
    Habit{"expand", &Habits::expand},
    Habit{"trim", &Habits::trim},
    Habit{"rest", &Habits::rest},
    Habit{"pause", &Habits::pause},
    Habit{"refuse", &Habits::refuse},
    Habit{"close", &Habits::close},
    Habit{"start-fails", &Habits::start_fails},
    Habit{"restart-fails", &Habits::restart_fails},
    Habit{"flush-fails", &Habits::flush_fails},
    Habit{"complete-fails", &Habits::complete_fails},
    Habit{"misorders", &Habits::misorders},
    Habit{"keeps-payload", &Habits::keeps_payload},
};

constexpr std::array error_actions = {std::pair{&config::ErrorPolicy::invalid_input, "invalid-input"},
                                      std::pair{&config::ErrorPolicy::unavailable, "unavailable"},
                                      std::pair{&config::ErrorPolicy::internal, "internal"},
                                      std::pair{&config::ErrorPolicy::deadline_exceeded, "deadline-exceeded"},
                                      std::pair{&config::ErrorPolicy::exhausted, "exhausted"}};

bool can_have_instances(Role role) { return role == Role::processor || role == Role::filter || role == Role::router; }

// ---- drawing --------------------------------------------------------------------------------------------------------------

class FlowDice {
 public:
  explicit FlowDice(std::uint64_t seed) : dice_(seed) { flow_.seed = dice_.roll(); }

  SimFlow draw() {
    for (const Role role : roles()) add_node(role);
    join();
    for (std::size_t i = 0; i < flow_.nodes.size(); ++i) add_failure(i);
    settings();
    outside();
    return std::move(flow_);
  }

 private:
  // In an order that lets every node have a producer before it and a consumer behind it.
  std::vector<Role> roles() {
    const bool plain = dice_.one_in(4);
    const std::size_t sources = plain ? 1 : dice_.from_to(1, 3);
    const std::size_t sinks = plain ? 1 : dice_.from_to(1, 3);
    const std::size_t middle = dice_.one_in(3) ? dice_.below(3) : dice_.below(middle_max + 1);
    std::vector<Role> between;
    between.insert(between.end(), sources - 1, Role::source);
    between.insert(between.end(), sinks - 1, Role::sink);
    for (std::size_t i = 0; i < middle && between.size() + 2 < 12; ++i)
      between.push_back(dice_.one_of({Role::processor, Role::processor, Role::processor, Role::filter, Role::router,
                                      Role::router, Role::aggregator}));
    for (std::size_t i = between.size(); i > 1; --i) std::swap(between[i - 1], between[dice_.below(i)]);
    std::vector<Role> roles = {Role::source};
    roles.insert(roles.end(), between.begin(), between.end());
    roles.push_back(Role::sink);
    return roles;
  }

  std::uint32_t rate(std::uint64_t seldom, std::initializer_list<std::uint32_t> rates) {
    const std::uint32_t chosen = dice_.one_of(rates);
    return dice_.one_in(seldom) ? chosen : 0;
  }

  void add_node(Role role) {
    SimNode node{.role = role, .seed = dice_.roll()};
    node.ports = role == Role::sink ? 0 : role == Role::router ? dice_.from_to(1, 3) : 1;
    node.whole_runs = dice_.one_in(4);
    if (can_have_instances(role) && dice_.one_in(4)) node.instances = dice_.from_to(2, 3);
    node.parallel = role != Role::source && dice_.one_in(4);
    if (role == Role::source) {
      node.elements = dice_.one_in(3) ? dice_.from_to(0, 200) : dice_.from_to(0, 40);
      node.payload_bytes_max = dice_.one_of({0U, 0U, 100U, 600U});
      node.wants_acks = dice_.one_in(4);
    }
    if (role == Role::aggregator) node.group = dice_.from_to(1, 8);
    if (dice_.one_in(2)) node.run_max = dice_.from_to(1, 9);

    Habits& has = node.habits;
    has.slow = rate(4, {5, 50, 300, 1000});
    has.error = rate(3, {2, 20, 100, 300});
    has.fatal = rate(20, {20});
    has.trap = rate(5, {2, 20, 100});
    has.again = rate(2, {100, 500, 900});
    has.start_fails = rate(300, {500, 1000});
    has.restart_fails = rate(20, {100, 500});
    if (role == Role::source) {
      has.nothing = rate(4, {10, 100, 500});
    } else if (role == Role::sink) {
      has.pause = rate(4, {5, 50, 300, 900});
      has.refuse = rate(5, {5, 50, 300, 800});
      has.close = rate(12, {2, 10});
      has.complete_fails = rate(100, {500, 1000});
    } else {
      has.drop = role == Role::filter ? rate(1, {50, 500, 900}) : rate(4, {20, 200});
      has.expand = role == Role::filter || role == Role::aggregator ? 0 : rate(4, {20, 200, 500});
      has.trim = rate(5, {200, 1000});
      has.flush_fails = role == Role::aggregator ? rate(60, {300, 1000}) : 0;
    }
    has.rest = rate(5, {5, 50, 300, 900});
    flow_.nodes.push_back(node);
  }

  StreamBounds bounds() {
    StreamBounds bounds;
    bounds.depth = dice_.one_in(3) ? 64 : dice_.from_to(1, dice_.one_in(2) ? 4 : 20);
    bounds.bytes = dice_.one_in(4) ? dice_.from_to(8, 700) : roomy_bytes;
    bounds.low_watermark_ratio = dice_.one_of({0.0, 0.25, 0.5, 0.5, 0.75, 0.9});
    const std::uint32_t policy = dice_.from_to(0, 99);
    bounds.full_policy = policy < 76   ? FullPolicy::block
                         : policy < 87 ? FullPolicy::drop_oldest
                         : policy < 98 ? FullPolicy::drop_newest
                                       : FullPolicy::error;
    return bounds;
  }

  bool is_joined(std::size_t from, std::uint32_t port, std::size_t to) const {
    return std::ranges::any_of(
        flow_.edges, [&](const PlannedEdge& edge) { return edge.from == from && edge.port == port && edge.to == to; });
  }

  void join(std::size_t from, std::uint32_t port, std::size_t to) {
    if (is_joined(from, port, to)) return;
    flow_.edges.push_back({.from = from, .to = to, .port = static_cast<std::uint16_t>(port), .bounds = bounds()});
  }

  // Mostly a near one: long chains are what flows are.
  std::size_t producer_for(std::size_t to) {
    std::vector<std::size_t> possible;
    for (std::size_t i = 0; i < to; ++i)
      if (flow_.nodes[i].role != Role::sink) possible.push_back(i);
    return dice_.one_in(2) ? possible.back() : possible[dice_.below(possible.size())];
  }

  std::size_t consumer_for(std::size_t from) {
    std::vector<std::size_t> possible;
    for (std::size_t i = from + 1; i < flow_.nodes.size(); ++i)
      if (flow_.nodes[i].role != Role::source) possible.push_back(i);
    return dice_.one_in(2) ? possible.front() : possible[dice_.below(possible.size())];
  }

  void join() {
    const std::size_t count = flow_.nodes.size();
    for (std::size_t to = 1; to < count; ++to) {
      if (flow_.nodes[to].role == Role::source) continue;
      const std::size_t from = producer_for(to);
      join(from, static_cast<std::uint32_t>(dice_.below(flow_.nodes[from].ports)), to);
    }
    for (std::size_t from = 0; from < count; ++from) {
      for (std::uint32_t port = 0; port < flow_.nodes[from].ports; ++port) {
        const bool leads_on = std::ranges::any_of(
            flow_.edges, [&](const PlannedEdge& edge) { return edge.from == from && edge.port == port; });
        if (!leads_on) join(from, port, consumer_for(from));
      }
    }
    const std::size_t more = dice_.one_in(2) ? 0 : dice_.below(count);
    for (std::size_t i = 0; i < more; ++i) {
      const std::size_t to = dice_.from_to(1, static_cast<std::uint32_t>(count - 1));
      if (flow_.nodes[to].role == Role::source) continue;
      const std::size_t from = producer_for(to);
      join(from, static_cast<std::uint32_t>(dice_.below(flow_.nodes[from].ports)), to);
    }
  }

  ErrorAction action(bool letters) {
    const std::uint32_t number = dice_.from_to(0, 99);
    if (number < 4) return ErrorAction::fail;
    if (number < 40) return ErrorAction::retry;
    return letters && number < 70 ? ErrorAction::dead_letter : ErrorAction::skip;
  }

  void add_failure(std::size_t index) {
    SimNode& node = flow_.nodes[index];
    FailurePolicy& failure = node.failure;
    node.dead_letters = node.role != Role::source && index + 1 < flow_.nodes.size() && dice_.one_in(3);
    for (const auto& [kind, name] : error_actions) failure.on_error.*kind = action(node.dead_letters);
    if (failure.on_error.exhausted == ErrorAction::retry) failure.on_error.exhausted = ErrorAction::skip;
    failure.retries = dice_.from_to(0, 3);
    failure.retry_backoff_ns = dice_.one_of({std::uint64_t{1000}, ms, 10 * ms, 100'000 * ms});
    failure.on_trap = dice_.one_in(8) ? TrapAction::fail : TrapAction::restart;
    failure.restarts = dice_.from_to(0, 5);
    failure.restart_window_ns = dice_.one_of({ms, 20 * ms, 60'000 * ms});
    if (!node.dead_letters) return;
    failure.dead_letter_port = static_cast<std::uint16_t>(node.ports);
    join(index, node.ports, consumer_for(index));
  }

  void settings() {
    flow_.max_batch = dice_.one_in(3) ? 64 : dice_.from_to(1, 12);
    if (dice_.one_in(4)) flow_.max_batch_bytes = dice_.from_to(8, 800);
    if (dice_.one_in(6)) flow_.elements_max = dice_.from_to(0, 150);
    if (dice_.one_in(6)) flow_.errors_max = dice_.from_to(0, 40);
    if (dice_.one_in(6)) flow_.deadline_ns = dice_.one_of({ms / 2, 5 * ms, 100 * ms, 5000 * ms});
    if (dice_.one_in(10)) flow_.timeout_ns = dice_.one_of({std::uint64_t{1}, 10 * ms, 300 * ms, 10'000 * ms});
    flow_.letters_say_why = dice_.one_in(8);
  }

  void outside() {
    if (dice_.one_in(2)) flow_.quantum_elements = dice_.from_to(1, 40);
    if (dice_.one_in(4)) flow_.quantum_ns = dice_.one_of({std::uint64_t{0}, ms / 10, 3 * ms});
    if (dice_.one_in(2)) flow_.needless_wakes = dice_.one_of({50U, 500U});
    if (dice_.one_in(2)) flow_.jobs_at_once = dice_.one_of({50U, 300U, 900U});
    if (dice_.one_in(8)) flow_.stop_at = dice_.from_to(1, 300);
    if (dice_.one_in(3)) flow_.stop_state = FlowState::limited;
    if (dice_.one_in(12)) flow_.cancel_at = dice_.from_to(1, 300);
    for (std::uint64_t i = dice_.one_in(4) ? dice_.from_to(1, 4) : 0; i > 0; --i)
      flow_.swaps.push_back(
          {.at = dice_.from_to(1, 300), .node = dice_.below(flow_.nodes.size()), .flush = !dice_.one_in(4)});
  }

  Dice dice_;
  SimFlow flow_;
};

// ---- writing --------------------------------------------------------------------------------------------------------------

const char* action_name(ErrorAction action) {
  switch (action) {
    case ErrorAction::fail:
      return "fail";
    case ErrorAction::skip:
      return "skip";
    case ErrorAction::retry:
      return "retry";
    case ErrorAction::dead_letter:
      return "dead-letter";
  }
  return "?";
}

const char* full_policy_name(FullPolicy policy) {
  switch (policy) {
    case FullPolicy::block:
      return "block";
    case FullPolicy::drop_oldest:
      return "drop-oldest";
    case FullPolicy::drop_newest:
      return "drop-newest";
    case FullPolicy::error:
      return "error";
  }
  return "?";
}

// Appends " name=value" where it is not as usual.
template <class T>
void say(std::string& text, const char* name, const T& value, const T& usual) {
  if (value != usual) fmt::format_to(std::back_inserter(text), " {}={}", name, value);
}

std::string text_of(const SimNode& node) {
  const SimNode usual;
  const FailurePolicy& failure = node.failure;
  std::string text(contracts::role_name(node.role));
  fmt::format_to(std::back_inserter(text), " seed={:#x}", node.seed);
  say(text, "instances", node.instances, usual.instances);
  if (node.parallel) text += " parallel";
  if (node.role == Role::router) say(text, "ports", node.ports, 0U);
  if (node.whole_runs) text += " whole-runs";
  say(text, "elements", node.elements, usual.elements);
  say(text, "payload-bytes", node.payload_bytes_max, usual.payload_bytes_max);
  say(text, "group", node.group, usual.group);
  say(text, "run-max", node.run_max, usual.run_max);
  if (node.wants_acks) text += " wants-acks";
  for (const Habit& habit : habits) say(text, habit.name, node.habits.*habit.rate, 0U);
  for (const auto& [kind, name] : error_actions)
    say<std::string_view>(text, name, action_name(failure.on_error.*kind), action_name(usual.failure.on_error.*kind));
  say(text, "retries", failure.retries, usual.failure.retries);
  say(text, "backoff-ns", failure.retry_backoff_ns, usual.failure.retry_backoff_ns);
  if (failure.on_trap == TrapAction::restart) {
    fmt::format_to(std::back_inserter(text), " on-trap=restart restarts={}", failure.restarts);
    say(text, "window-ns", failure.restart_window_ns, usual.failure.restart_window_ns);
  }
  return text;
}

std::string text_of(const SimFlow& flow, const PlannedEdge& edge) {
  const StreamBounds usual;
  const SimNode& from = flow.nodes[edge.from];
  const std::string port = edge.port == from.ports ? ".dead-letter"
                           : from.ports > 1        ? fmt::format(".{}", edge.port)
                                                   : "";
  std::string text = fmt::format("n{}{} -> n{}", edge.from, port, edge.to);
  say(text, "depth", edge.bounds.depth, usual.depth);
  say(text, "bytes", edge.bounds.bytes, usual.bytes);
  say(text, "low", edge.bounds.low_watermark_ratio, usual.low_watermark_ratio);
  say<std::string_view>(text, "when-full", full_policy_name(edge.bounds.full_policy),
                        full_policy_name(FullPolicy::block));
  return text;
}

// ---- making smaller -------------------------------------------------------------------------------------------------------

void remove_edges(SimFlow& flow, const std::function<bool(const PlannedEdge&)>& which) {
  std::erase_if(flow.edges, which);
}

void remove_node(SimFlow& flow, std::size_t index) {
  remove_edges(flow, [index](const PlannedEdge& edge) { return edge.from == index || edge.to == index; });
  for (PlannedEdge& edge : flow.edges) {
    edge.from -= edge.from > index ? 1U : 0U;
    edge.to -= edge.to > index ? 1U : 0U;
  }
  std::erase_if(flow.swaps, [index](const SimSwap& swap) { return swap.node == index; });
  for (SimSwap& swap : flow.swaps) swap.node -= swap.node > index ? 1U : 0U;
  flow.nodes.erase(flow.nodes.begin() + static_cast<std::ptrdiff_t>(index));
}

void remove_port(SimFlow& flow, std::size_t index, std::uint32_t port) {
  SimNode& node = flow.nodes[index];
  for (PlannedEdge& edge : flow.edges)
    if (edge.from == index && edge.port > port) --edge.port;
  --node.ports;
  if (node.dead_letters) --*node.failure.dead_letter_port;
}

void remove_dead_letters(SimFlow& flow, std::size_t index) {
  SimNode& node = flow.nodes[index];
  node.dead_letters = false;
  node.failure.dead_letter_port.reset();
  for (const auto& [kind, name] : error_actions) {
    ErrorAction& action = node.failure.on_error.*kind;
    if (action == ErrorAction::dead_letter) action = ErrorAction::skip;
  }
}

// Takes one thing away that stands alone since something else was removed. False: there is none.
bool mend_one(SimFlow& flow) {
  for (std::size_t index = 0; index < flow.nodes.size(); ++index) {
    const SimNode& node = flow.nodes[index];
    const auto leads_on = [&](std::uint32_t port) {
      return std::ranges::any_of(flow.edges,
                                 [&](const PlannedEdge& edge) { return edge.from == index && edge.port == port; });
    };
    const bool reached = std::ranges::any_of(flow.edges, [&](const PlannedEdge& edge) { return edge.to == index; });
    if ((!reached && node.role != Role::source) || (node.ports == 0 && node.role != Role::sink)) {
      remove_node(flow, index);
      return true;
    }
    for (std::uint32_t port = 0; port < node.ports; ++port) {
      if (leads_on(port)) continue;
      remove_port(flow, index, port);
      return true;
    }
    if (node.dead_letters && !leads_on(node.ports)) {
      remove_dead_letters(flow, index);
      return true;
    }
  }
  return false;
}

// False: nothing that could run is left.
bool mend(SimFlow& flow) {
  while (mend_one(flow)) {
  }
  const auto has = [&](Role role) {
    return std::ranges::any_of(flow.nodes, [role](const SimNode& node) { return node.role == role; });
  };
  return has(Role::source) && has(Role::sink);
}

// What came to the node goes straight to the first that it led to.
void bridge_node(SimFlow& flow, std::size_t index) {
  const auto next = std::ranges::find_if(flow.edges, [index](const PlannedEdge& edge) { return edge.from == index; });
  if (next == flow.edges.end()) return remove_node(flow, index);
  const std::size_t to = next->to;
  const auto is_there = [&](const PlannedEdge& like) {
    return std::ranges::any_of(flow.edges, [&](const PlannedEdge& edge) {
      return edge.from == like.from && edge.port == like.port && edge.to == to;
    });
  };
  for (PlannedEdge& edge : flow.edges)
    if (edge.to == index && !is_there(edge)) edge.to = to;
  remove_node(flow, index);
}

using Edit = std::function<void(SimFlow&)>;

// The boldest first.
std::vector<Edit> edits_of(const SimFlow& flow) {
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < flow.nodes.size(); ++i) {
    edits.emplace_back([i](SimFlow& f) { remove_node(f, i); });
    edits.emplace_back([i](SimFlow& f) { bridge_node(f, i); });
  }
  for (std::size_t i = 0; i < flow.edges.size(); ++i)
    edits.emplace_back([i](SimFlow& f) { f.edges.erase(f.edges.begin() + static_cast<std::ptrdiff_t>(i)); });
  edits.emplace_back([](SimFlow& f) { f.cancel_at = 0; });
  edits.emplace_back([](SimFlow& f) { f.stop_at = 0; });
  for (const auto moment : {&SimFlow::cancel_at, &SimFlow::stop_at}) {
    edits.emplace_back([moment](SimFlow& f) { f.*moment /= 2; });
    edits.emplace_back([moment](SimFlow& f) { f.*moment -= f.*moment == 0 ? 0U : 1U; });
  }
  for (std::size_t i = 0; i < flow.swaps.size(); ++i) {
    edits.emplace_back([i](SimFlow& f) {
      if (i < f.swaps.size()) f.swaps.erase(f.swaps.begin() + static_cast<std::ptrdiff_t>(i));
    });
    edits.emplace_back([i](SimFlow& f) {
      if (i < f.swaps.size()) f.swaps[i].at /= 2;
    });
    edits.emplace_back([i](SimFlow& f) {
      if (i < f.swaps.size()) f.swaps[i].at -= f.swaps[i].at == 0 ? 0U : 1U;
    });
  }
  edits.emplace_back([](SimFlow& f) { f.stop_state = FlowState::interrupted; });
  edits.emplace_back([](SimFlow& f) { f.needless_wakes = 0; });
  edits.emplace_back([](SimFlow& f) { f.jobs_at_once = 0; });
  edits.emplace_back([](SimFlow& f) { f.quantum_elements = SimFlow{}.quantum_elements; });
  edits.emplace_back([](SimFlow& f) { f.quantum_ns = SimFlow{}.quantum_ns; });
  edits.emplace_back([](SimFlow& f) { f.letters_say_why = false; });
  edits.emplace_back([](SimFlow& f) { f.elements_max.reset(); });
  edits.emplace_back([](SimFlow& f) { f.errors_max.reset(); });
  edits.emplace_back([](SimFlow& f) { f.deadline_ns.reset(); });
  edits.emplace_back([](SimFlow& f) { f.timeout_ns.reset(); });
  edits.emplace_back([](SimFlow& f) { f.max_batch_bytes = SimFlow{}.max_batch_bytes; });
  for (const std::uint32_t batch : {1U, 2U, 64U}) edits.emplace_back([batch](SimFlow& f) { f.max_batch = batch; });
  for (const Habit& habit : habits)
    edits.emplace_back([&habit](SimFlow& f) {
      for (SimNode& node : f.nodes) node.habits.*habit.rate = 0;
    });
  for (std::size_t i = 0; i < flow.nodes.size(); ++i) {
    const auto edit = [&](auto change) { edits.emplace_back([i, change](SimFlow& f) { change(f.nodes[i]); }); };
    edit([](SimNode& node) { node.elements /= 2; });
    edit([](SimNode& node) { node.elements -= node.elements == 0 ? 0 : 1; });
    for (const Habit& habit : habits) edit([&habit](SimNode& node) { node.habits.*habit.rate = 0; });
    edit([](SimNode& node) { node.instances = 1; });
    edit([](SimNode& node) { node.parallel = false; });
    edit([](SimNode& node) { node.instances = std::min(node.instances, 2U); });
    edit([](SimNode& node) { node.whole_runs = false; });
    edit([](SimNode& node) { node.wants_acks = false; });
    edit([](SimNode& node) { node.payload_bytes_max = 0; });
    edit([](SimNode& node) { node.group = std::min(node.group, 1U); });
    edit([](SimNode& node) { node.run_max = SimNode{}.run_max; });
    edit([](SimNode& node) {
      node.role = can_have_instances(node.role) && node.ports == 1 ? Role::processor : node.role;
    });
    edits.emplace_back([i](SimFlow& f) {
      remove_edges(f, [&](const PlannedEdge& edge) {
        return edge.from == i && f.nodes[i].dead_letters && edge.port == f.nodes[i].ports;
      });
    });
    for (const auto& named : error_actions)
      for (const ErrorAction action : {FailurePolicy{}.on_error.*named.first, ErrorAction::skip})
        edit([kind = named.first, action](SimNode& node) { node.failure.on_error.*kind = action; });
    edit([](SimNode& node) { node.failure.retries = FailurePolicy{}.retries; });
    edit([](SimNode& node) { node.failure.on_trap = TrapAction::fail; });
    edit([](SimNode& node) { node.failure.retry_backoff_ns = FailurePolicy{}.retry_backoff_ns; });
    edit([](SimNode& node) { node.failure.restart_window_ns = FailurePolicy{}.restart_window_ns; });
    edit([](SimNode& node) { node.failure.retries = std::min(node.failure.retries, 1U); });
    edit([](SimNode& node) { node.failure.restarts = std::min(node.failure.restarts, 1U); });
  }
  for (std::size_t i = 0; i < flow.edges.size(); ++i) {
    const auto edit = [&](auto change) { edits.emplace_back([i, change](SimFlow& f) { change(f.edges[i].bounds); }); };
    edit([](StreamBounds& bounds) { bounds = {}; });
    edit([](StreamBounds& bounds) { bounds.full_policy = FullPolicy::block; });
    edit([](StreamBounds& bounds) { bounds.bytes = StreamBounds{}.bytes; });
    edit([](StreamBounds& bounds) { bounds.low_watermark_ratio = StreamBounds{}.low_watermark_ratio; });
    edit([](StreamBounds& bounds) { bounds.depth = StreamBounds{}.depth; });
    edit([](StreamBounds& bounds) { bounds.depth = 1; });
  }
  return edits;
}

// Of two flows that is smaller which is in the first number that differs. What is as usual is not written, so its text is shorter.
std::array<std::size_t, 3> size_of(const SimFlow& flow) {
  std::size_t elements = flow.stop_at + flow.cancel_at;
  for (const SimSwap& swap : flow.swaps) elements += 100 + swap.at;
  for (const SimNode& node : flow.nodes) elements += node.elements;
  return {flow.nodes.size() + flow.edges.size(), elements, text_of(flow).size()};
}

}  // namespace

std::uint64_t Dice::roll() noexcept {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31);
}

SimFlow random_flow(std::uint64_t seed) { return FlowDice(seed).draw(); }

std::string text_of(const SimFlow& flow) {
  const SimFlow usual;
  std::string text = fmt::format("flow seed={:#x}", flow.seed);
  say(text, "max-batch", flow.max_batch, usual.max_batch);
  say(text, "max-batch-bytes", flow.max_batch_bytes, usual.max_batch_bytes);
  if (flow.elements_max) say(text, "elements-max", *flow.elements_max, never_ns);
  if (flow.errors_max) say(text, "errors-max", *flow.errors_max, never_ns);
  if (flow.deadline_ns) say(text, "deadline-ns", *flow.deadline_ns, never_ns);
  if (flow.timeout_ns) say(text, "timeout-ns", *flow.timeout_ns, never_ns);
  if (flow.letters_say_why) text += " letters-say-why";
  say(text, "quantum-elements", flow.quantum_elements, usual.quantum_elements);
  say(text, "quantum-ns", flow.quantum_ns, usual.quantum_ns);
  say(text, "needless-wakes", flow.needless_wakes, usual.needless_wakes);
  say(text, "jobs-at-once", flow.jobs_at_once, usual.jobs_at_once);
  if (flow.stop_at != 0)
    text += fmt::format(" stop-at={} ({})", flow.stop_at, observability::flow_state_name(flow.stop_state));
  say(text, "cancel-at", flow.cancel_at, usual.cancel_at);
  for (const SimSwap& swap : flow.swaps)
    text += fmt::format(" swap(n{}{})@{}", swap.node, swap.flush ? " --flush" : "", swap.at);
  text += '\n';
  for (std::size_t i = 0; i < flow.nodes.size(); ++i) text += fmt::format("  n{} {}\n", i, text_of(flow.nodes[i]));
  for (const PlannedEdge& edge : flow.edges) text += "  " + text_of(flow, edge) + '\n';
  return text;
}

SimFlow shrink(SimFlow flow, const std::function<bool(const SimFlow&)>& fails, std::size_t tries_max) {
  std::size_t tries = 0;
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Edit& edit : edits_of(flow)) {
      SimFlow candidate = flow;
      edit(candidate);
      if (!mend(candidate) || !(size_of(candidate) < size_of(flow))) continue;
      if (tries++ == tries_max) return flow;
      if (!fails(candidate)) continue;
      const bool renumbered = size_of(candidate).front() != size_of(flow).front();
      flow = std::move(candidate);
      smaller = true;
      if (renumbered) break;  // the edits that are left name other nodes and edges now
    }
  }
  return flow;
}

}  // namespace torvyn::reactor
