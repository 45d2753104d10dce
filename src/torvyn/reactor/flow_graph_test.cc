// Graphs: ways that part and meet, streams that fill, and what becomes of elements when something goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "torvyn/reactor/test_graph.h"

namespace torvyn::reactor {
namespace {

using config::ErrorAction;
using config::TrapAction;
using contracts::Role;
using observability::Fate;
using observability::FlowReport;
using observability::FlowState;
using testing::ElementsAre;
using testing::HasSubstr;

// ---- shapes -----------------------------------------------------------------------------------------------------------------

TEST(FlowGraph, GivesEveryEdgeOfAPortTheSameBuffer) {
  Graph graph;
  graph.source(100);
  std::vector<const std::byte*> seen[2];
  for (auto& addresses : seen)
    graph.stage(
        [&addresses](Element& element, resources::Run&) {
          addresses.push_back(element.payload.bytes().data());
          return StageStatus::ok;
        },
        Role::sink);
  graph.edge(0, 1);
  graph.edge(0, 2);
  const FlowReport report = graph.run();
  EXPECT_EQ(report.fates[Fate::delivered], 100U);
  EXPECT_EQ(seen[0].size(), 100U);
  EXPECT_EQ(seen[0], seen[1]) << "no copy";
}

TEST(FlowGraph, TakesFromSeveralInputsInTheOrderOfArrivalAndStarvesNone) {
  Graph graph;
  graph.source(1'000);
  graph.source(1'000);
  std::vector<std::uint64_t> origin;
  graph.stage(
      [&origin](Element& element, resources::Run&) {
        origin.push_back(element.meta.sequence);
        return StageStatus::ok;
      },
      Role::sink);
  graph.edge(0, 2);
  graph.edge(1, 2);
  const FlowReport report = graph.run();
  EXPECT_EQ(report.fates[Fate::delivered], 2'000U);
  EXPECT_TRUE(std::ranges::is_sorted(origin)) << "sequences are given as elements leave sources";
  EXPECT_EQ(report.streams[0].transferred, 1'000U);
  EXPECT_EQ(report.streams[1].transferred, 1'000U);
}

TEST(FlowGraph, RoutesByPortAndToSeveralAtOnce) {
  Graph graph;
  graph.source(90);
  graph.stage(
      [](Element& element, resources::Run& out) {
        const std::uint64_t kind = fake_number(element) % 3;
        if (kind == 2) return StageStatus::ok;  // to nobody
        for (std::uint16_t port = 0; port <= kind; ++port) {
          out.push_back(element);
          out.back().port = port;
        }
        return StageStatus::ok;
      },
      Role::router);
  graph.node(1).ports = {"all", "odd"};
  KeepingSink& all = graph.sink();
  KeepingSink& odd = graph.sink();
  graph.edge(0, 1);
  graph.edge(1, 2, 0);
  graph.edge(1, 3, 1);
  const FlowReport report = graph.run();
  EXPECT_EQ(all.numbers.size(), 60U);
  EXPECT_EQ(odd.numbers.size(), 30U);
  EXPECT_EQ(report.fates[Fate::delivered], 60U);
  EXPECT_EQ(report.fates[Fate::filtered], 30U);
}

TEST(FlowGraph, GoesThroughADiamondInOrderOnEachSide) {
  Graph graph;
  graph.source(500);
  graph.stage(pass_on);
  graph.stage([](Element& element, resources::Run& out) {
    element.meta.content_type = 1;
    return fake_number(element) % 2 == 0 ? pass_on(element, out) : StageStatus::ok;
  });
  KeepingSink& sink = graph.sink();
  graph.edge(0, 1);
  graph.edge(0, 2);
  graph.edge(1, 3);
  graph.edge(2, 3);
  const FlowReport report = graph.run();
  EXPECT_EQ(sink.numbers.size(), 750U);
  EXPECT_EQ(report.fates[Fate::delivered], 500U) << "the half that was dropped on one side came through the other";
  std::vector<std::uint64_t> by_side[2];
  for (std::size_t i = 0; i < sink.numbers.size(); ++i) by_side[sink.types[i]].push_back(sink.numbers[i]);
  EXPECT_EQ(by_side[0], counted(0, 500));
  EXPECT_EQ(by_side[1].size(), 250U);
  EXPECT_TRUE(std::ranges::is_sorted(by_side[1]));
}

TEST(FlowGraph, FlushesAnAggregatorWhenAllItsInputsHaveEnded) {
  Graph graph;
  graph.source(10);
  graph.source(300);
  resources::Run held;
  int flushes = 0;
  FunctionStage& sum = graph.stage(
      [&held](Element& element, resources::Run&) {
        held.clear();
        held.emplace_back().payload = element.payload;
        return StageStatus::ok;
      },
      Role::aggregator);
  sum.on_flush = [&](resources::Run& out) {
    ++flushes;
    for (Element& element : held) out.push_back(std::move(element));
    held.clear();
  };
  KeepingSink& sink = graph.sink();
  graph.edge(0, 2);
  graph.edge(1, 2);
  graph.edge(2, 3);
  const FlowReport report = graph.run();
  EXPECT_EQ(flushes, 1);
  EXPECT_THAT(sink.numbers, ElementsAre(299U));
  EXPECT_EQ(report.fates[Fate::absorbed], 310U);
  EXPECT_EQ(report.fates.created, 1U);
}

// ---- streams ----------------------------------------------------------------------------------------------------------------

// A source of a thousand into a sink that pauses at every element.
FlowReport run_into_a_slow_sink(FullPolicy policy, std::vector<std::uint64_t>& numbers,
                                FakeJournal* journal = nullptr) {
  Graph graph;
  graph.source(1'000, {.run_max = 7, .journal = journal});
  graph.stage(
      [&numbers](Element& element, resources::Run&) {
        numbers.push_back(fake_number(element));
        return StageStatus::pause;
      },
      Role::sink);
  graph.edge(0, 1).bounds = {.depth = 10, .full_policy = policy};
  return graph.run();
}

TEST(FlowGraph, ThatBlocksLosesNothingAndTellsTheSourceOnce) {
  std::vector<std::uint64_t> numbers;
  FakeJournal journal;
  const FlowReport report = run_into_a_slow_sink(FullPolicy::block, numbers, &journal);
  EXPECT_EQ(numbers, counted(0, 1'000));
  EXPECT_EQ(report.fates[Fate::delivered], 1'000U);
  EXPECT_LE(report.streams[0].depth_max, 10U);
  EXPECT_EQ(std::ranges::count(journal, "source.pause"), 1) << "it is under pressure all the way";
  EXPECT_EQ(report.streams[0].backpressure_events, 1U);
}

TEST(FlowGraph, ThatDropsTheNewestKeepsTheFirstOnes) {
  std::vector<std::uint64_t> numbers;
  const FlowReport report = run_into_a_slow_sink(FullPolicy::drop_newest, numbers);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_EQ(numbers.front(), 0U);
  EXPECT_GT(report.fates[Fate::dropped], 900U);
  EXPECT_EQ(report.fates[Fate::dropped], report.streams[0].dropped);
  EXPECT_EQ(report.fates[Fate::delivered], numbers.size());
}

TEST(FlowGraph, ThatDropsTheOldestKeepsTheLastOnes) {
  std::vector<std::uint64_t> numbers;
  const FlowReport report = run_into_a_slow_sink(FullPolicy::drop_oldest, numbers);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_EQ(numbers.back(), 999U);
  EXPECT_GT(report.streams[0].dropped, 900U);
}

TEST(FlowGraph, FailsWhereAFullStreamIsAnError) {
  std::vector<std::uint64_t> numbers;
  const FlowReport report = run_into_a_slow_sink(FullPolicy::error, numbers);
  EXPECT_EQ(report.state, FlowState::failed);
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code(), ErrorCode::capacity_exceeded);
  EXPECT_EQ(report.fates[Fate::failed], 1U);
}

TEST(FlowGraph, DropsNothingWhereTheReceiverKeepsUp) {
  Graph graph;
  graph.source(1'000);
  graph.stage(pass_on);
  KeepingSink& sink = graph.sink();
  graph.edge(0, 1).bounds = {.depth = 3, .full_policy = FullPolicy::drop_newest};
  graph.edge(1, 2).bounds = {.depth = 1, .full_policy = FullPolicy::drop_oldest};
  EXPECT_EQ(graph.run().fates[Fate::delivered], 1'000U);
  EXPECT_EQ(sink.numbers.size(), 1'000U);
}

TEST(FlowGraph, ASlowBranchThatDropsDoesNotSlowTheOther) {
  Graph graph;
  graph.source(1'000);
  KeepingSink& fast = graph.sink();
  graph.stage([](Element&, resources::Run&) { return StageStatus::pause; }, Role::sink);
  graph.edge(0, 1);
  graph.edge(0, 2).bounds = {.depth = 4, .full_policy = FullPolicy::drop_newest};
  const FlowReport report = graph.run();
  EXPECT_EQ(fast.numbers, counted(0, 1'000));
  EXPECT_GT(report.fates[Fate::dropped], 900U) << "the heaviest fate of its branches";
  EXPECT_LT(graph.clock.monotonic_ns(), 2'000'000'000U);
}

// ---- errors -----------------------------------------------------------------------------------------------------------------

// A chain of a source of ten, a stage that answers `status` for number 4 `times` times, and a sink.
struct Troubled {
  Troubled(StageStatus status, int times, bool whole_run = false) {
    graph.source(10);
    stage = &graph.stage([this, status, times](Element& element, resources::Run& out) {
      offers += fake_number(element) == 4 ? 1 : 0;
      return fake_number(element) == 4 && offers <= times ? status : pass_on(element, out);
    });
    stage->whole_run = whole_run;
    sink = &graph.sink();
  }
  Graph graph;
  FunctionStage* stage = nullptr;
  KeepingSink* sink = nullptr;
  int offers = 0;
};

TEST(FlowGraph, RetriesInOrderWithAGrowingWait) {
  Troubled flow(StageStatus::element_error, 3);
  flow.stage->error.kind = ProcessErrorKind::unavailable;
  flow.graph.failure(1) = {.retries = 3, .retry_backoff_ns = 10'000'000};
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(flow.sink->numbers, counted(0, 10));
  EXPECT_EQ(report.stages[1].errors, 3U);
  EXPECT_EQ(report.duration_ns, 70'000'000U) << "10, 20 and 40 ms";
}

TEST(FlowGraph, FailsWhereRetriesAreUsedUp) {
  Troubled flow(StageStatus::element_error, 99);
  flow.stage->error.kind = ProcessErrorKind::unavailable;
  flow.graph.failure(1).retries = 2;
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(flow.offers, 3);
  EXPECT_THAT(report.error->hint(), HasSubstr("3 times"));
  EXPECT_EQ(report.error->detail().element_place, "fake element 4");
}

TEST(FlowGraph, SkipsAfterTheLastRetryWhereThatIsWhatFollows) {
  Troubled flow(StageStatus::element_error, 99);
  flow.stage->error.kind = ProcessErrorKind::unavailable;
  flow.graph.failure(1).on_error.exhausted = ErrorAction::skip;
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(report.fates[Fate::delivered], 9U);
}

TEST(FlowGraph, OtherBranchesGoOnDuringABackOff) {
  Graph graph;
  graph.source(10);
  int left = 1;
  FunctionStage& flaky = graph.stage([&left](Element& element, resources::Run& out) {
    return left-- > 0 ? StageStatus::element_error : pass_on(element, out);
  });
  flaky.error.kind = ProcessErrorKind::unavailable;
  graph.sink();
  KeepingSink& other = graph.sink();
  graph.edge(0, 1);
  graph.edge(1, 2);
  graph.edge(0, 3);
  std::size_t during = 0;
  graph.run(64, nullptr, [&](FlowDriver&) { during = std::max(during, other.numbers.size()); });
  EXPECT_EQ(during, 10U) << "all of it before the first retry";
}

TEST(FlowGraph, SendsWhatFailsToTheDeadLetterNodeAndSaysWhy) {
  Troubled flow(StageStatus::element_error, 99);
  resources::ContentTypes types;
  flow.graph.plan().content_types = &types;
  flow.stage->error = {.kind = ProcessErrorKind::invalid_input, .text = "not \"UTF-8\""};
  KeepingSink& letters = flow.graph.sink();
  flow.graph.node(1).ports = {"output", "dead-letter"};
  flow.graph.failure(1).on_error.invalid_input = ErrorAction::dead_letter;
  flow.graph.failure(1).dead_letter_port = 1;
  flow.graph.edge(0, 1);
  flow.graph.edge(1, 2);
  flow.graph.edge(1, 3, 1);
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.fates[Fate::dead_lettered], 1U);
  EXPECT_EQ(report.fates[Fate::delivered], 9U);
  EXPECT_THAT(letters.numbers, ElementsAre(4U));
  EXPECT_EQ(types.text(letters.types.at(0)),
            "application/octet-stream; torvyn-error=invalid-input; torvyn-node=node1; torvyn-attempt=1; "
            "torvyn-message=\"not  UTF-8 \"");
}

// ---- traps ------------------------------------------------------------------------------------------------------------------

TEST(FlowGraph, RestartsAStageThatTrapsAndOffersTheElementOnceMore) {
  Troubled flow(StageStatus::failed, 1);
  flow.graph.failure(1).on_trap = TrapAction::restart;
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(flow.sink->numbers, counted(0, 10));
  EXPECT_EQ(report.stages[1].restarts, 1U);
  EXPECT_EQ(flow.stage->restarts, 1);
}

TEST(FlowGraph, APoisonElementMeetsOnErrorAfterItsSecondTrap) {
  Troubled flow(StageStatus::failed, 99);
  flow.graph.failure(1).on_trap = TrapAction::restart;
  flow.graph.failure(1).on_error.internal = ErrorAction::skip;
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(flow.offers, 2);
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(report.fates[Fate::delivered], 9U);
}

TEST(FlowGraph, FindsThePoisonElementOfARunThatTrapped) {
  Troubled flow(StageStatus::failed, 99, true);
  flow.graph.failure(1).on_trap = TrapAction::restart;
  flow.graph.failure(1).on_error.internal = ErrorAction::skip;
  const FlowReport report = flow.graph.run();
  std::vector<std::uint64_t> others = counted(0, 10);
  others.erase(others.begin() + 4);
  EXPECT_EQ(flow.sink->numbers, others);
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(report.stages[1].restarts, 2U) << "the run, and the element alone";
}

TEST(FlowGraph, GivesUpOnAStageThatTrapsTooOften) {
  Troubled flow(StageStatus::failed, 99);
  flow.graph.failure(1).on_trap = TrapAction::restart;
  flow.graph.failure(1).restarts = 1;
  flow.graph.failure(1).on_error.internal = ErrorAction::skip;
  const FlowReport report = flow.graph.run();
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.error->code(), ErrorCode::restart_limit);
  EXPECT_EQ(report.fates[Fate::failed], 1U);
}

TEST(FlowGraph, NeverOffersASinkAgainWhatItTrappedOn) {
  Graph graph;
  graph.source(10);
  int offers = 0;
  FunctionStage& sink = graph.stage(
      [&offers](Element& element, resources::Run&) {
        offers += fake_number(element) == 4 ? 1 : 0;
        return fake_number(element) == 4 ? StageStatus::failed : StageStatus::ok;
      },
      Role::sink);
  graph.failure(1).on_trap = TrapAction::restart;
  const FlowReport report = graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(offers, 1);
  EXPECT_EQ(report.fates[Fate::failed], 1U) << "outcome unknown";
  EXPECT_EQ(report.fates[Fate::delivered], 9U);
  EXPECT_EQ(sink.completes, 1);
}

TEST(FlowGraph, CountsTheStateAnAggregatorLosesInATrap) {
  Graph graph;
  graph.source(10);
  graph.stage([](Element& element,
                 resources::Run&) { return fake_number(element) == 4 ? StageStatus::failed : StageStatus::ok; },
              Role::aggregator);
  graph.sink();
  graph.failure(1).on_trap = TrapAction::restart;
  const FlowReport report = graph.run();
  EXPECT_EQ(report.stages[1].state_lost, 4U);
  EXPECT_EQ(report.fates[Fate::absorbed], 9U);
  EXPECT_EQ(report.fates[Fate::failed], 1U);
}

// ---- time -------------------------------------------------------------------------------------------------------------------

TEST(FlowGraph, DoesNotHandOnWhatComesAfterItsDeadline) {
  Graph graph;
  graph.source(10, {.run_max = 1});
  graph.stage([&graph](Element& element, resources::Run& out) {
    if (fake_number(element) == 3) graph.clock.advance_ns(6'000'000);
    return pass_on(element, out);
  });
  KeepingSink& sink = graph.sink();
  graph.plan().deadline_ns = 5'000'000;
  graph.failure(2).on_error.deadline_exceeded = ErrorAction::skip;
  const FlowReport report = graph.run();
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(sink.numbers.size(), 9U);
  ASSERT_EQ(report.skipped.size(), 1U);
  EXPECT_EQ(report.skipped[0].code(), ErrorCode::deadline_exceeded);
}

TEST(FlowGraph, EndsInGoodOrderWhenItsTimeIsOver) {
  Graph graph;
  graph.source(~std::uint64_t{0}, {.steps = {{.at = 5, .act = FakeAct::nothing_yet, .count = ~0U}}});
  KeepingSink& sink = graph.sink();
  graph.plan().timeout_ns = 1'000'000'000;
  const FlowReport report = graph.run();
  EXPECT_EQ(report.state, FlowState::limited);
  EXPECT_EQ(sink.completes, 1);
  EXPECT_EQ(report.duration_ns, 1'000'000'000U);
}

TEST(FlowGraph, IsCancelledWithWhatIsInFlight) {
  Graph graph;
  graph.source(1'000);
  FunctionStage& sink = graph.stage([](Element&, resources::Run&) { return StageStatus::pause; }, Role::sink);
  int turns = 0;
  const FlowReport report = graph.run(8, nullptr, [&turns](FlowDriver& driver) {
    if (++turns == 5) driver.cancel();
  });
  EXPECT_EQ(report.state, FlowState::cancelled);
  EXPECT_EQ(report.error->code(), ErrorCode::flow_cancelled);
  EXPECT_GT(report.fates[Fate::cancelled], 0U);
  EXPECT_EQ(sink.completes, 0);
  EXPECT_EQ(sink.other_ends, 1);
}

// ---- stages side by side ----------------------------------------------------------------------------------------------------

// Runs jobs when it is told to, the last one first.
class ReversingExecutor final : public Executor {
 public:
  void submit(Job& job) noexcept override { jobs_.push_back(&job); }
  void run_one() {
    if (jobs_.empty()) return;
    Job* const job = jobs_.back();
    jobs_.pop_back();
    job->run();
  }
  std::size_t waiting() const { return jobs_.size(); }

 private:
  std::vector<Job*> jobs_;
};

TEST(FlowGraph, KeepsTheOrderOfStagesThatWorkSideBySide) {
  Graph graph;
  graph.source(1'000);
  graph.stage(pass_on);
  for (int i = 0; i < 3; ++i) graph.node(1).more.push_back(std::make_unique<FunctionStage>(pass_on));
  KeepingSink& sink = graph.sink();
  ReversingExecutor executor;
  std::size_t most = 0;
  const FlowReport report = graph.run(64, &executor, [&](FlowDriver&) {
    most = std::max(most, executor.waiting());
    executor.run_one();
  });
  EXPECT_EQ(sink.numbers, counted(0, 1'000));
  EXPECT_EQ(report.stages[1].instances, 4U);
  EXPECT_EQ(most, 4U) << "all of them had something to do at once";
}

TEST(FlowGraph, KeepsTheOrderWhereOneOfThemRetriesAndOneTraps) {
  Graph graph;
  graph.source(300);
  int errors = 2;
  int traps = 1;
  const ElementFunction flaky = [&](Element& element, resources::Run& out) {
    if (fake_number(element) == 40 && errors-- > 0) return StageStatus::element_error;
    if (fake_number(element) == 70 && traps-- > 0) return StageStatus::failed;
    return pass_on(element, out);
  };
  graph.stage(flaky);
  graph.node(1).more.push_back(std::make_unique<FunctionStage>(flaky));
  graph.failure(1).on_error.internal = ErrorAction::retry;
  graph.failure(1).on_trap = TrapAction::restart;
  KeepingSink& sink = graph.sink();
  ReversingExecutor executor;
  const FlowReport report = graph.run(64, &executor, [&](FlowDriver&) { executor.run_one(); });
  EXPECT_EQ(sink.numbers, counted(0, 300));
  EXPECT_EQ(report.stages[1].errors, 3U);
}

// A source that gives 300, and a stage or two beside it.
class FlowGraphParallel : public testing::Test {
 protected:
  FlowReport run() {
    return graph_.run(64, &executor_, [this](FlowDriver& driver) {
      if (between) between(driver);
      executor_.run_one();
    });
  }

  Graph graph_;
  ReversingExecutor executor_;
  std::function<void(FlowDriver&)> between;
};

TEST_F(FlowGraphParallel, HasSeveralRunsUnderWayAndKeepsTheirOrder) {
  graph_.source(1'000);
  std::uint64_t calls = 0;
  graph_.stage([&](Element& element, resources::Run& out) {
    ++calls;
    return pass_on(element, out);
  });
  graph_.node(1).parallel = true;
  KeepingSink& sink = graph_.sink();
  graph_.plan().max_batch = 8;
  std::uint64_t calls_of_a_job_max = 0;
  std::uint64_t pulled_ahead_max = 0;
  const FlowReport report = graph_.run(64, &executor_, [&](FlowDriver& driver) {
    pulled_ahead_max = std::max(pulled_ahead_max, driver.progress().pulled - calls);
    EXPECT_LE(executor_.waiting(), 1U) << "one instance is one job";
    const std::uint64_t before = calls;
    executor_.run_one();
    calls_of_a_job_max = std::max(calls_of_a_job_max, calls - before);
  });
  EXPECT_EQ(sink.numbers, counted(0, 1'000));
  EXPECT_TRUE(report.stages[1].parallel);
  EXPECT_FALSE(report.stages[0].parallel);
  EXPECT_EQ(report.stages[1].instances, 1U);
  EXPECT_GT(calls_of_a_job_max, 8U) << "a job goes on with the run that waits";
  EXPECT_GT(pulled_ahead_max, 8U) << "its flow goes on meanwhile";
}

TEST_F(FlowGraphParallel, AnErrorHoldsUpTheRunsBehindIt) {
  graph_.source(300);
  graph_.sink();
  int errors = 2;
  auto sink = std::make_unique<FunctionStage>([&, taken = std::uint64_t{0}](Element& element, resources::Run&) mutable {
    if (fake_number(element) == 40 && errors-- > 0) return StageStatus::element_error;
    EXPECT_EQ(fake_number(element), taken) << "a later element was pushed before it";
    ++taken;
    return StageStatus::ok;
  });
  graph_.node(1).stage = std::move(sink);
  graph_.node(1).parallel = true;
  graph_.failure(1).on_error.internal = ErrorAction::retry;
  graph_.plan().max_batch = 8;
  const FlowReport report = run();
  EXPECT_EQ(report.fates[Fate::delivered], 300U);
  EXPECT_EQ(report.stages[1].errors, 2U);
}

TEST_F(FlowGraphParallel, ATrapHoldsThemUpToo) {
  graph_.source(300);
  int traps = 1;
  FunctionStage& stage = graph_.stage([&](Element& element, resources::Run& out) {
    if (fake_number(element) == 70 && traps-- > 0) return StageStatus::failed;
    return pass_on(element, out);
  });
  graph_.node(1).parallel = true;
  graph_.failure(1).on_trap = TrapAction::restart;
  KeepingSink& sink = graph_.sink();
  graph_.plan().max_batch = 8;
  const FlowReport report = run();
  EXPECT_EQ(sink.numbers, counted(0, 300));
  EXPECT_EQ(stage.restarts, 1);
  EXPECT_EQ(report.stages[1].restarts, 1U);
}

TEST_F(FlowGraphParallel, ASinkThatPausesGetsTheRestInOrder) {
  graph_.source(100);
  graph_.stage(pass_on);
  graph_.sink();
  std::vector<std::uint64_t> taken;
  graph_.node(2).stage = std::make_unique<FunctionStage>([&](Element& element, resources::Run&) {
    taken.push_back(fake_number(element));
    return taken.size() % 7 == 0 ? StageStatus::pause : StageStatus::ok;
  });
  graph_.node(1).parallel = graph_.node(2).parallel = true;
  graph_.plan().max_batch = 4;
  const FlowReport report = run();
  EXPECT_EQ(taken, counted(0, 100));
  EXPECT_EQ(report.fates[Fate::delivered], 100U);
}

TEST_F(FlowGraphParallel, ASinkWhoseReaderWentAwayIsCalledNoMore) {
  graph_.source(1'000);
  graph_.sink();
  std::uint64_t pushes = 0;
  graph_.node(1).stage = std::make_unique<FunctionStage>(
      [&](Element&, resources::Run&) { return ++pushes == 10 ? StageStatus::closed : StageStatus::ok; });
  graph_.node(1).parallel = true;
  graph_.plan().max_batch = 4;
  const FlowReport report = run();
  EXPECT_EQ(pushes, 10U);
  EXPECT_EQ(report.state, FlowState::closed);
  EXPECT_EQ(report.fates[Fate::delivered], 9U);
}

TEST_F(FlowGraphParallel, AnAggregatorIsFlushedAfterItsLastRun) {
  graph_.source(100);
  std::uint64_t sum = 0;
  FunctionStage& stage = graph_.stage(
      [&](Element& element, resources::Run&) {
        sum += fake_number(element);
        return StageStatus::ok;
      },
      Role::aggregator);
  std::uint64_t at_flush = 0;
  stage.on_flush = [&](resources::Run&) { at_flush = sum; };
  graph_.node(1).parallel = true;
  graph_.sink();
  graph_.plan().max_batch = 8;
  const FlowReport report = run();
  EXPECT_EQ(at_flush, 99U * 100 / 2);
  EXPECT_EQ(report.fates[Fate::absorbed], 100U);
}

TEST_F(FlowGraphParallel, ReportsWhatItHasDoneSoFarWhileItWorks) {
  graph_.source(100);
  graph_.stage(pass_on);
  graph_.node(1).parallel = true;
  graph_.sink();
  graph_.plan().max_batch = 4;
  std::uint64_t last = 0;
  std::uint64_t reports = 0;
  between = [&](FlowDriver& driver) {
    driver.request_report([&](const FlowReport& report) {
      EXPECT_GE(report.stages[1].elements_in, last);
      last = report.stages[1].elements_in;
      ++reports;
    });
  };
  EXPECT_EQ(run().stages[1].elements_in, 100U);
  EXPECT_GT(last, 50U);
  EXPECT_GT(reports, 4U);
}

TEST_F(FlowGraphParallel, CancellingStopsItAndWaitsForIt) {
  graph_.source(10'000);
  graph_.stage(pass_on);
  graph_.node(1).parallel = true;
  graph_.sink();
  graph_.plan().max_batch = 4;
  int turns = 0;
  between = [&](FlowDriver& driver) {
    if (++turns == 5) driver.cancel();
  };
  const FlowReport report = run();
  EXPECT_EQ(report.state, FlowState::cancelled);
  EXPECT_EQ(executor_.waiting(), 0U);
}

// ---- swaps and acks -----------------------------------------------------------------------------------------------------------

TEST(FlowGraph, SwapsAStageWithNothingLostOrRepeated) {
  Graph graph;
  graph.source(1'000);
  FunctionStage& old = graph.stage(pass_on);
  KeepingSink& sink = graph.sink();
  int by_new = 0;
  auto fresh = std::make_unique<FunctionStage>([&by_new](Element& element, resources::Run& out) {
    ++by_new;
    return pass_on(element, out);
  });
  FunctionStage& stage = *fresh;
  std::optional<std::uint64_t> pause_ns;
  int turns = 0;
  // The old one is gone when it has been swapped: its last call is counted before.
  const FlowReport report = graph.run(16, nullptr, [&](FlowDriver& driver) {
    if (++turns != 5) return;
    EXPECT_EQ(old.starts, 1);
    SwapRequest request{
        .node = 1, .stages = {}, .component = "new.wasm", .flush = false, .done = [&](Result<std::uint64_t> done) {
          ASSERT_TRUE(done);
          pause_ns = *done;
        }};
    request.stages.push_back(std::move(fresh));
    driver.request_swap(std::move(request));
  });
  EXPECT_TRUE(pause_ns);
  EXPECT_EQ(sink.numbers, counted(0, 1'000));
  EXPECT_GT(by_new, 0);
  EXPECT_LT(by_new, 1'000);
  EXPECT_EQ(stage.orderly_ends, 1);
  EXPECT_EQ(report.stages[1].swaps, 1U);
  EXPECT_EQ(report.stages[1].component, "new.wasm");
}

TEST(FlowGraph, RefusesToSwapWhatWouldLoseElements) {
  Graph graph;
  graph.source(100);
  graph.stage([](Element&, resources::Run&) { return StageStatus::ok; }, Role::aggregator);
  graph.sink();
  std::vector<std::string> answers;
  int turns = 0;
  graph.run(8, nullptr, [&](FlowDriver& driver) {
    if (++turns != 2) return;
    for (const std::size_t node : {std::size_t{0}, std::size_t{1}}) {
      SwapRequest request{
          .node = node, .stages = {}, .component = "new.wasm", .flush = false, .done = [&](Result<std::uint64_t> done) {
            answers.push_back(done ? "done" : done.error().message());
          }};
      request.stages.push_back(std::make_unique<FunctionStage>(pass_on));
      driver.request_swap(std::move(request));
    }
  });
  EXPECT_THAT(answers, ElementsAre(HasSubstr("does not hear of acks"), HasSubstr("aggregator")));
}

// ---- a share of the CPU -------------------------------------------------------------------------------------------------------

// Rests for 50 ms after each call, and holds the driver to it.
class RestingStage final : public Stage {
 public:
  static constexpr std::uint64_t rest_ns = 50'000'000;

  RestingStage(const Clock& clock, bool is_sink) : clock_(clock), is_sink_(is_sink) {}
  Status start() override { return {}; }
  StageOutcome process(std::span<Element> in, resources::Run& out) noexcept override {
    for (Element& element : in) out.push_back(std::move(element));
    return called(in.size());
  }
  StageOutcome push(std::span<Element> in) noexcept override { return called(in.size()); }
  Status complete() override {
    EXPECT_GE(clock_.monotonic_ns(), rest_until_ns_);
    return {};
  }
  std::uint64_t rest_until_ns() const noexcept override { return rest_until_ns_; }
  void finish(bool) noexcept override {}
  std::string_view path() const noexcept override { return "test"; }

  std::uint64_t calls = 0;

 private:
  StageOutcome called(std::size_t elements) noexcept {
    EXPECT_GE(clock_.monotonic_ns(), rest_until_ns_)
        << (is_sink_ ? "a sink" : "a stage") << " is called while it rests";
    ++calls;
    rest_until_ns_ = clock_.monotonic_ns() + rest_ns;
    return {.status = StageStatus::ok, .done = static_cast<std::uint32_t>(elements), .rests = true};
  }

  const Clock& clock_;
  bool is_sink_;
  std::uint64_t rest_until_ns_ = 0;
};

TEST(FlowGraph, LetsAStageRestWithNothingLostAndTheOthersGoOn) {
  Graph graph;
  graph.source(500);
  auto made = std::make_unique<RestingStage>(graph.clock, false);
  const RestingStage& stage = *made;
  graph.add(std::move(made), Role::processor);
  KeepingSink& slow = graph.sink();
  KeepingSink& beside = graph.sink();
  graph.source(500);
  KeepingSink& other = graph.sink();
  graph.edge(0, 1).bounds.depth = 8;
  graph.edge(1, 2);
  graph.edge(0, 3);
  graph.edge(4, 5);
  bool others_are_through = false;
  const FlowReport report = graph.run(64, nullptr, [&](FlowDriver&) {
    others_are_through = others_are_through || (other.numbers.size() == 500 && slow.numbers.size() < 100);
  });
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(slow.numbers, counted(0, 500));
  EXPECT_EQ(beside.numbers, counted(0, 500));
  EXPECT_TRUE(others_are_through) << "a source that does not lead to it is not held up";
  EXPECT_GE(stage.calls, 500U / 8);
  EXPECT_EQ(report.stages[1].rests, stage.calls);
  EXPECT_EQ(report.stages[1].rested_ns, stage.calls * RestingStage::rest_ns);
  EXPECT_EQ(report.stages[0].rests, 0U);
  EXPECT_GE(report.streams[0].backpressure_events, 1U) << "its stream fills meanwhile";
  EXPECT_LE(report.streams[0].depth_max, 8U);
}

TEST(FlowGraph, LetsASinkRestBeforeItCompletes) {
  Graph graph;
  graph.source(10);
  graph.add(std::make_unique<RestingStage>(graph.clock, true), Role::sink);
  graph.edge(0, 1);
  const FlowReport report = graph.run();
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.fates[Fate::delivered], 10U);
}

TEST(FlowGraph, LetsEachOfSeveralInstancesRestForItself) {
  Graph graph;
  graph.source(300);
  graph.add(std::make_unique<RestingStage>(graph.clock, false), Role::processor);
  for (int i = 0; i < 2; ++i) graph.node(1).more.push_back(std::make_unique<RestingStage>(graph.clock, false));
  KeepingSink& sink = graph.sink();
  graph.edge(0, 1).bounds.depth = 8;
  graph.edge(1, 2);
  ReversingExecutor executor;
  std::size_t most = 0;
  const FlowReport report = graph.run(64, &executor, [&](FlowDriver&) {
    most = std::max(most, executor.waiting());
    executor.run_one();
  });
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(sink.numbers, counted(0, 300));
  EXPECT_GE(most, 2U) << "one that rests does not keep the others from work";
  EXPECT_GE(report.stages[1].rests, 10U);
}

class AckedSource final : public Stage {
 public:
  explicit AckedSource(std::uint64_t elements, std::vector<std::uint64_t>& acks)
      : source_({.pool = &test_pool(), .elements = elements, .run_max = 5}), acks_(acks) {}
  Status start() override { return {}; }
  StageOutcome pull(const PullLimits& limits, resources::Run& out) noexcept override {
    return source_.pull(limits, out);
  }
  bool wants_acks() const noexcept override { return true; }
  void acknowledge(std::uint64_t up_to) noexcept override { acks_.push_back(up_to); }
  void finish(bool) noexcept override {}
  std::string_view path() const noexcept override { return "test"; }

 private:
  FakeSource source_;
  std::vector<std::uint64_t>& acks_;
};

TEST(FlowGraph, TellsASourceInOrderHowFarItsElementsHaveMetTheirFates) {
  Graph graph;
  std::vector<std::uint64_t> acks;
  graph.add(std::make_unique<AckedSource>(100, acks), Role::source);
  graph.stage([](Element& element, resources::Run& out) {
    return fake_number(element) % 10 == 0 ? StageStatus::ok : pass_on(element, out);
  });
  graph.sink();
  graph.run();
  ASSERT_FALSE(acks.empty());
  EXPECT_TRUE(std::ranges::is_sorted(acks));
  EXPECT_EQ(acks.back(), 100U);
}

TEST(FlowGraph, AcksNothingOfWhatAFailureCancelled) {
  Graph graph;
  std::vector<std::uint64_t> acks;
  graph.add(std::make_unique<AckedSource>(100, acks), Role::source);
  graph.stage([](Element& element,
                 resources::Run&) { return fake_number(element) == 50 ? StageStatus::failed : StageStatus::ok; },
              Role::sink);
  const FlowReport report = graph.run();
  EXPECT_EQ(report.state, FlowState::failed);
  ASSERT_FALSE(acks.empty());
  EXPECT_LE(acks.back(), 50U);
}

}  // namespace
}  // namespace torvyn::reactor
