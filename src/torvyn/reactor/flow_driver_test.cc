#include "torvyn/reactor/flow_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>

#include "torvyn/reactor/test_flow.h"

namespace torvyn::reactor {
namespace {

using contracts::Role;
using observability::Fate;
using observability::FlowProgress;
using observability::FlowReport;
using observability::FlowState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MiddleSpec processor(std::vector<FakeStep> steps = {}) { return {.fake = {.steps = std::move(steps)}}; }

MiddleSpec aggregator(std::uint32_t group, std::vector<FakeStep> steps = {}) {
  return {.role = Role::aggregator, .fake = {.group = group, .steps = std::move(steps)}};
}

std::vector<std::size_t> sizes_of(const std::vector<FakeRun>& runs) {
  std::vector<std::size_t> sizes;
  for (const FakeRun& run : runs) sizes.push_back(run.elements);
  return sizes;
}

// ---- lifecycle ----------------------------------------------------------------------------------------------------------

TEST(FlowDriver, CallsWhatComesOnceInOrder) {
  const Ran ran = run_flow({.source = {.elements = 5}, .middle = {processor(), aggregator(3)}});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_THAT(ran.journal,
              ElementsAre("source.start", "stage1.start", "stage2.start", "sink.start", "stage2.flush", "sink.complete",
                          "source.finish", "stage1.finish", "stage2.finish", "sink.finish"));
}

TEST(FlowDriver, EndsStagesThatStartedWhenALaterOneDoesNot) {
  for (std::size_t at = 0; at < 4; ++at) {
    FlowSpec spec{.source = {.elements = 5}, .middle = {processor(), aggregator(2)}};
    (at == 0 ? spec.source.start_fails : at == 3 ? spec.sink.start_fails : spec.middle[at - 1].fake.start_fails) = true;
    const Ran ran = run_flow(spec);
    const std::vector<std::string> nodes = {"source", "stage1", "stage2", "sink"};
    FakeJournal expected;
    for (std::size_t i = 0; i <= at; ++i) expected.push_back(nodes[i] + ".start");
    for (std::size_t i = 0; i <= at; ++i) expected.push_back(nodes[i] + ".finish (not orderly)");
    EXPECT_EQ(ran.journal, expected);
    EXPECT_EQ(ran.report.state, FlowState::failed);
    ASSERT_TRUE(ran.report.error);
    EXPECT_EQ(ran.report.error->code(), ErrorCode::init_failed);
    EXPECT_EQ(ran.report.error->detail().node, nodes[at]);
    EXPECT_EQ(ran.report.fates.pulled, 0U);
  }
}

TEST(FlowDriver, FlushesAndCompletesNothingAfterAFailure) {
  const Ran ran =
      run_flow({.source = {.elements = 5}, .middle = {aggregator(2), processor({{.at = 1, .act = FakeAct::fail}})}});
  EXPECT_EQ(ran.report.state, FlowState::failed);
  EXPECT_THAT(ran.journal,
              ElementsAre("source.start", "stage1.start", "stage2.start", "sink.start", "source.finish (not orderly)",
                          "stage1.finish (not orderly)", "stage2.finish (not orderly)", "sink.finish (not orderly)"));
}

TEST(FlowDriver, FailsWhereTheSinkCannotComplete) {
  const Ran ran =
      run_flow({.source = {.elements = 2}, .sink = {.complete_fails = true, .leftover = "out.partial kept"}});
  EXPECT_EQ(ran.report.state, FlowState::failed);
  ASSERT_TRUE(ran.report.error);
  EXPECT_EQ(ran.report.error->code(), ErrorCode::complete_failed);
  EXPECT_EQ(ran.report.error->detail().consequence, "flow failed; 2 delivered, 0 failed, out.partial kept");
  EXPECT_EQ(ran.report.stages.back().errors, 1U);
  EXPECT_EQ(ran.journal.back(), "sink.finish (not orderly)");
}

// ---- fates --------------------------------------------------------------------------------------------------------------

TEST(FlowDriver, KeepsTheHeaviestFateOfAnElementsBranches) {
  // Element 0 becomes three: the second is skipped by the next stage. Of element 1 nothing comes. Element 2 passes.
  MiddleSpec skipping = processor({{.at = 1, .act = FakeAct::error}});
  skipping.skip = true;
  const Ran ran =
      run_flow({.source = {.elements = 3},
                .middle = {processor({{.at = 0, .act = FakeAct::expand, .count = 3}, {.at = 1, .act = FakeAct::drop}}),
                           skipping}});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_THAT(ran.numbers(), ElementsAre(0, 0, 2));
  EXPECT_EQ(ran.fate(Fate::skipped), 1U);
  EXPECT_EQ(ran.fate(Fate::filtered), 1U);
  EXPECT_EQ(ran.fate(Fate::delivered), 1U);
}

TEST(FlowDriver, DeliversWhatWasProducedBeforeAnError) {
  const Ran ran =
      run_flow({.source = {.elements = 10},
                .middle = {processor({{.at = 6, .act = FakeAct::error, .kind = ProcessErrorKind::invalid_input}})}});
  EXPECT_EQ(ran.report.state, FlowState::failed);
  EXPECT_EQ(ran.numbers(), counted(0, 6));
  EXPECT_EQ(ran.fate(Fate::failed), 1U);
  EXPECT_EQ(ran.fate(Fate::cancelled), 3U);
}

TEST(FlowDriver, DeliversWhatASourceGaveBeforeItFailed) {
  const Ran ran =
      run_flow({.source = {.elements = 10, .steps = {{.at = 4, .act = FakeAct::fail}}}, .middle = {processor()}});
  EXPECT_EQ(ran.report.state, FlowState::failed);
  EXPECT_EQ(ran.numbers(), counted(0, 4));
  ASSERT_TRUE(ran.report.error);
  EXPECT_EQ(ran.report.error->detail().node, "source");
  EXPECT_EQ(ran.report.error->detail().element, std::nullopt);
  EXPECT_EQ(ran.fate(Fate::delivered), 4U);
}

TEST(FlowDriver, ChargesAllOfACallThatFailedAsAWhole) {
  FlowSpec spec{.source = {.elements = 10}, .middle = {processor({{.at = 6, .act = FakeAct::fail}})}, .max_batch = 4};
  spec.middle[0].fake.whole_run = true;
  const Ran ran = run_flow(spec);
  EXPECT_EQ(ran.numbers(), counted(0, 4));
  EXPECT_EQ(ran.fate(Fate::delivered), 4U);
  EXPECT_EQ(ran.fate(Fate::failed), 4U);
  EXPECT_EQ(ran.report.stages[1].elements_in, 8U);
}

TEST(FlowDriver, SaysWhereAnErrorHappened) {
  const Ran ran =
      run_flow({.source = {.elements = 100, .run_max = 7, .payload_bytes = [](std::uint64_t) { return 20U; }},
                .sink = {.steps = {{.at = 65, .act = FakeAct::error, .kind = ProcessErrorKind::unavailable}}}});
  ASSERT_TRUE(ran.report.error);
  const ErrorDetail& detail = ran.report.error->detail();
  EXPECT_EQ(ran.report.error->code(), ErrorCode::element_failed);
  EXPECT_EQ(detail.message, "unavailable: as scripted");
  EXPECT_THAT(detail.hint, HasSubstr("on_error"));
  EXPECT_EQ(detail.flow, "test");
  EXPECT_EQ(detail.node, "sink");
  EXPECT_EQ(detail.component, "sink.wasm");
  EXPECT_EQ(detail.element, 65U);
  EXPECT_EQ(detail.element_bytes, 20U);
  EXPECT_EQ(detail.element_place, "fake element 65");
  EXPECT_EQ(detail.consequence, "flow failed; 65 delivered, 1 failed");
}

TEST(FlowDriver, EndsWhenTheReaderWentAway) {
  const Ran ran =
      run_flow({.source = {.elements = 100}, .sink = {.steps = {{.at = 10, .act = FakeAct::close}}}, .max_batch = 8});
  EXPECT_EQ(ran.report.state, FlowState::closed);
  EXPECT_FALSE(ran.report.error);
  EXPECT_EQ(ran.numbers(), counted(0, 10));
  EXPECT_EQ(ran.fate(Fate::cancelled), 6U);
  EXPECT_EQ(ran.journal.back(), "sink.finish (not orderly)");
}

// ---- skipping -----------------------------------------------------------------------------------------------------------

TEST(FlowDriver, SkipsAndGoesOn) {
  MiddleSpec stage = processor({{.at = 2}, {.at = 3}, {.at = 9}});
  stage.skip = true;
  const Ran ran = run_flow({.source = {.elements = 10}, .middle = {stage}});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_THAT(ran.numbers(), ElementsAre(0, 1, 4, 5, 6, 7, 8));
  EXPECT_EQ(ran.fate(Fate::skipped), 3U);
  EXPECT_EQ(ran.report.errors(), 3U);
  ASSERT_EQ(ran.report.skipped.size(), 3U);
  EXPECT_EQ(ran.report.skipped[1].detail().element, 3U);
}

TEST(FlowDriver, PullsAgainWhereASourcesErrorIsSkipped) {
  const Ran ran = run_flow(
      {.source = {.elements = 5, .steps = {{.at = 2, .act = FakeAct::error, .count = 3}}}, .source_skip = true});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_EQ(ran.numbers(), counted(0, 5));
  EXPECT_EQ(ran.report.errors(), 3U);
  EXPECT_EQ(ran.fate(Fate::skipped), 0U) << "no element came";
}

TEST(FlowDriver, NeverSkipsAFatalError) {
  MiddleSpec stage = processor({{.at = 2, .act = FakeAct::error, .kind = ProcessErrorKind::fatal}});
  stage.skip = true;
  const Ran ran = run_flow({.source = {.elements = 10}, .middle = {stage}});
  EXPECT_EQ(ran.report.state, FlowState::failed);
  ASSERT_TRUE(ran.report.error);
  EXPECT_EQ(ran.report.error->code(), ErrorCode::component_fatal);
  EXPECT_THAT(ran.report.skipped, IsEmpty());
}

TEST(FlowDriver, FailsWithTheFirstErrorBeyondTheMostAllowed) {
  for (const std::uint64_t most : {0U, 1U, 2U}) {
    MiddleSpec stage = processor({{.at = 2}, {.at = 4}, {.at = 6}});
    stage.skip = true;
    const Ran ran = run_flow({.source = {.elements = 10}, .middle = {stage}, .errors_max = most});
    EXPECT_EQ(ran.report.state, FlowState::failed);
    EXPECT_EQ(ran.fate(Fate::skipped), most);
    EXPECT_EQ(ran.fate(Fate::failed), 1U);
    EXPECT_EQ(ran.report.skipped.size(), most) << "the one that ended the flow was not skipped";
    ASSERT_TRUE(ran.report.error);
    EXPECT_EQ(ran.report.error->detail().element, 2 + 2 * most);
    EXPECT_EQ(ran.report.error->hint(), "--max-errors " + std::to_string(most) + " was reached");
  }
}

TEST(FlowDriver, KeepsTheFirstSkippedErrorsAndCountsTheOthers) {
  MiddleSpec stage = processor();
  stage.skip = true;
  for (std::uint64_t at = 0; at < 100; ++at) stage.fake.steps.push_back({.at = at});
  const Ran ran = run_flow({.source = {.elements = 100}, .middle = {stage}});
  EXPECT_EQ(ran.fate(Fate::skipped), 100U);
  ASSERT_EQ(ran.report.skipped.size(), 8U);
  EXPECT_EQ(ran.report.skipped.back().detail().element, 7U);
}

// ---- runs ---------------------------------------------------------------------------------------------------------------

TEST(FlowDriver, PullsExactlyTheLimit) {
  for (const std::uint64_t limit : {0U, 1U, 7U, 8U, 9U, 64U, 99U, 100U}) {
    const Ran ran = run_flow({.source = {.elements = 100}, .max_batch = 8, .elements_max = limit});
    EXPECT_EQ(ran.report.state, FlowState::limited);
    EXPECT_EQ(ran.numbers(), counted(0, limit));
    EXPECT_EQ(ran.report.fates.pulled, limit);
    EXPECT_EQ(ran.journal.back(), "sink.finish");
  }
  EXPECT_EQ(run_flow({.source = {.elements = 100}, .elements_max = 101}).report.state, FlowState::completed);
}

TEST(FlowDriver, DoesNotCountWhatAggregatorsMakeTowardsTheLimit) {
  const Ran ran =
      run_flow({.source = {.elements = 100}, .middle = {aggregator(1)}, .max_batch = 8, .elements_max = 50});
  EXPECT_EQ(ran.report.fates.pulled, 50U);
  EXPECT_EQ(ran.report.fates.created, 50U);
  EXPECT_EQ(ran.numbers(), counted(0, 50));
}

TEST(FlowDriver, HandsAtMostMaxBatchToAStage) {
  const Ran ran = run_flow({.source = {.elements = 20}, .middle = {processor()}, .max_batch = 8});
  EXPECT_THAT(sizes_of(ran.runs), ElementsAre(8, 8, 4));
}

TEST(FlowDriver, HandsAtMostMaxBatchBytesToAStageUnlessOneElementIsLarger) {
  // The second stage sees what the first made of one run, so a source that minds the bytes can't be what cuts it.
  const std::vector<std::uint32_t> sizes = {100, 100, 100, 1000, 100, 300, 10, 10};
  FlowSpec spec{
      .source = {.elements = sizes.size(), .payload_bytes = [&](std::uint64_t number) { return sizes[number]; }},
      .middle = {processor({{.at = 0, .act = FakeAct::expand, .count = 4}})},
      .max_batch_bytes = 300};
  const Ran ran = run_flow(spec);
  for (const FakeRun& run : ran.runs) EXPECT_TRUE(run.bytes <= 300 || run.elements == 1) << run.bytes;
  EXPECT_THAT(ran.numbers(), ElementsAre(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(ran.runs[0].elements, 3U);
  EXPECT_TRUE(std::any_of(ran.runs.begin(), ran.runs.end(), [](const FakeRun& run) { return run.bytes == 1000; }));
}

TEST(FlowDriver, CutsTheOutputsOfAnExpansionIntoRuns) {
  const Ran ran = run_flow({.source = {.elements = 2},
                            .middle = {processor({{.at = 1, .act = FakeAct::expand, .count = 20}})},
                            .max_batch = 8});
  EXPECT_THAT(sizes_of(ran.runs), ElementsAre(8, 8, 5));
  EXPECT_EQ(ran.fate(Fate::delivered), 2U);
  EXPECT_EQ(ran.report.stages[1].elements_out, 21U);
  EXPECT_EQ(ran.report.stages[2].elements_in, 21U);
}

TEST(FlowDriver, NumbersAndDatesElementsAtTheSource) {
  const Ran ran =
      run_flow({.source = {.elements = 20}, .middle = {processor({{.at = 3, .act = FakeAct::drop}})}, .max_batch = 8});
  ASSERT_EQ(ran.received.size(), 19U);
  for (const FakeReceived& one : ran.received) {
    EXPECT_EQ(one.meta.sequence, one.number);
    EXPECT_NE(one.meta.timestamp_ns, 0U);
  }
}

// ---- aggregators --------------------------------------------------------------------------------------------------------

TEST(FlowDriver, PassesOnWhatAggregatorsHeldWhenTheStreamEnds) {
  FlowSpec spec{.source = {.elements = 18}, .middle = {aggregator(5), processor()}};
  spec.middle[0].fake.flush_run = 2;
  const Ran ran = run_flow(spec);
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_THAT(ran.numbers(), ElementsAre(4, 9, 14, 15, 16, 17));
  EXPECT_EQ(ran.report.fates.created, 6U);
  EXPECT_EQ(ran.fate(Fate::absorbed), 18U);
  EXPECT_EQ(ran.fate(Fate::delivered), 0U) << "created elements are not among the pulled";
}

TEST(FlowDriver, GivesWhatAggregatorsMadeSequencesOfItsOwn) {
  const Ran ran = run_flow({.source = {.elements = 6}, .middle = {aggregator(4)}});
  ASSERT_EQ(ran.received.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ran.received[i].meta.sequence, 6 + i);
    EXPECT_NE(ran.received[i].meta.timestamp_ns, 0U);
    EXPECT_EQ(ran.received[i].lineage, resources::no_lineage);
  }
}

TEST(FlowDriver, FindsTheSourcesPlaceOfAnElementThatCameAfterCreatedOnes) {
  FlowSpec spec{.source = {.elements = 10, .run_max = 4}, .middle = {aggregator(2)}};
  spec.middle[0].fake.steps = {{.at = 7}};
  const Ran ran = run_flow(spec);
  ASSERT_TRUE(ran.report.error);
  EXPECT_EQ(ran.report.error->detail().element_place, "fake element 7");
  EXPECT_EQ(ran.report.error->detail().element, 9U) << "two were created before it";
}

TEST(FlowDriver, FlushesOneAggregatorIntoTheNext) {
  const Ran ran = run_flow({.source = {.elements = 5}, .middle = {aggregator(3), aggregator(2)}});
  // The first makes {2} while elements come, and at its end {3} and {4}; the second pairs them.
  EXPECT_THAT(ran.numbers(), ElementsAre(3, 4));
  EXPECT_EQ(ran.report.fates.created, 5U);
}

TEST(FlowDriver, FailsWhereAFlushFails) {
  for (const bool ends : {false, true}) {
    FlowSpec spec{.source = {.elements = 5}, .middle = {aggregator(3), aggregator(2)}};
    (ends ? spec.middle[0].fake.flush_fails : spec.middle[0].fake.flush_errors) = true;
    const Ran ran = run_flow(spec);
    EXPECT_EQ(ran.report.state, FlowState::failed);
    ASSERT_TRUE(ran.report.error);
    EXPECT_EQ(ran.report.error->code(), ends ? ErrorCode::component_trapped : ErrorCode::complete_failed);
    EXPECT_EQ(ran.report.error->detail().node, "stage1");
    EXPECT_THAT(ran.numbers(), IsEmpty());
    EXPECT_EQ(std::count(ran.journal.begin(), ran.journal.end(), "stage2.flush"), 0);
    EXPECT_EQ(std::count(ran.journal.begin(), ran.journal.end(), "sink.complete"), 0);
  }
}

// ---- waiting and stopping -----------------------------------------------------------------------------------------------

TEST(FlowDriver, WaitsForASinkThatPausesAndTellsTheSourceOnceEachWay) {
  const Ran ran = run_flow(
      {.source = {.elements = 600, .run_max = 2},
       .sink = {.steps = {{.at = 0, .act = FakeAct::pause}, {.at = 300, .act = FakeAct::refuse, .count = 3}}}});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_EQ(ran.numbers(), counted(0, 600));
  EXPECT_THAT(ran.journal, ElementsAre("source.start", "sink.start", "source.pause", "source.resume", "source.pause",
                                       "source.resume", "sink.complete", "source.finish", "sink.finish"));
  ASSERT_EQ(ran.report.streams.size(), 1U);
  EXPECT_EQ(ran.report.streams[0].backpressure_events, 2U);
  EXPECT_EQ(ran.report.streams[0].depth_max, 64U) << "the source goes on until the stream is full";
  EXPECT_GE(ran.report.streams[0].backpressure_ns, 1'000'000U);
}

TEST(FlowDriver, OffersAnElementAgainThatTheSinkDidNotTake) {
  const Ran ran =
      run_flow({.source = {.elements = 6}, .sink = {.steps = {{.at = 2, .act = FakeAct::refuse, .count = 3}}}});
  EXPECT_EQ(ran.numbers(), counted(0, 6));
  EXPECT_EQ(ran.report.streams[0].backpressure_events, 1U) << "one pause, however often it was asked";
  EXPECT_EQ(ran.report.stages[1].elements_in, 6U);
}

TEST(FlowDriver, TellsNothingToASourceThatHasFailed) {
  const Ran ran = run_flow({.source = {.elements = 6, .steps = {{.at = 3, .act = FakeAct::fail}}},
                            .sink = {.steps = {{.at = 1, .act = FakeAct::pause}}}});
  EXPECT_EQ(ran.numbers(), counted(0, 2));
  EXPECT_EQ(ran.fate(Fate::cancelled), 1U) << "what waited for the sink when the flow failed";
  EXPECT_EQ(std::count(ran.journal.begin(), ran.journal.end(), "source.resume"), 0);
}

TEST(FlowDriver, AsksASourceAgainThatHasNothingYet) {
  const Ran ran = run_flow({.source = {.elements = 4,
                                       .steps = {{.at = 0, .act = FakeAct::nothing_yet, .count = 2},
                                                 {.at = 3, .act = FakeAct::nothing_yet, .count = 3}}}});
  EXPECT_EQ(ran.report.state, FlowState::completed);
  EXPECT_EQ(ran.numbers(), counted(0, 4));
  EXPECT_EQ(ran.report.errors(), 0U);
  EXPECT_GE(ran.report.duration_ns, 3'000'000U) << "1 and 2 ms before the first";
}

TEST(FlowDriver, BeginsNothingWhereItWasStoppedBefore) {
  const Ran ran = run_flow({.source = {.elements = 10}, .middle = {aggregator(2)}}, {},
                           [](FlowDriver& driver) { driver.request_stop(FlowState::interrupted); });
  EXPECT_EQ(ran.report.state, FlowState::interrupted);
  EXPECT_EQ(ran.report.fates.pulled, 0U);
  EXPECT_EQ(ran.journal.back(), "sink.finish") << "an orderly end";
  EXPECT_EQ(std::count(ran.journal.begin(), ran.journal.end(), "sink.complete"), 1);
}

TEST(FlowDriver, TakesTheFirstReasonToStop) {
  const Ran ran = run_flow({.source = {.elements = 10}}, {}, [](FlowDriver& driver) {
    driver.request_stop(FlowState::limited);
    driver.request_stop(FlowState::interrupted);
  });
  EXPECT_EQ(ran.report.state, FlowState::limited);
}

TEST(FlowDriver, FinishesWhatIsInFlightWhenStoppedFromAnotherThread) {
  const FlowSpec endless{
      .source = {.elements = ~std::uint64_t{0}}, .middle = {processor(), aggregator(7)}, .sink = {.keep = false}};
  const Ran ran = run_flow(endless, [](FlowDriver& driver) {
    FlowProgress last;
    while (last.pulled < 10'000) {
      const FlowProgress now = driver.progress();
      EXPECT_GE(now.pulled, last.pulled);
      EXPECT_GE(now.elapsed_ns, last.elapsed_ns);
      last = now;
      std::this_thread::yield();
    }
    driver.request_stop(FlowState::interrupted);
  });
  EXPECT_EQ(ran.report.state, FlowState::interrupted);
  EXPECT_GE(ran.report.fates.pulled, 10'000U);
  EXPECT_EQ(ran.fate(Fate::absorbed), ran.report.fates.pulled);
  EXPECT_EQ(ran.report.fates.created, ran.report.fates.pulled / 7 + ran.report.fates.pulled % 7);
  EXPECT_EQ(ran.journal.back(), "sink.finish");
}

TEST(FlowDriver, IsWokenFromWaitingForASource) {
  const Ran ran =
      run_flow({.source = {.elements = 10, .steps = {{.at = 5, .act = FakeAct::nothing_yet, .count = ~0U}}}},
               [](FlowDriver& driver) {
                 while (driver.progress().delivered < 5) std::this_thread::yield();
                 driver.request_stop(FlowState::limited);
               });
  EXPECT_EQ(ran.report.state, FlowState::limited);
  EXPECT_EQ(ran.numbers(), counted(0, 5));
}

TEST(FlowDriver, GoesOnAskingTheSinkWhenStoppedWhileItRefuses) {
  const Ran ran = run_flow({.source = {.elements = ~std::uint64_t{0}},
                            .sink = {.keep = false, .steps = {{.at = 70, .act = FakeAct::refuse, .count = 20}}}},
                           [](FlowDriver& driver) {
                             while (driver.progress().pulled < 70) std::this_thread::yield();
                             driver.request_stop(FlowState::interrupted);
                           });
  EXPECT_EQ(ran.report.state, FlowState::interrupted);
  EXPECT_EQ(ran.report.streams[0].backpressure_events, 1U);
  EXPECT_EQ(ran.fate(Fate::delivered), ran.report.fates.pulled) << "what is in flight is finished";
}

TEST(FlowDriver, ReportsBeforeWhileAndAfterItRuns) {
  const auto ask = [](FlowDriver& driver) {
    std::promise<FlowReport> given;
    driver.request_report([&given](FlowReport report) { given.set_value(std::move(report)); });
    return given.get_future().get();
  };
  std::optional<FlowReport> first;
  const Ran ran = run_flow(
      {.source = {.elements = ~std::uint64_t{0}}, .middle = {processor()}, .sink = {.keep = false}},
      [&](FlowDriver& driver) {
        while (driver.progress().delivered < 100) std::this_thread::yield();
        const FlowReport report = ask(driver);
        EXPECT_EQ(report.name, "test");
        EXPECT_EQ(report.state, FlowState::running);
        EXPECT_GE(report.fates[Fate::delivered], 100U);
        EXPECT_LE(report.fates.accounted(), report.fates.pulled);
        EXPECT_GT(report.duration_ns, 0U);
        ASSERT_EQ(report.stages.size(), 3U);
        EXPECT_GE(report.stages[1].elements_in, 100U);
        driver.request_stop(FlowState::interrupted);
        // Once it has ended, whenever that is.
        FlowReport last = ask(driver);
        while (last.state == FlowState::running) last = ask(driver);
        EXPECT_EQ(last.state, FlowState::interrupted);
        EXPECT_EQ(last.fates.accounted(), last.fates.pulled);
      },
      [&](FlowDriver& driver) { driver.request_report([&first](FlowReport report) { first = std::move(report); }); });
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, FlowState::running);
  EXPECT_EQ(first->fates.pulled, 0U);
}

TEST(FlowDriver, ReportsThoughItWaitsForItsSource) {
  const Ran ran = run_flow(
      {.source = {.elements = 10, .steps = {{.at = 5, .act = FakeAct::nothing_yet, .count = ~0U}}}},
      [](FlowDriver& driver) {
        while (driver.progress().delivered < 5) std::this_thread::yield();
        std::promise<std::uint64_t> delivered;
        driver.request_report([&](const FlowReport& report) { delivered.set_value(report.fates[Fate::delivered]); });
        EXPECT_EQ(delivered.get_future().get(), 5U);
        driver.request_stop(FlowState::limited);
      });
  EXPECT_EQ(ran.report.state, FlowState::limited);
}

// ---- what is counted ----------------------------------------------------------------------------------------------------

TEST(FlowDriver, CountsWhatWentThroughEachStage) {
  const Ran ran = run_flow(
      {.source = {.elements = 10},
       .middle = {processor({{.at = 1, .act = FakeAct::drop}, {.at = 5, .act = FakeAct::expand, .count = 4}})}});
  ASSERT_EQ(ran.report.stages.size(), 3U);
  EXPECT_EQ(ran.report.stages[0].elements_out, 10U);
  EXPECT_EQ(ran.report.stages[1].elements_in, 10U);
  EXPECT_EQ(ran.report.stages[1].elements_out, 12U);
  EXPECT_EQ(ran.report.stages[2].elements_in, 12U);
  EXPECT_EQ(ran.report.stages[1].role, "processor");
  EXPECT_EQ(ran.report.stages[1].path, "fake");
  ASSERT_EQ(ran.report.streams.size(), 2U);
  EXPECT_EQ(ran.report.streams[0].from, "source.output");
  EXPECT_EQ(ran.report.streams[0].to, "stage1.input");
  EXPECT_EQ(ran.report.streams[1].transferred, 12U);
}

}  // namespace
}  // namespace torvyn::reactor
