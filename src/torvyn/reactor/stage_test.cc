#include "torvyn/reactor/stage.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <thread>

#include "torvyn/reactor/test_flow.h"

namespace torvyn::reactor {
namespace {

bool readable(const Interrupt& interrupt, int wait_ms) {
  pollfd wait{.fd = interrupt.fd(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, wait_ms) == 1;
}

TEST(Interrupt, IsReadableOnceRaisedAndStaysSo) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.raised());
  EXPECT_FALSE(readable(interrupt, 0));
  interrupt.raise();
  interrupt.raise();
  EXPECT_TRUE(interrupt.raised());
  EXPECT_TRUE(readable(interrupt, 0));
  EXPECT_TRUE(readable(interrupt, 0));
}

TEST(Interrupt, EndsAWaitOfAnotherThread) {
  Interrupt interrupt;
  const std::jthread raiser([&] { interrupt.raise(); });
  EXPECT_TRUE(readable(interrupt, 60'000));
}

TEST(Interrupt, LeavesErrnoAsItWas) {
  Interrupt interrupt;
  errno = EXDEV;
  interrupt.raise();
  EXPECT_EQ(errno, EXDEV);
}

// A stage that says no more than it must.
class PlainStage final : public Stage {
 public:
  Status start() override { return {}; }
  void finish(bool) noexcept override {}
  std::string_view path() const noexcept override { return "plain"; }
};

TEST(Stage, HasNothingToSayUnlessItSaysSo) {
  PlainStage stage;
  resources::Run out;
  stage.notify_backpressure(true);
  EXPECT_EQ(stage.flush(out).status, StageStatus::end_of_stream);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(stage.complete());
  EXPECT_EQ(stage.copies()[0].copies, 0U);
  EXPECT_EQ(stage.memory_bytes(), 0U);
  EXPECT_EQ(stage.leftover(), "");
  EXPECT_EQ(stage.describe_element(3), "");
}

TEST(StageDeathTest, IsABugToCallForAnotherRole) {
  PlainStage stage;
  resources::Run out;
  EXPECT_DEATH(stage.pull({}, out), "pull on a stage that is no source");
  EXPECT_DEATH(stage.process({}, out), "process on a stage");
  EXPECT_DEATH(stage.push({}), "push on a stage that is no sink");
  EXPECT_DEATH((void)stage.element_error(), "element_error of a stage that reports none");
  EXPECT_DEATH((void)stage.failure(), "failure of a stage that has not failed");
}

// ---- fakes --------------------------------------------------------------------------------------------------------------

std::vector<std::uint64_t> numbers_of(const Run& run) {
  std::vector<std::uint64_t> numbers;
  for (const Element& element : run) numbers.push_back(fake_number(element));
  return numbers;
}

Run pulled(std::uint64_t elements) {
  FakeSource source({.pool = &test_pool(), .elements = elements});
  resources::Run run;
  EXPECT_EQ(source.pull({}, run).status, StageStatus::end_of_stream);
  return run;
}

TEST(FakeSource, GivesWhatItWasAskedForAndThenEnds) {
  FakeSource source({.pool = &test_pool(), .elements = 5});
  resources::Run run;
  EXPECT_EQ(source.pull({.elements_max = 3}, run).status, StageStatus::ok);
  EXPECT_EQ(numbers_of(run), counted(0, 3));
  run.clear();
  EXPECT_EQ(source.pull({.elements_max = 2}, run).status, StageStatus::ok);
  EXPECT_EQ(numbers_of(run), counted(3, 5));
  run.clear();
  EXPECT_EQ(source.pull({.elements_max = 2}, run).status, StageStatus::end_of_stream);
  EXPECT_TRUE(run.empty());
}

TEST(FakeSource, StopsAtTheBytes) {
  FakeSource source({.pool = &test_pool(), .elements = 5, .payload_bytes = [](std::uint64_t) { return 100U; }});
  resources::Run run;
  EXPECT_EQ(source.pull({.bytes_max = 150}, run).status, StageStatus::ok);
  EXPECT_EQ(run.size(), 2U);
}

TEST(FakeSource, FollowsItsSteps) {
  FakeSource source({.pool = &test_pool(),
                     .elements = 9,
                     .steps = {{.at = 0, .act = FakeAct::nothing_yet, .count = 2},
                               {.at = 1, .act = FakeAct::error, .kind = ProcessErrorKind::unavailable},
                               {.at = 3, .act = FakeAct::nothing_yet},
                               {.at = 4, .act = FakeAct::fail}}});
  resources::Run run;
  EXPECT_EQ(source.pull({}, run).status, StageStatus::nothing_yet);
  EXPECT_EQ(source.pull({}, run).status, StageStatus::nothing_yet);
  EXPECT_EQ(source.pull({}, run).status, StageStatus::element_error);
  EXPECT_EQ(source.element_error().kind, ProcessErrorKind::unavailable);
  EXPECT_EQ(numbers_of(run), counted(0, 1));
  EXPECT_EQ(source.pull({}, run).status, StageStatus::ok) << "nothing yet, but some before";
  EXPECT_EQ(numbers_of(run), counted(0, 3));
  EXPECT_EQ(source.pull({}, run).status, StageStatus::failed);
  EXPECT_EQ(numbers_of(run), counted(0, 4));
  EXPECT_EQ(source.failure().code(), ErrorCode::component_trapped);
}

TEST(FakeStage, FollowsItsSteps) {
  FakeStage stage({.steps = {{.at = 1, .act = FakeAct::drop},
                             {.at = 2, .act = FakeAct::expand, .count = 2},
                             {.at = 3},
                             {.at = 5, .act = FakeAct::fail}}});
  resources::Run in = pulled(6);
  const std::span<Element> all = in;
  resources::Run out;
  const StageOutcome first = stage.process(all, out);
  EXPECT_EQ(first.status, StageStatus::element_error);
  EXPECT_EQ(first.done, 3U);
  EXPECT_EQ(numbers_of(out), (std::vector<std::uint64_t>{0, 2, 2}));
  const StageOutcome second = stage.process(all.subspan(4), out);
  EXPECT_EQ(second.status, StageStatus::failed);
  EXPECT_EQ(second.done, 1U);
  EXPECT_EQ(second.charged, 1U);
  EXPECT_EQ(numbers_of(out), (std::vector<std::uint64_t>{0, 2, 2, 4}));
}

TEST(FakeStage, FailsWithTheWholeRunWhereToldTo) {
  FakeStage stage({.whole_run = true, .steps = {{.at = 2, .act = FakeAct::fail}}});
  resources::Run in = pulled(4);
  resources::Run out;
  const StageOutcome outcome = stage.process(in, out);
  EXPECT_EQ(outcome.status, StageStatus::failed);
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_EQ(outcome.charged, 4U);
  EXPECT_TRUE(out.empty());
}

TEST(FakeStage, CollectsGroupsAndFlushesTheRest) {
  FakeStage stage({.group = 3, .flush_run = 1});
  resources::Run in = pulled(5);
  resources::Run out;
  EXPECT_EQ(stage.process(in, out).status, StageStatus::ok);
  EXPECT_EQ(numbers_of(out), counted(2, 3));
  EXPECT_EQ(out[0].lineage, resources::no_lineage);
  EXPECT_EQ(stage.flush(out).status, StageStatus::ok);
  EXPECT_EQ(stage.flush(out).status, StageStatus::end_of_stream);
  EXPECT_EQ(numbers_of(out), counted(2, 5));
}

TEST(FakeSink, FollowsItsSteps) {
  FakeSink sink({.steps = {{.at = 0, .act = FakeAct::refuse},
                           {.at = 1, .act = FakeAct::pause},
                           {.at = 2},
                           {.at = 4, .act = FakeAct::close}}});
  resources::Run in = pulled(5);
  const std::span<Element> all = in;
  const auto push = [&](std::size_t from, StageStatus status, std::uint32_t done) {
    const StageOutcome outcome = sink.push(all.subspan(from));
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.done, done);
  };
  push(0, StageStatus::pause, 0);
  push(0, StageStatus::pause, 2);
  push(2, StageStatus::element_error, 0);
  push(3, StageStatus::closed, 1);
  EXPECT_EQ(sink.count(), 3U);
  ASSERT_EQ(sink.received().size(), 3U);
  EXPECT_EQ(sink.received()[2].number, 3U);
  ASSERT_EQ(sink.runs().size(), 4U);
  EXPECT_EQ(sink.runs()[1].elements, 5U);
  EXPECT_EQ(sink.runs()[1].bytes, 40U);
}

}  // namespace
}  // namespace torvyn::reactor
