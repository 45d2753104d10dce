#include "torvyn/connectors/generate_source.h"

#include "torvyn/connectors/test_stages.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

using Generate = StageTest;

TEST_F(Generate, NumbersItsElementsFromZero) {
  const auto source = started(Position::source, "generate", {{"", "3"}});
  EXPECT_THAT(pull_all(*source), ElementsAre("hello 0\n", "hello 1\n", "hello 2\n"));
}

TEST_F(Generate, PutsTheNumberWhereverTheTextSays) {
  const auto source = started(Position::source, "generate", {{"count", "11"}, {"text", "{n}:{m} {n"}});
  EXPECT_EQ(pull_all(*source).back(), "10:{m} {n");
  const auto both = started(Position::source, "generate", {{"count", "2"}, {"text", "{n}{n}"}});
  EXPECT_THAT(pull_all(*both), ElementsAre("00", "11"));
}

TEST_F(Generate, EndsAtOnceWithACountOfZero) {
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "0"}})), SizeIs(0));
}

TEST_F(Generate, HasNoEndWithoutACount) {
  const auto source = started(Position::source, "generate");
  resources::Run run;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(source->pull({}, run).status, StageStatus::ok);
    ASSERT_EQ(run.size(), 64U);
    resources::clear_run(run);
  }
}

TEST_F(Generate, FillsUpToTheSizeAndKeepsTheLineFeedLast) {
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "2"}, {"size", "12"}})),
              ElementsAre("hello 0....\n", "hello 1....\n"));
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "1"}, {"size", "5"}, {"text", "ab"}})),
              ElementsAre("ab..."));
}

TEST_F(Generate, CutsToTheSize) {
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "1"}, {"size", "4"}})), ElementsAre("hel\n"));
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "2"}, {"size", "1"}})), ElementsAre("\n", "\n"));
  EXPECT_THAT(pull_all(*started(Position::source, "generate", {{"", "2"}, {"size", "0"}})), ElementsAre("", ""));
}

TEST_F(Generate, GivesRunsOfSlicesOfOneBuffer) {
  const auto source = started(Position::source, "generate", {{"size", "16"}});
  resources::Run run;
  ASSERT_EQ(source->pull({}, run).status, StageStatus::ok);
  ASSERT_THAT(run, SizeIs(64));
  for (std::size_t i = 0; i < run.size(); ++i) {
    EXPECT_TRUE(run[i].payload.same_buffer(run[0].payload));
    EXPECT_EQ(run[i].payload.offset(), 16 * i);
    EXPECT_EQ(content_types_.text(run[i].meta.content_type), "text/plain");
    EXPECT_EQ(run[i].payload.content_type(), run[i].meta.content_type);
    EXPECT_EQ(run[i].payload.state(), resources::BufferState::in_transit);
  }
  EXPECT_EQ(run[0].payload.references(), 64U);
  EXPECT_EQ(live_buffers(), 1U);
  resources::clear_run(run);
  EXPECT_EQ(live_buffers(), 0U);
}

TEST_F(Generate, KeepsToTheLimits) {
  const auto source = started(Position::source, "generate", {{"size", "1000"}});
  resources::Run run;
  source->pull({.elements_max = 5, .bytes_max = 1 << 20}, run);
  EXPECT_THAT(run, SizeIs(5));
  run.clear();
  source->pull({.elements_max = 64, .bytes_max = 3999}, run);
  EXPECT_THAT(run, SizeIs(3));
  run.clear();
  source->pull({.elements_max = 64, .bytes_max = 1}, run);
  EXPECT_THAT(run, SizeIs(1));
}

TEST_F(Generate, MakesPayloadsUpToTheLargestBuffer) {
  context_.max_buffer_bytes = 3 << 20;
  const auto source = started(Position::source, "generate", {{"", "2"}, {"size", "3MiB"}});
  EXPECT_THAT(pull_all(*source), Each(SizeIs(3 << 20)));
}

TEST_F(Generate, WorksWithAPoolOfTinyBuffers) {
  auto pool = resources::BufferPool::create({.max_buffer_bytes = 64});
  ASSERT_TRUE(pool);
  context_.pool = pool->get();
  const auto source = started(Position::source, "generate", {{"", "9"}, {"size", "20"}});
  EXPECT_THAT(pull_all(*source), SizeIs(9));
}

TEST_F(Generate, FailsWhereThePoolIsExhausted) {
  auto pool = resources::BufferPool::create({.kept = {1, 1, 1, 1}, .fallback_alloc = false});
  ASSERT_TRUE(pool);
  context_.pool = pool->get();
  const auto source = started(Position::source, "generate");
  resources::Run run;
  ASSERT_EQ(source->pull({}, run).status, StageStatus::ok);
  ASSERT_EQ(source->pull({}, run).status, StageStatus::failed);
  EXPECT_EQ(source->failure().code(), ErrorCode::pool_exhausted);
}

TEST_F(Generate, KeepsToTheRateAndCatchesUp) {
  ManualClock clock;
  context_.clock = &clock;
  const auto source = started(Position::source, "generate", {{"", "100"}, {"rate", "1000"}});
  resources::Run run;
  EXPECT_EQ(source->pull({}, run).status, StageStatus::ok);
  EXPECT_THAT(run, SizeIs(1)) << "the first is due at once";
  EXPECT_EQ(source->pull({}, run).status, StageStatus::nothing_yet) << "after waiting, the clock still stands";
  EXPECT_THAT(run, SizeIs(1));
  clock.advance_ns(5'500'000);
  EXPECT_EQ(source->pull({}, run).status, StageStatus::ok);
  EXPECT_THAT(run, SizeIs(6)) << "those due at 1, 2, 3, 4 and 5 ms";
  clock.advance_ns(1'000'000'000);
  run.clear();
  EXPECT_EQ(source->pull({}, run).status, StageStatus::ok);
  EXPECT_THAT(run, SizeIs(64));
  EXPECT_EQ(source->pull({}, run).status, StageStatus::end_of_stream);
  EXPECT_THAT(run, SizeIs(94));
}

TEST_F(Generate, WaitsForTheNextElementOfItsRate) {
  const auto source = started(Position::source, "generate", {{"rate", "100"}});
  resources::Run run;
  source->pull({}, run);
  const auto before_ns = SystemClock::instance().monotonic_ns();
  while (run.size() < 3) ASSERT_NE(source->pull({}, run).status, StageStatus::failed);
  EXPECT_GE(SystemClock::instance().monotonic_ns() - before_ns, 15'000'000U);
}

TEST_F(Generate, StopsWaitingWhenInterrupted) {
  const auto source = started(Position::source, "generate", {{"rate", "0.001"}});
  resources::Run run;
  source->pull({}, run);
  interrupt_.raise();
  EXPECT_EQ(source->pull({}, run).status, StageStatus::nothing_yet);
  EXPECT_THAT(run, SizeIs(1));
}

}  // namespace
}  // namespace torvyn::connectors
