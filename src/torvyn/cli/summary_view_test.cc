#include "torvyn/cli/summary_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

using observability::Fate;
using observability::FlowReport;
using observability::FlowState;
using resources::CopyKind;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void set(FlowReport& report, Fate fate, std::uint64_t count) {
  report.fates.fates[static_cast<std::size_t>(fate)] = count;
  report.fates.pulled += count;
}

void set(observability::StageReport& stage, CopyKind kind, std::uint64_t copies, std::uint64_t bytes) {
  stage.copies[static_cast<std::size_t>(kind)] = {copies, bytes};
}

FlowReport uppercase_run() {
  FlowReport report;
  report.name = "main";
  report.state = FlowState::completed;
  report.duration_ns = 1'460'000'000;
  set(report, Fate::delivered, 499'993);
  set(report, Fate::skipped, 7);
  report.stages.resize(3);
  auto& source = report.stages[0];
  source = {.node = "file", .component = "builtin:file", .role = "source", .path = "builtin", .contract = ""};
  source.elements_out = 500'000;
  source.p50_ns = 50;
  source.p99_ns = 200;
  auto& upper = report.stages[1];
  upper = {.node = "upper", .component = "upper.wasm", .role = "processor", .path = "typed", .contract = "element"};
  upper.elements_in = 500'000;
  upper.elements_out = 499'993;
  upper.errors = 7;
  upper.p50_ns = 190;
  upper.p99_ns = 410;
  set(upper, CopyKind::guest_read, 500'000, 61 << 20);
  set(upper, CopyKind::guest_write, 499'993, 61 << 20);
  auto& sink = report.stages[2];
  sink = {.node = "out.log", .component = "builtin:file", .role = "sink", .path = "builtin", .contract = ""};
  sink.elements_in = 499'993;
  sink.p50_ns = 60;
  sink.p99_ns = 300;
  report.pools.tiers[0].allocated = 1000;
  report.pools.tiers[0].reused = 1000;
  Error error(ErrorCode::element_failed, "invalid-input: not UTF-8 at byte 14");
  error.detail().node = "upper";
  error.detail().element = 3120;
  report.skipped.push_back(std::move(error));
  return report;
}

TEST(DrawSummary, LooksAsPromised) {
  EXPECT_EQ(draw_summary(uppercase_run(), Palette()),
            "completed in 1.46 s: 500,000 pulled = 499,993 delivered + 7 skipped\n"
            " stage    path     in       out      errors  p50      p99      copies\n"
            " file     builtin  -        500,000  0       0.05 µs  0.2 µs   -\n"
            " upper    typed    500,000  499,993  7       0.19 µs  0.41 µs  500,000 read + 499,993 written, 122 MiB\n"
            " out.log  builtin  499,993  -        0       0.06 µs  0.3 µs   -\n"
            "buffers 100 % reused · first error: upper, element 3,120, invalid-input: not UTF-8 at byte 14\n");
}

TEST(DrawSummary, SaysHowAFlowEnded) {
  FlowReport report;
  report.duration_ns = 1'000'000;
  const auto first_words = [&report](FlowState state) {
    report.state = state;
    return draw_summary(report, Palette());
  };
  EXPECT_THAT(first_words(FlowState::closed), StartsWith("stopped: the reader closed the pipe after 1 ms: 0 pulled\n"));
  EXPECT_THAT(first_words(FlowState::interrupted), StartsWith("interrupted after 1 ms: "));
  EXPECT_THAT(first_words(FlowState::failed), StartsWith("failed after 1 ms: "));
  EXPECT_THAT(first_words(FlowState::cancelled), StartsWith("cancelled after 1 ms: "));
  report.notes = {"stopped by --limit 7", "out.log.partial kept"};
  EXPECT_THAT(first_words(FlowState::limited), StartsWith("stopped by --limit 7 after 1 ms: "));
  EXPECT_THAT(first_words(FlowState::limited), HasSubstr("\nout.log.partial kept\n"));
}

TEST(DrawSummary, CountsEveryFateThatWasMet) {
  FlowReport report;
  report.state = FlowState::failed;
  for (int fate = 0; fate < observability::fate_count; ++fate)
    set(report, static_cast<Fate>(fate), static_cast<unsigned>(fate) + 1);
  report.fates.created = 12;
  EXPECT_THAT(draw_summary(report, Palette()),
              HasSubstr("36 pulled = 3 delivered + 1 filtered + 2 absorbed + 4 skipped + 6 dropped + 7 dead-lettered + "
                        "8 failed + 5 cancelled; 12 created\n"));
}

TEST(DrawSummary, NamesCopiesOfEveryKind) {
  FlowReport report = uppercase_run();
  auto& stage = report.stages[1];
  stage.copies = {};
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("0.41 µs  0\n"));
  set(stage, CopyKind::host_clone, 3, 1024);
  set(stage, CopyKind::host_gather, 2, 1024);
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("3 cloned + 2 gathered, 2 KiB\n"));
}

TEST(DrawSummary, NamesTheFlowWhereItIsOneOfSeveral) {
  EXPECT_THAT(draw_summary(uppercase_run(), Palette(), {.named = true}), StartsWith("main completed in 1.46 s: "));
}

TEST(DrawSummary, TellsHowOftenTheFlowWasRestarted) {
  FlowReport report = uppercase_run();
  report.restarts = 1;
  EXPECT_THAT(draw_summary(report, Palette()), StartsWith("completed in 1.46 s, restarted once: 500,000 pulled"));
  report.restarts = 1200;
  EXPECT_THAT(draw_summary(report, Palette()), StartsWith("completed in 1.46 s, restarted 1,200 times: "));
}

TEST(DrawSummary, HasAColumnForRestartsWhereThereWereSome) {
  FlowReport report = uppercase_run();
  report.stages[1].restarts = 2;
  report.stages[1].instances = 4;
  EXPECT_THAT(draw_summary(report, Palette()),
              HasSubstr(" stage    path      in       out      errors  restarts  p50      p99      copies\n"
                        " file     builtin   -        500,000  0       0         0.05 µs  0.2 µs   -\n"
                        " upper    typed ×4  500,000  499,993  7       2         0.19 µs  0.41 µs  500,000 read"));
}

TEST(DrawSummary, TellsTheLatencyOfDeliveredElements) {
  FlowReport report = uppercase_run();
  report.p50_ns = 500;
  report.p99_ns = 2000;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("\nbuffers 100 % reused · latency 0.5 µs p50, 2 µs p99\n"));
}

FlowReport fanned_out_run() {
  FlowReport report;
  report.state = FlowState::completed;
  report.streams = {
      {.from = "lines.output", .to = "fast.input", .transferred = 1000, .depth_max = 1},
      {.from = "route.errors",
       .to = "slow.input",
       .transferred = 940,
       .dropped = 60,
       .depth_max = 64,
       .backpressure_events = 1,
       .backpressure_ns = 340'000'000},
      {.from = "slow.dead-letter", .to = "rejected.input", .transferred = 1},
  };
  return report;
}

TEST(DrawSummary, ShowsStreamsThatDroppedSomething) {
  FlowReport report = fanned_out_run();
  EXPECT_THAT(draw_summary(report, Palette()),
              HasSubstr("\n stream               elements  dropped  peak  backpressure\n"
                        " route.errors → slow  940       60       64    once, 340 ms\n"));
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("fast")));
  report.streams[1].dropped = 0;
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("stream")));
}

TEST(DrawSummary, ShowsAllStreamsWhenVerbose) {
  EXPECT_THAT(draw_summary(fanned_out_run(), Palette(), {.verbose = true}),
              HasSubstr(" stream                       elements  dropped  peak  backpressure\n"
                        " lines → fast                 1,000     0        1     -\n"
                        " route.errors → slow          940       60       64    once, 340 ms\n"
                        " slow.dead-letter → rejected  1         0        0     -\n"));
}

TEST(DrawSummary, TellsWhereDeadLettersWent) {
  FlowReport report = fanned_out_run();
  // A router's port may be called so too.
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("dead letter")));
  set(report, Fate::dead_lettered, 1);
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("\n1 dead letter from slow to rejected\n"));
  report.streams[2].transferred = 1200;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("\n1,200 dead letters from slow to rejected\n"));
}

TEST(DrawSummary, TellsWhatRestartsSwapsAndRestsCost) {
  FlowReport report = uppercase_run();
  report.pools = {};
  report.skipped.clear();
  report.stages[1].state_lost = 1200;
  report.stages[1].swaps = 1;
  report.stages[1].swap_pause_ns = 3'000'000;
  EXPECT_THAT(draw_summary(report, Palette()),
              HasSubstr("\nupper lost 1,200 elements it had taken in · upper swapped once, paused 3 ms\n"));
  report.stages[1].swaps = 2;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("upper swapped 2 times, paused up to 3 ms\n"));
  report.stages[1].swaps = 0;
  report.stages[1].rests = 12;
  report.stages[1].rested_ns = 900'000'000;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("upper rested 12 times for its max_cpu, 900 ms\n"));
}

TEST(DrawSummary, CountsWhatASinkSentAway) {
  FlowReport report = uppercase_run();
  report.stages[2].elements_out = 3;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr(" out.log  builtin  499,993  3        0 "));
}

TEST(DrawSummary, TellsHowBuffersWereReusedWhereThereWereEnough) {
  FlowReport report;
  report.state = FlowState::completed;
  report.pools.tiers[0].allocated = 60;
  report.pools.tiers[1].allocated = 39;
  report.pools.tiers[1].reused = 33;
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("buffers")));
  report.pools.tiers[1].allocated = 40;
  EXPECT_THAT(draw_summary(report, Palette()), HasSubstr("\nbuffers 33 % reused\n"));
}

TEST(DrawSummary, TellsWhatTheErrorTellsOnlyOnce) {
  FlowReport report;
  report.state = FlowState::failed;
  report.notes = {"out.log.partial kept"};
  report.error.emplace(ErrorCode::component_trapped, "it trapped");
  report.error->detail().consequence = "flow failed; out.log.partial kept";
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("out.log.partial")));
}

TEST(DrawSummary, ShowsMoreWhenVerbose) {
  FlowReport report = uppercase_run();
  report.stages[1].memory_bytes = 1 << 20;
  report.skipped.emplace_back(ErrorCode::element_failed, "internal: the second one");
  const std::string text = draw_summary(report, Palette(), {.verbose = true});
  EXPECT_THAT(text, HasSubstr("1 MiB"));
  EXPECT_THAT(text, HasSubstr("the second one"));
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("the second one")));
}

TEST(DrawSummary, BreaksItsRemarksIntoLinesThatCanBeRead) {
  FlowReport report = uppercase_run();
  report.p50_ns = report.p99_ns = 500;
  const std::string stem(78, 'x');
  report.notes = {stem, "kept"};
  EXPECT_THAT(draw_summary(report, Palette()),
              HasSubstr("\nbuffers 100 % reused · latency 0.5 µs p50, 0.5 µs p99\n"
                        "first error: upper, element 3,120, invalid-input: not UTF-8 at byte 14\n" +
                        stem + " · kept\n"));
}

TEST(DrawSummary, LetsNoGuestSteerTheTerminal) {
  FlowReport report = uppercase_run();
  report.skipped.front().detail().message = "\x1b[2J";
  EXPECT_THAT(draw_summary(report, Palette()), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace torvyn::cli
