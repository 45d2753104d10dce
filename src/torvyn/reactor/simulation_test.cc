// The reactor, held to its promises over thousands of random flows in a simulated world. See simulation.h.
//
//   TORVYN_TEST_SEED=7            that flow alone, and the last things that happened where it fails
//   TORVYN_TEST_SEEDS=5000        the first so many
//   TORVYN_TEST_SEEDS=5000-6000   from one to before another
#include "torvyn/reactor/simulation.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <set>

namespace torvyn::reactor {
namespace {

using contracts::Role;
using observability::Fate;
using observability::FlowState;

// A flow that takes longer hangs; a sanitizer on a busy machine takes a hundredth of it.
constexpr unsigned flow_seconds_max = 20;
constexpr std::chrono::seconds enough_time{5};
constexpr std::uint64_t seeds_min = 2'000;
constexpr std::size_t shrink_tries_max = 3'000;

// Where a child is, for its parent to read.
struct Progress {
  std::uint64_t seed = 0;
  std::uint64_t flows = 0;
};

Progress& shared_progress() {
  static auto* const progress = static_cast<Progress*>(
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *progress;
}

void on_end(int signal) {
  if (signal == SIGALRM) std::fprintf(stderr, "simulation: a flow hangs\n");
  print_last_events(stderr);
  std::fflush(stderr);
  _exit(1);
}

// Runs it in a child, which may abort or hang. What the child wrote to stderr; nothing where it ended well.
std::optional<std::string> failure_of(const std::function<void()>& run) {
  const int said = memfd_create("said", 0);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(said, STDERR_FILENO);
    std::signal(SIGABRT, on_end);
    std::signal(SIGALRM, on_end);
    run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = pread(said, part.data(), part.size(), static_cast<off_t>(text.size()))) > 0;)
    text.append(part.data(), static_cast<std::size_t>(size));
  close(said);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  return text;
}

std::optional<std::string> failure_of(const SimFlow& flow) {
  return failure_of([&flow] {
    alarm(flow_seconds_max);
    simulate(flow);
  });
}

// What was broken, without how.
std::string promise_of(const std::string& failure) { return failure.substr(0, failure.find_first_of("[\n")); }

std::string smallest_of(const SimFlow& flow, const std::string& failure) {
  std::string last = failure;
  const std::string promise = promise_of(failure);
  const SimFlow small = shrink(
      flow,
      [&](const SimFlow& candidate) {
        const std::optional<std::string> found = failure_of(candidate);
        if (!found || promise_of(*found) != promise) return false;
        last = *found;
        return true;
      },
      shrink_tries_max);
  return text_of(small) + last;
}

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool given = false;
};

Seeds seeds_from_environment() {
  if (const char* const one = std::getenv("TORVYN_TEST_SEED")) {
    const std::uint64_t seed = std::strtoull(one, nullptr, 10);
    return {.first = seed, .end = seed + 1, .given = true};
  }
  const char* const text = std::getenv("TORVYN_TEST_SEEDS");
  if (text == nullptr) return {.first = 0, .end = never_ns};
  char* rest = nullptr;
  const std::uint64_t number = std::strtoull(text, &rest, 10);
  if (*rest != '-') return {.first = 0, .end = number, .given = true};
  return {.first = number, .end = std::strtoull(rest + 1, nullptr, 10), .given = true};
}

// Where nobody said how many: as many as there is time for.
TEST(Simulation, KeepsEveryPromiseForEverySeed) {
  const Seeds seeds = seeds_from_environment();
  const auto begin = std::chrono::steady_clock::now();
  Progress& progress = shared_progress();
  progress = {};
  const std::optional<std::string> failure = failure_of([&] {
    for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
      progress.seed = seed;
      alarm(flow_seconds_max);
      simulate(random_flow(seed));
      ++progress.flows;
      const bool time_is_up = std::chrono::steady_clock::now() - begin > enough_time;
      if (!seeds.given && time_is_up && progress.flows >= seeds_min) break;
    }
  });
  RecordProperty("flows", std::to_string(progress.flows));
  if (failure) {
    const std::uint64_t seed = progress.seed;
    FAIL() << "again with TORVYN_TEST_SEED=" << seed << '\n'
           << *failure << "the smallest flow that fails in this way:\n"
           << smallest_of(random_flow(seed), *failure);
  }
}

TEST(Simulation, IsTheSameAgainForTheSameSeed) {
  std::set<std::uint64_t> histories;
  constexpr std::uint64_t flows = 300;
  for (std::uint64_t seed = 0; seed < flows; ++seed) {
    const std::uint64_t history = simulate(random_flow(seed)).history;
    EXPECT_EQ(simulate(random_flow(seed)).history, history) << "seed " << seed;
    histories.insert(history);
  }
  // Some end before they begin.
  EXPECT_GE(histories.size(), flows - 10);
}

// A simulation that leaves something out proves nothing about it.
TEST(Simulation, LeavesNothingOut) {
  std::array<std::uint64_t, 8> states{};
  std::array<std::uint64_t, observability::fate_count> fates{};
  SimCounts sum;
  std::uint64_t late = 0;
  constexpr std::uint64_t flows = 1'500;
  for (std::uint64_t seed = 0; seed < flows; ++seed) {
    const SimResult result = simulate(random_flow(seed));
    ++states[static_cast<std::size_t>(result.report.state)];
    for (std::size_t i = 0; i < fates.size(); ++i) fates[i] += result.report.fates.fates[i];
    for (const Error& error : result.report.skipped) late += error.code() == ErrorCode::deadline_exceeded ? 1U : 0U;
    sum.errors += result.counts.errors;
    sum.traps += result.counts.traps;
    sum.restarts += result.counts.restarts;
    sum.retries += result.counts.retries;
    sum.dead_letters += result.counts.dead_letters;
    sum.pauses += result.counts.pauses;
    sum.rests += result.counts.rests;
    sum.closed += result.counts.closed;
    sum.flushes += result.counts.flushes;
    sum.jobs += result.counts.jobs;
    sum.jobs_during_calls += result.counts.jobs_during_calls;
    sum.told_to_pause += result.counts.told_to_pause;
    sum.acks += result.counts.acks;
    sum.swaps += result.counts.swaps;
    sum.swaps_refused += result.counts.swaps_refused;
    sum.exact += result.counts.exact;
  }
  for (const FlowState state : {FlowState::completed, FlowState::limited, FlowState::closed, FlowState::interrupted,
                                FlowState::failed, FlowState::cancelled})
    EXPECT_GE(states[static_cast<std::size_t>(state)], 10U) << observability::flow_state_name(state);
  for (std::size_t i = 0; i < fates.size(); ++i)
    EXPECT_GE(fates[i], 100U) << observability::fate_name(static_cast<Fate>(i));
  EXPECT_GE(late, 10U);
  EXPECT_GE(sum.errors, 1000U);
  EXPECT_GE(sum.traps, 1000U);
  EXPECT_GE(sum.restarts, 500U);
  EXPECT_GE(sum.retries, 500U);
  EXPECT_GE(sum.dead_letters, 200U);
  EXPECT_GE(sum.pauses, 500U);
  EXPECT_GE(sum.rests, 500U);
  EXPECT_GE(sum.closed, 20U);
  EXPECT_GE(sum.flushes, 200U);
  EXPECT_GE(sum.jobs, 1000U);
  EXPECT_GE(sum.jobs_during_calls, 200U);
  EXPECT_GE(sum.told_to_pause, 1000U);
  EXPECT_GE(sum.acks, 500U);
  EXPECT_GE(sum.swaps, 50U);
  EXPECT_GE(sum.swaps_refused, 50U);
  EXPECT_GE(sum.exact, flows / 4);
}

// A stage that breaks its contract stands in for a driver that breaks its own.
TEST(Simulation, FindsABreachAndTheSmallestFlowThatHasIt) {
  SimFlow flow;
  flow.nodes = {{.role = Role::source, .seed = 1, .elements = 100},
                {.role = Role::processor, .seed = 2},
                {.role = Role::processor, .seed = 3, .habits = {.misorders = 1000}},
                {.role = Role::router, .seed = 4, .ports = 2},
                {.role = Role::sink, .seed = 5, .ports = 0},
                {.role = Role::sink, .seed = 6, .ports = 0}};
  flow.edges = {{.from = 0, .to = 1},
                {.from = 1, .to = 2},
                {.from = 2, .to = 3},
                {.from = 3, .to = 4},
                {.from = 3, .to = 5, .port = 1}};
  const std::optional<std::string> misordered = failure_of(flow);
  ASSERT_TRUE(misordered);
  EXPECT_EQ(promise_of(*misordered), "simulation: elements come out of order ");
  const SimFlow small = shrink(flow, [](const SimFlow& candidate) { return failure_of(candidate).has_value(); }, 1'000);
  EXPECT_EQ(small.nodes.size(), 3U) << text_of(small);
  EXPECT_EQ(small.edges.size(), 2U) << text_of(small);
  EXPECT_EQ(small.nodes.front().elements, 2U) << text_of(small);

  flow.nodes[2].habits = {.keeps_payload = 1000};
  const std::optional<std::string> leaked = failure_of(flow);
  ASSERT_TRUE(leaked);
  EXPECT_EQ(promise_of(*leaked), "simulation: buffers are not back when a flow has ended ");
  flow.nodes[2].habits = {};
  EXPECT_FALSE(failure_of(flow));
}

}  // namespace
}  // namespace torvyn::reactor
