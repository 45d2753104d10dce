// The course of a simulated world, and what must hold at its end.
#include "torvyn/reactor/simulated_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace torvyn::reactor {

using config::ErrorAction;
using contracts::Role;
using observability::Fate;
using observability::FlowReport;
using observability::FlowState;

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t turns_max = 4'000'000;
constexpr std::uint64_t idle_turns_max = 20'000;  // one after the other in which no stage is called
constexpr std::uint64_t last_events_max = 48;

struct Event {
  std::uint64_t at_ns = 0;
  std::size_t node = 0;
  const char* what = "";
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

// Kept outside of the world, for the handler of an abort.
std::array<Event, last_events_max> last_events;
std::uint64_t event_count = 0;

std::string nothing_more() { return {}; }

bool is_orderly(FlowState state) {
  return state == FlowState::completed || state == FlowState::limited || state == FlowState::interrupted;
}

}  // namespace

void broken(const char* promise, const std::string& how) {
  std::fprintf(stderr, "simulation: %s [%s]\n", promise, how.c_str());
  std::abort();
}

resources::BufferPool& simulated_pool() {
  static const auto pool = [] {
    resources::PoolOptions options;
    options.kept = {8192, 16, 4, 1};
    auto made = resources::BufferPool::create(options);
    if (!made) std::abort();
    return *std::move(made);
  }();
  return *pool;
}

// ---- how it begins ------------------------------------------------------------------------------------------------------------

World::World(const SimFlow& simulated) : flow(simulated), dice_(simulated.seed) {
  clock_.advance_ns(1000 * ms);
  known.resize(flow.nodes.size());
  join();
  for (const PlannedEdge& edge : flow.edges) may_fail = may_fail || edge.bounds.full_policy == FullPolicy::error;
  for (const SimNode& node : flow.nodes) {
    if (foresees()) break;
    const config::ErrorPolicy& policy = node.failure.on_error;
    const bool retries = policy.deadline_exceeded == ErrorAction::retry;
    const bool fails = (retries ? policy.exhausted : policy.deadline_exceeded) == ErrorAction::fail;
    may_fail = may_fail || fails || flow.errors_max;
  }
  driver_.emplace(plan(), clock_, interrupt_, this);
  driver_->set_waker(this);
}

World::~World() = default;

// What can be known of the shape: the ways between nodes.
void World::join() {
  const std::size_t count = flow.nodes.size();
  books.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Book& book = books[i];
    book.node = &flow.nodes[i];
    book.index = i;
    book.ways.assign(count, 0);
    book.copied.assign(count, false);
    book.through.resize(count);
    book.written.assign(std::max(1U, book.node->ports), 0);
    book.foretold.assign(book.node->instances, Foretold{.next = {}, .last = std::vector<std::uint64_t>(count, 0)});
    if (book.node->role == Role::source) book.ways[i] = 1;
  }
  for (Book& book : books) {
    for (const PlannedEdge& edge : flow.edges) {
      if (edge.to != book.index) continue;
      const Book& from = books[edge.from];
      book.before |= from.before | 1U << edge.from;
      for (std::size_t source = 0; source < count; ++source) {
        if (from.ways[source] == 0) continue;
        book.ways[source] = std::min(2U, book.ways[source] + from.ways[source]);
        book.copied[source] = book.copied[source] || from.copied[source] || from.node->habits.expand != 0;
      }
    }
  }
  for (Book& book : books)
    for (const Book& other : books)
      if ((other.before >> book.index & 1U) != 0) book.behind |= 1U << other.index;
}

std::unique_ptr<SimStage> World::make_stage(Book& book, std::size_t instance) {
  return std::make_unique<SimStage>(*this, book, instance, book.node->seed + stages_made_++);
}

FlowPlan World::plan() {
  FlowPlan plan;
  plan.name = "simulated";
  plan.edges = flow.edges;
  plan.max_batch = flow.max_batch;
  plan.max_batch_bytes = flow.max_batch_bytes;
  plan.elements_max = flow.elements_max;
  plan.errors_max = flow.errors_max;
  plan.timeout_ns = flow.timeout_ns;
  plan.deadline_ns = flow.deadline_ns;
  if (flow.letters_say_why) plan.content_types = &content_types_;
  for (Book& book : books) {
    const SimNode& node = *book.node;
    PlannedStage planned;
    for (std::size_t i = 0; i < node.instances; ++i) {
      std::unique_ptr<SimStage> stage = make_stage(book, i);
      book.stages.push_back(stage.get());
      if (i == 0) {
        planned.stage = std::move(stage);
      } else {
        planned.more.push_back(std::move(stage));
      }
    }
    planned.parallel = node.parallel;
    planned.role = node.role;
    planned.node = "n" + std::to_string(book.index);
    planned.component = "simulated";
    planned.ports.clear();
    for (std::uint32_t port = 0; port < node.ports; ++port) planned.ports.push_back("port" + std::to_string(port));
    if (node.dead_letters) planned.ports.emplace_back("dead-letter");
    planned.failure = node.failure;
    plan.stages.push_back(std::move(planned));
  }
  return plan;
}

// ---- what stages tell and ask -------------------------------------------------------------------------------------------------

void World::note(std::size_t node, const char* what, std::uint64_t a, std::uint64_t b) {
  last_events[event_count++ % last_events_max] = {.at_ns = now_ns(), .node = node, .what = what, .a = a, .b = b};
  for (const char* letter = what; *letter != 0; ++letter)
    history_ = history_ * 31 + static_cast<unsigned char>(*letter);
  for (const std::uint64_t part : {std::uint64_t{node}, a, b, now_ns()}) history_ = Dice(history_ ^ part).roll();
}

void World::moment() {
  outside();
  if (jobs_.empty() || !dice_.per_mille(flow.jobs_at_once)) return;
  const bool before = std::exchange(in_call_, true);
  run_job();
  in_call_ = before;
}

bool World::sources_are_over(const Book& of) const {
  if (stop_asked() || (flow.elements_max && given == *flow.elements_max)) return true;
  return std::ranges::none_of(books, [&](const Book& book) {
    return (of.before >> book.index & 1U) != 0 && book.node->role == Role::source && !book.at_end;
  });
}

// Its source never saw it like this: an aggregator made it.
bool World::is_created(const Element& element) const {
  const Identity identity = identity_of(element);
  return element.lineage == resources::no_lineage ||
         element.meta.sequence != known[identity.source][identity.number].sequence;
}

std::vector<const Book*> World::aggregators_between(const Book& source, const Book& node) const {
  std::vector<const Book*> found;
  for (const Book& book : books)
    if (book.node->role == Role::aggregator && book.ways[source.index] != 0 && (node.before >> book.index & 1U) != 0)
      found.push_back(&book);
  return found;
}

void World::raise(const Element& element, Fate fate) {
  if (is_created(element)) return;
  const Identity identity = identity_of(element);
  Fate& worst = known[identity.source][identity.number].worst;
  worst = std::max(worst, fate);
}

void World::count_let_go() {
  ++let_go;
  if (flow.errors_max && let_go > *flow.errors_max) may_fail = true;
}

void World::acknowledge(Book& source, std::uint64_t up_to) {
  source.acked = up_to;
  ++counts.acks;
  for (const Book& book : books)
    for (const SimStage* const stage : book.stages)
      for (const Identity& held : stage->held_pulled())
        require(!is_acked(held), "a source hears of an element that an aggregator still holds",
                [&] { return fmt::format("number {} of n{}, in n{}", held.number, held.source, book.index); });
}

// ---- its course ---------------------------------------------------------------------------------------------------------------

void World::submit(Job& job) noexcept {
  require(std::ranges::find(jobs_, &job) == jobs_.end(), "a job is submitted twice", nothing_more);
  jobs_.push_back(&job);
  ++counts.jobs;
  if (dice_.per_mille(flow.jobs_at_once)) run_job();
}

void World::run_job() {
  const std::size_t chosen = dice_.below(jobs_.size());
  Job* const job = jobs_[chosen];
  jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(chosen));
  if (in_call_) ++counts.jobs_during_calls;
  job->run();
}

// Others than the flow itself do something to it.
void World::outside() {
  ++moments_;
  for (const SimSwap& swap : flow.swaps)
    if (swap.at == moments_) ask_for_swap(swap);
  if (moments_ == flow.stop_at) {
    note(0, "stop");
    stop_asked_ = true;
    driver_->request_stop(flow.stop_state);
  }
  if (moments_ == flow.cancel_at) {
    note(0, "cancel");
    cancelled_ = true;
    driver_->cancel();
  }
}

void World::ask_for_swap(const SimSwap& swap) {
  Book& book = books[swap.node];
  note(swap.node, "swap");
  SwapRequest request{.node = swap.node, .stages = {}, .component = "another", .flush = swap.flush, .done = {}};
  std::vector<SimStage*> stages;
  for (std::size_t i = 0; i < book.node->instances; ++i) {
    std::unique_ptr<SimStage> stage = make_stage(book, i);
    stage->start_for_swap();
    stages.push_back(stage.get());
    request.stages.push_back(std::move(stage));
  }
  ++book.swaps_asked;
  request.done = [this, &book, stages = std::move(stages)](const Result<std::uint64_t>& swapped) {
    note(book.index, swapped ? "swapped" : "not swapped");
    ++(swapped ? book.swapped : book.swaps_refused);
    ++(swapped ? counts.swaps : counts.swaps_refused);
    if (!swapped) return;
    book.stages = stages;
    for (SimStage* const stage : book.stages) stage->take_over();
  };
  driver_->request_swap(std::move(request));
}

// Figures of a flow that runs add up too, and none of them goes back.
void World::ask_for_report() {
  ++reports_asked_;
  driver_->request_report([this](const FlowReport& report) {
    ++reports_given_;
    require(report.fates.accounted() <= report.fates.pulled && report.fates.pulled <= given,
            "more elements met their fates than were pulled",
            [&] { return fmt::format("{} of {}", report.fates.accounted(), report.fates.pulled); });
    require(report.fates.pulled >= reported_.pulled && report.fates.accounted() >= reported_.accounted(),
            "a report goes back", nothing_more);
    for (const observability::StreamReport& stream : report.streams)
      require(stream.depth <= stream.depth_max, "a stream is deeper than it ever was", nothing_more);
    reported_ = report.fates;
  });
}

SimResult World::run() {
  std::uint64_t idle = 0;
  observability::FlowProgress last;
  for (std::uint64_t turns = 0;; ++turns) {
    require(turns < turns_max, "a flow doesn't come to its end", nothing_more);
    outside();
    if (dice_.one_in(32)) ask_for_report();
    woken_ = false;
    if (turns == 0) started_ns_ = now_ns();
    const std::uint64_t calls_before = counts.calls;
    const std::uint64_t before_ns = now_ns();
    note(0, "turn");
    const Turn turn = driver_->turn({.elements = dice_.from_to(1, flow.quantum_elements), .time_ns = flow.quantum_ns});
    if (turn.next != Turn::Next::done) driver_->check_invariants();
    const observability::FlowProgress progress = driver_->progress();
    require(progress.pulled >= last.pulled && progress.delivered >= last.delivered && progress.errors >= last.errors &&
                progress.pulled == given,
            "the progress of a flow is wrong, or goes backwards", nothing_more);
    last = progress;
    if (turn.next == Turn::Next::done) break;
    if (!jobs_.empty() && dice_.per_mille(300)) run_job();
    if (turn.next == Turn::Next::wait) wait(turn);
    if (dice_.one_in(16)) pass(dice_.below(2 * ms));
    idle = counts.calls == calls_before && now_ns() == before_ns ? idle + 1 : 0;
    require(idle < idle_turns_max, "a flow makes no progress", nothing_more);
  }
  require(jobs_.empty(), "a flow ended while a lane was out", nothing_more);
  require(reports_asked_ == reports_given_, "a report was asked for and not given", nothing_more);
  require(simulated_pool().stats().live == 0, "buffers are not back when a flow has ended",
          [] { return fmt::format("{} live", simulated_pool().stats().live); });

  SimResult result;
  result.report = driver_->report();
  check_state(result.report);
  check_stages(result.report);
  check_counts(result.report);
  check_streams(result.report);
  check_fates(result.report);
  // Whoever comes too late does no harm, and hears so.
  driver_->request_stop(FlowState::interrupted);
  driver_->cancel();
  Book& book = books[dice_.below(books.size())];
  const std::uint64_t refused = book.swaps_refused;
  ask_for_swap({.at = 0, .node = book.index});
  require(book.swaps_refused == refused + 1, "a swap after the flow's end is not refused", nothing_more);

  for (const std::uint64_t fate : result.report.fates.fates) note(0, "fate", fate);
  note(0, "end", static_cast<std::uint64_t>(result.report.state), result.report.fates.pulled);
  result.history = history_;
  result.counts = counts;
  driver_.reset();
  return result;
}

// Until there is a reason to call the flow again.
void World::wait(const Turn& turn) {
  while (!woken_ && now_ns() < turn.wake_at_ns) {
    if (dice_.per_mille(flow.needless_wakes)) return;
    const bool timed = turn.wake_at_ns != never_ns;
    if (!jobs_.empty() && (!timed || dice_.one_in(2))) {
      run_job();
    } else if (timed) {
      pass(turn.wake_at_ns - now_ns() + (dice_.one_in(4) ? dice_.below(ms) : 0));
    } else {
      broken("a flow waits, and nothing will ever wake it");
    }
  }
}

// ---- what must hold at its end ------------------------------------------------------------------------------------------------

void World::check_state(const FlowReport& report) const {
  const auto how = [&] { return fmt::format("state {}", observability::flow_state_name(report.state)); };
  const auto sinks = static_cast<std::uint64_t>(
      std::ranges::count_if(flow.nodes, [](const SimNode& node) { return node.role == Role::sink; }));
  const bool all_given = flow.elements_max && given == *flow.elements_max;
  const bool stopped = stop_asked_ && flow.stop_state == report.state;
  switch (report.state) {
    case FlowState::completed:
      for (const Book& book : books)
        require(book.node->role != Role::source || book.at_end, "a flow completed before its sources ended", how);
      break;
    case FlowState::limited:
      require(all_given || stopped || is_timed_out(), "a flow says that it was limited, and was not", how);
      break;
    case FlowState::interrupted:
      require(stopped, "a flow says that it was interrupted, and was not", how);
      break;
    case FlowState::closed:
      require(closed_sinks == sinks, "a flow says that its sinks were closed, and they were not", how);
      break;
    case FlowState::cancelled:
      require(cancelled_, "a flow says that it was cancelled, and was not", how);
      break;
    case FlowState::failed:
      require(must_fail || may_fail, "a flow failed without a reason", [&] { return report.error->to_string(); });
      break;
    case FlowState::running:
      broken("a flow has ended and says that it runs");
  }
  if (is_orderly(report.state)) {
    require(!must_fail && closed_sinks < sinks, "a flow ended in good order that should have failed", how);
    require(!flow.errors_max || let_go <= *flow.errors_max, "a flow went on beyond its last permitted error", how);
  }
  const bool unhappy = report.state == FlowState::failed || report.state == FlowState::cancelled;
  require(report.error.has_value() == unhappy, "a report tells of an error where there is none, or of none", how);
}

void World::check_stages(const FlowReport& report) const {
  const bool orderly = is_orderly(report.state);
  for (const Book& book : books) {
    const auto how = [&] {
      return fmt::format("node n{}: {} started, {} finished; {} swaps asked for, {} done, {} refused", book.index,
                         book.started, book.finished, book.swaps_asked, book.swapped, book.swaps_refused);
    };
    require(book.started == book.finished, "a stage that was started was not finished", how);
    require(!orderly || book.started >= book.node->instances, "a stage was not started", how);
    require(!book.is_being_swapped(), "nobody heard what became of a swap", how);
    require(report.stages[book.index].swaps == book.swapped, "a stage's number of swaps is wrong", how);
    const bool has_an_end = book.node->role == Role::sink || book.node->role == Role::aggregator;
    if (orderly && has_an_end && !book.closed)
      require(book.stages.front()->made_its_end(), "a flow ended in good order, and a stage was not asked for its last",
              how);
  }
}

void World::check_counts(const FlowReport& report) const {
  const bool orderly = is_orderly(report.state);
  require(report.fates.pulled == given, "the report's number of pulled elements is wrong", nothing_more);
  require(report.fates.accounted() == report.fates.pulled, "an element has no fate, or two", nothing_more);
  for (const Book& book : books) {
    const observability::StageReport& said = report.stages[book.index];
    std::uint64_t out = book.dead_letters;
    for (const std::uint64_t count : book.written) out += count;
    const auto how = [&] {
      return fmt::format(
          "node n{}: in {} for {}, out {} for {}, errors {} for {}, restarts {} for {}, state lost {} for {}",
          book.index, said.elements_in, book.tried, said.elements_out, out, said.errors, book.errors, said.restarts,
          book.restarts, said.state_lost, book.state_lost);
    };
    // What came back from other threads when the flow was ending is void.
    const bool counted = orderly || !book.node->on_other_threads();
    require(!counted || said.elements_in == book.tried, "a stage's number of elements in is wrong", how);
    require(said.restarts == book.restarts, "a stage's number of restarts is wrong", how);
    // A lane that rested while another's elements were waited for has kept nobody waiting.
    require(said.rests <= book.rests && (said.rests == book.rests || book.node->on_other_threads()),
            "a stage's number of rests is wrong", how);
    if (!orderly || !foresees()) continue;
    require(said.elements_out == out, "a stage's number of elements out is wrong", how);
    require(said.errors == book.errors, "a stage's number of errors is wrong", how);
    require(said.state_lost == book.state_lost, "a stage's lost state is wrong", how);
  }
}

// At an orderly end all that left by a port came through its streams, or was dropped there; and all that came to a node was dealt with.
void World::check_streams(const FlowReport& report) const {
  if (!is_orderly(report.state) || !foresees()) return;
  std::vector<std::uint64_t> came(books.size(), 0);
  for (std::size_t i = 0; i < flow.edges.size(); ++i) {
    const PlannedEdge& edge = flow.edges[i];
    const observability::StreamReport& said = report.streams[i];
    const Book& from = books[edge.from];
    const std::uint64_t left = edge.port == from.node->ports ? from.dead_letters : from.written[edge.port];
    const auto how = [&] {
      return fmt::format("edge {}: {} left, {} transferred, {} dropped", i, left, said.transferred, said.dropped);
    };
    const bool may_drop =
        edge.bounds.full_policy == FullPolicy::drop_oldest || edge.bounds.full_policy == FullPolicy::drop_newest;
    require(said.transferred + said.dropped == left, "a stream lost elements, or made some", how);
    require(said.dropped == 0 || may_drop, "a stream dropped elements against its policy", how);
    require(said.depth_max <= edge.bounds.depth, "a stream held more than its bound", how);
    came[edge.to] += said.transferred;
  }
  for (const Book& book : books) {
    if (book.closed) continue;
    const std::uint64_t dealt_with = book.taken + book.let_go + book.lost;
    require(came[book.index] == dealt_with, "a node lost elements, or made some",
            [&] { return fmt::format("node n{}: {} came, {} dealt with", book.index, came[book.index], dealt_with); });
  }
}

void World::check_fates(const FlowReport& report) {
  std::uint64_t dropped = 0;
  for (const observability::StreamReport& stream : report.streams) dropped += stream.dropped;
  std::array<std::uint64_t, observability::fate_count> foretold{};
  for (const auto& of_source : known)
    for (const Known& element : of_source) ++foretold[static_cast<std::size_t>(element.worst)];
  const auto how = [&] {
    std::string text;
    for (std::size_t i = 0; i < foretold.size(); ++i)
      text += fmt::format("{}{} {} for {}", i == 0 ? "" : ", ", observability::fate_name(static_cast<Fate>(i)),
                          report.fates.fates[i], foretold[i]);
    return text;
  };
  const bool orderly = is_orderly(report.state);
  require(report.fates[Fate::dropped] <= dropped, "more elements are dropped than were", how);
  require(!orderly || closed_sinks != 0 || report.fates[Fate::cancelled] == 0,
          "elements are cancelled in an orderly end", how);
  if (!orderly) return;
  // What was seen happened; what was not seen can only have made it worse.
  std::uint64_t at_least = 0;
  std::uint64_t met = 0;
  for (std::size_t i = foretold.size(); i-- > 0;) {
    at_least += foretold[i];
    met += report.fates.fates[i];
    require(met >= at_least, "an element met a lighter fate than was seen", how);
  }
  if (!foresees() || dropped != 0 || closed_sinks != 0) return;
  require(report.fates.fates == foretold, "the fates are not those foretold", how);
  ++counts.exact;
}

// ---- from outside -------------------------------------------------------------------------------------------------------------

SimResult simulate(const SimFlow& flow) {
  event_count = 0;
  SimResult result = World(flow).run();
  require(simulated_pool().stats().live == 0, "buffers leaked",
          [] { return fmt::format("{} live", simulated_pool().stats().live); });
  return result;
}

void print_last_events(std::FILE* to) {
  const std::uint64_t first = event_count > last_events_max ? event_count - last_events_max : 0;
  for (std::uint64_t i = first; i < event_count; ++i) {
    const Event& event = last_events[i % last_events_max];
    std::fprintf(to, "  %12.6f ms n%zu %s %llu %llu\n", static_cast<double>(event.at_ns) / 1e6, event.node, event.what,
                 static_cast<unsigned long long>(event.a), static_cast<unsigned long long>(event.b));
  }
}

}  // namespace torvyn::reactor
