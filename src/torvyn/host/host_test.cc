// Whole flows in this process: files, built-in stages and real components.
#include "torvyn/host/host.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::host {
namespace {

using namespace std::chrono_literals;
using observability::Fate;
using observability::FlowReport;
using observability::FlowState;
using resources::CopyKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t ms_ns = 1'000'000;

class Lines final : public EventSink {
 public:
  void event(Severity, std::string_view code, std::string_view node, std::string_view text) noexcept override {
    add(std::string(code) + " [" + std::string(node) + "] " + std::string(text));
  }
  void guest_line(Severity, std::string_view node, std::string_view text) noexcept override {
    add("[" + std::string(node) + "] " + std::string(text));
  }
  std::vector<std::string> all() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

 private:
  void add(std::string line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class HostTest : public testing::Test {
 protected:
  HostTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torvyn-host-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr || pipe2(stdin_.data(), O_CLOEXEC) != 0) std::abort();
    folder_ = pattern;
    options_.runtime.max_instances = 16;
    options_.base_directory = folder_;
    options_.events = &events_;
    options_.stdin_fd = stdin_[0];
  }
  ~HostTest() override {
    close(stdin_[0]);
    close_stdin();
    std::filesystem::remove_all(folder_);
  }

  // Made with `options_` when it is first asked for.
  Host& host() {
    if (host_ != nullptr) return *host_;
    Result<std::unique_ptr<Host>> made = Host::create(options_);
    if (!made) {
      ADD_FAILURE() << made.error().to_string();
      std::abort();
    }
    host_ = *std::move(made);
    return *host_;
  }

  // A component in a pipeline string: {upper} in build/components, {t:trap} in build/tests/components.
  static config::FlowConfig parse(std::string text) {
    for (std::size_t start = 0; (start = text.find('{', start)) != std::string::npos;) {
      const std::size_t end = text.find('}', start);
      std::string name = text.substr(start + 1, end - start - 1);
      name = name.starts_with("t:") ? "/../tests/components/" + name.substr(2) : "/" + name;
      const std::string path = TORVYN_TEST_COMPONENTS_DIR + name + ".wasm";
      text.replace(start, end - start + 1, path);
      start += path.size();
    }
    Result<config::FlowConfig> flow = pipeline::parse_pipeline(text);
    if (!flow) {
      ADD_FAILURE() << flow.error().to_string();
      std::abort();
    }
    return *std::move(flow);
  }

  std::unique_ptr<FlowRun> prepare(const config::FlowConfig& flow, const RunLimits& limits = {}) {
    Result<std::unique_ptr<FlowRun>> run = host().prepare(flow, limits);
    if (!run) {
      ADD_FAILURE() << run.error().to_string();
      std::abort();
    }
    return *std::move(run);
  }

  // Runs a pipeline to its end. Whatever happened, every element must have met its fate.
  FlowReport run(const std::string& pipeline, const RunLimits& limits = {}) {
    const config::FlowConfig flow = parse(pipeline);
    const std::unique_ptr<FlowRun> prepared = prepare(flow, limits);
    FlowReport report = prepared->run();
    EXPECT_EQ(report.fates.accounted(), report.fates.pulled) << pipeline;
    EXPECT_EQ(report.error.has_value(), report.state == FlowState::failed) << pipeline;
    return report;
  }

  std::filesystem::path file(std::string_view name) const { return folder_ / name; }
  void write(std::string_view name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
  }
  std::string read(std::string_view name) const {
    std::ifstream in(file(name), std::ios::binary);
    if (!in) return "(no file)";
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void close_stdin() {
    if (stdin_[1] >= 0) close(std::exchange(stdin_[1], -1));
  }

  std::filesystem::path folder_;
  std::array<int, 2> stdin_{-1, -1};
  Lines events_;
  HostOptions options_;
  std::unique_ptr<Host> host_;
};

// ---- elements end to end ------------------------------------------------------------------------------------------------

TEST_F(HostTest, AFileLeavesUpperCasedAndOtherwiseByteForByte) {
  const std::string text = "hello\r\n\r\nno newline \xff\xfe at \0 the end";
  write("in.txt", text);
  for (const char* upper : {"{upper}", "{upper-batch}"}) {
    const FlowReport report = run(std::string("file in.txt ! ") + upper + " ! file out.txt");
    EXPECT_EQ(report.state, FlowState::completed) << upper;
    EXPECT_EQ(report.fates.pulled, 3U);
    EXPECT_EQ(report.fates[Fate::delivered], 3U);
    EXPECT_EQ(read("out.txt"), "HELLO\r\n\r\nNO NEWLINE \xff\xfe AT ");
    EXPECT_FALSE(std::filesystem::exists(file("out.txt.partial")));
    std::filesystem::remove(file("out.txt"));
  }
}

TEST_F(HostTest, AReportNamesItsStagesInOrder) {
  const FlowReport report = run("generate 3 ! {upper-batch} ! {count-sink}");
  EXPECT_EQ(report.name, "main");
  ASSERT_THAT(report.stages, SizeIs(3));
  EXPECT_EQ(report.stages[0].component, "builtin:generate");
  EXPECT_EQ(report.stages[0].path, "builtin");
  EXPECT_EQ(report.stages[0].contract, "");
  EXPECT_EQ(report.stages[1].node, "upper-batch");
  EXPECT_EQ(report.stages[1].role, "processor");
  EXPECT_EQ(report.stages[1].path, "direct");
  EXPECT_EQ(report.stages[1].contract, "batch");
  EXPECT_GT(report.stages[1].memory_bytes, 0U);
  EXPECT_EQ(report.stages[2].contract, "element");
  EXPECT_EQ(report.stages[2].elements_in, 3U);
  ASSERT_THAT(report.streams, SizeIs(2));
  EXPECT_EQ(report.streams[0].from, "generate.output");
  EXPECT_EQ(report.streams[1].transferred, 3U);
  EXPECT_GT(report.duration_ns, 0U);
  EXPECT_THAT(events_.all(), ElementsAre("[count-sink] 3 elements, 24 bytes"));
}

TEST_F(HostTest, SourceProcessorSinkCopiesExactlyFourTimesAnElement) {
  const FlowReport report = run("{hello-source} 1000 ! {upper} ! {count-sink}");
  EXPECT_EQ(report.fates[Fate::delivered], 1000U);
  EXPECT_EQ(report.copies_total().copies, 4000U);
  const auto copies = [&report](std::size_t stage, CopyKind kind) {
    return report.stages[stage].copies[static_cast<std::size_t>(kind)].copies;
  };
  EXPECT_EQ(copies(0, CopyKind::guest_write), 1000U);
  EXPECT_EQ(copies(1, CopyKind::guest_read), 1000U);
  EXPECT_EQ(copies(1, CopyKind::guest_write), 1000U);
  EXPECT_EQ(copies(2, CopyKind::guest_read), 1000U);
  EXPECT_EQ(report.copies_total().bytes, 4U * 9890U);  // "hello 0\n" to "hello 999\n"
}

TEST_F(HostTest, SourceSinkCopiesExactlyTwiceAnElement) {
  const FlowReport report = run("{hello-source} 1000 ! {count-sink}");
  EXPECT_EQ(report.fates[Fate::delivered], 1000U);
  EXPECT_EQ(report.copies_total().copies, 2000U);
}

TEST_F(HostTest, InRunsTheSameCopiesAreMadeOnceARun) {
  const FlowReport report = run("{hello-source-batch} 640 ! {upper-batch} ! {count-sink-batch}");
  EXPECT_EQ(report.fates[Fate::delivered], 640U);
  EXPECT_EQ(report.copies_total().copies, 4U * 10U) << "runs of 64";
  const FlowReport direct = run("{hello-source-batch} 640 ! {count-sink-batch}");
  EXPECT_EQ(direct.copies_total().copies, 2U * 10U);
}

TEST_F(HostTest, AFilterForwardsWithoutACopyAndCountsTheRestAsFiltered) {
  const FlowReport report = run("generate 100 ! {grep} 7 ! file out.txt");
  EXPECT_EQ(report.fates[Fate::delivered], 19U);
  EXPECT_EQ(report.fates[Fate::filtered], 81U);
  EXPECT_EQ(report.copies_total().copies, 100U) << "what grep reads";
  EXPECT_EQ(report.copies_total().copies,
            report.stages[1].copies[static_cast<std::size_t>(CopyKind::guest_read)].copies);
  EXPECT_TRUE(read("out.txt").starts_with("hello 7\nhello 17\n")) << read("out.txt");
}

TEST_F(HostTest, AnAggregatorAbsorbsAndCreates) {
  write("in.txt", "one two two\nthree two\n");
  const FlowReport report = run("file in.txt ! {word-count} ! file out.txt");
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.fates[Fate::absorbed], 2U);
  EXPECT_EQ(report.fates.created, 3U);
  EXPECT_EQ(read("out.txt"), "3 two\n1 one\n1 three\n");
}

TEST_F(HostTest, BuffersAreAllBackInTheirPoolsAtTheEnd) {
  const FlowReport report = run("{hello-source} 500 ! {upper-batch} ! {count-sink}");
  EXPECT_EQ(report.pools.live, 0U);
  run("{hello-source} 500 ! {t:trap} 100 ! file out.txt");
  EXPECT_EQ(run("{hello-source} 1 ! {count-sink}").pools.live, 0U) << "also those of a flow that failed";
}

TEST_F(HostTest, ASourceThatHasNothingYetIsAskedAgain) {
  const FlowReport report = run("{t:script-source} ueuuue ! file out.txt");
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.errors(), 0U);
  EXPECT_EQ(read("out.txt"), "15");
}

// ---- ends ---------------------------------------------------------------------------------------------------------------

TEST_F(HostTest, ALimitEndsTheFlowInGoodOrder) {
  for (const char* source : {"generate", "{hello-source} 1000", "{hello-source-batch} 1000"}) {
    const FlowReport report = run(std::string(source) + " ! {upper} ! file out.txt", {.elements_max = 7});
    EXPECT_EQ(report.state, FlowState::limited) << source;
    EXPECT_EQ(report.fates.pulled, 7U) << source;
    EXPECT_EQ(report.fates[Fate::delivered], 7U) << source;
    EXPECT_EQ(read("out.txt"), "HELLO 0\nHELLO 1\nHELLO 2\nHELLO 3\nHELLO 4\nHELLO 5\nHELLO 6\n") << source;
    std::filesystem::remove(file("out.txt"));
  }
}

TEST_F(HostTest, ATimeoutEndsTheFlowInGoodOrder) {
  const FlowReport report = run("generate rate=1000 ! {upper} ! file out.txt", {.timeout_ns = 150 * ms_ns});
  EXPECT_EQ(report.state, FlowState::limited);
  EXPECT_GT(report.fates.pulled, 0U);
  EXPECT_EQ(report.fates[Fate::delivered], report.fates.pulled) << "what was in flight is finished";
  EXPECT_TRUE(read("out.txt").starts_with("HELLO 0\n"));
}

TEST_F(HostTest, ATimeoutEndsAFlowThatWaitsForInput) {
  config::FlowConfig flow = parse("stdin ! file out.txt");
  flow.timeout_ns = 50 * ms_ns;  // in the manifest
  const auto before = std::chrono::steady_clock::now();
  const FlowReport report = prepare(flow)->run();
  EXPECT_EQ(report.state, FlowState::limited);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
  EXPECT_EQ(read("out.txt"), "") << "complete, if empty";
}

TEST_F(HostTest, TheTimeoutOfTheRunWinsOverTheManifests) {
  config::FlowConfig flow = parse("stdin ! null");
  flow.timeout_ns = 3'600'000 * ms_ns;
  EXPECT_EQ(prepare(flow, {.timeout_ns = 20 * ms_ns})->run().state, FlowState::limited);
}

TEST_F(HostTest, ATimeoutThatIsNotReachedDelaysNothing) {
  const FlowReport report = run("generate 3 ! null", {.timeout_ns = 3'600'000 * ms_ns});
  EXPECT_EQ(report.state, FlowState::completed);
}

TEST_F(HostTest, AStopFromAnotherThreadEndsTheFlowInGoodOrder) {
  ASSERT_EQ(::write(stdin_[1], "one\ntwo\nhalf", 12), 12);
  const config::FlowConfig flow = parse("stdin ! {upper} ! file out.txt");
  const std::unique_ptr<FlowRun> prepared = prepare(flow);
  std::atomic<bool> seen{false};
  std::thread stopper([&] {
    for (const auto end = std::chrono::steady_clock::now() + 20s; std::chrono::steady_clock::now() < end;) {
      if (prepared->progress().delivered == 2) {
        seen = true;
        break;
      }
      std::this_thread::sleep_for(1ms);
    }
    prepared->request_stop(StopReason::interrupt);
  });
  const FlowReport report = prepared->run();
  stopper.join();
  EXPECT_TRUE(seen) << "the two lines went through at once, though the third was not complete";
  EXPECT_EQ(report.state, FlowState::interrupted);
  EXPECT_EQ(report.fates.accounted(), report.fates.pulled);
  EXPECT_TRUE(read("out.txt").starts_with("ONE\nTWO\n")) << read("out.txt");
  EXPECT_FALSE(report.error);
}

TEST_F(HostTest, AStopBeforeTheStartIsAStop) {
  const config::FlowConfig flow = parse("generate ! null");
  const std::unique_ptr<FlowRun> prepared = prepare(flow);
  prepared->request_stop(StopReason::interrupt);
  const FlowReport report = prepared->run();
  EXPECT_EQ(report.state, FlowState::interrupted);
  EXPECT_EQ(report.fates.pulled, 0U);
}

TEST_F(HostTest, TheFirstReasonToStopCounts) {
  const config::FlowConfig flow = parse("generate ! null");
  const std::unique_ptr<FlowRun> prepared = prepare(flow);
  prepared->request_stop(StopReason::timeout);
  prepared->request_stop(StopReason::interrupt);
  EXPECT_EQ(prepared->run().state, FlowState::limited);
}

TEST_F(HostTest, ProgressIsSeenWhileTheFlowRuns) {
  const config::FlowConfig flow = parse("generate ! {upper} ! null");
  const std::unique_ptr<FlowRun> prepared = prepare(flow);
  EXPECT_EQ(prepared->progress().elapsed_ns, 0U);
  FlowReport report;
  std::thread runner([&] { report = prepared->run(); });
  observability::FlowProgress progress;
  while ((progress = prepared->progress()).delivered < 1000) std::this_thread::sleep_for(1ms);
  EXPECT_GE(progress.pulled, 1000U);
  EXPECT_GT(progress.elapsed_ns, 0U);
  prepared->request_stop(StopReason::interrupt);
  runner.join();
  EXPECT_EQ(prepared->progress().delivered, report.fates[Fate::delivered]);
}

// ---- failures -----------------------------------------------------------------------------------------------------------

TEST_F(HostTest, AFailingElementLeavesWhatWasBeforeItAndNamesItsPlace) {
  for (const char* processor : {"{t:fail-at} 2", "{t:trap} 2"}) {
    const FlowReport report = run(std::string("generate 5 ! ") + processor + " ! file out.txt");
    EXPECT_EQ(report.state, FlowState::failed) << processor;
    EXPECT_EQ(report.fates[Fate::delivered], 2U) << processor;
    EXPECT_EQ(report.fates[Fate::failed], 1U) << processor;
    EXPECT_EQ(report.fates[Fate::cancelled], 2U) << processor;
    EXPECT_EQ(read("out.txt"), "(no file)") << "an unfinished output has not its name";
    EXPECT_EQ(read("out.txt.partial"), "hello 0\nhello 1\n") << processor;
    ASSERT_TRUE(report.error);
    const ErrorDetail& detail = report.error->detail();
    EXPECT_EQ(detail.flow, "main");
    EXPECT_EQ(detail.element, 2U) << processor;
    EXPECT_EQ(detail.element_bytes, 8U);
    EXPECT_THAT(detail.component, HasSubstr(".wasm"));
    EXPECT_THAT(detail.consequence, HasSubstr("out.txt.partial kept"));
    EXPECT_EQ(report.errors(), 1U);
  }
}

TEST_F(HostTest, AnElementErrorSaysWhatTheComponentSaid) {
  const FlowReport report = run("generate 5 ! {t:fail-at} at=2 kind=invalid-input ! null");
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code(), ErrorCode::element_failed);
  EXPECT_THAT(report.error->message(), HasSubstr("invalid-input: as it was told"));
  EXPECT_EQ(report.error->detail().node, "fail-at");
  const FlowReport fatal = run("generate 5 ! {t:fail-at} at=2 kind=fatal @on_error=skip ! null");
  ASSERT_TRUE(fatal.error);
  EXPECT_EQ(fatal.error->code(), ErrorCode::component_fatal) << "which nobody skips";
}

TEST_F(HostTest, ATrapTellsItsBacktrace) {
  const FlowReport report = run("generate 5 ! {t:trap} 2 ! null");
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code(), ErrorCode::component_trapped);
  EXPECT_THAT(report.error->detail().guest_backtrace, Contains(HasSubstr("give_up")));
}

TEST_F(HostTest, SkippedElementsAreCountedAndTheOthersGoOn) {
  const FlowReport report = run("generate 5 ! {t:fail-at} 2 @on_error=skip ! file out.txt");
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(report.fates[Fate::delivered], 4U);
  EXPECT_EQ(read("out.txt"), "hello 0\nhello 1\nhello 3\nhello 4\n");
  ASSERT_THAT(report.skipped, SizeIs(1));
  EXPECT_EQ(report.skipped[0].detail().element, 2U);
}

TEST_F(HostTest, MoreSkippedErrorsThanAllowedFailTheFlow) {
  const FlowReport report = run("generate 5 ! {t:fail-at} 2 @on_error=skip ! null", {.errors_max = 0});
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.fates[Fate::failed], 1U);
}

TEST_F(HostTest, AFailingInitEndsTheFlowBeforeAnyElement) {
  write("out.txt", "from yesterday");
  const FlowReport report = run("generate 5 ! {grep} ! file out.txt");
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.fates.pulled, 0U);
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code(), ErrorCode::init_failed);
  EXPECT_THAT(report.error->message(), HasSubstr("no pattern"));
  EXPECT_EQ(report.error->detail().node, "grep");
  EXPECT_EQ(read("out.txt"), "from yesterday");
  EXPECT_FALSE(std::filesystem::exists(file("out.txt.partial")));
}

TEST_F(HostTest, AFailingSinkEndsTheFlow) {
  const FlowReport pushing = run("generate 5 ! {t:fail-sink} push");
  EXPECT_EQ(pushing.state, FlowState::failed);
  EXPECT_EQ(pushing.fates[Fate::failed], 1U);
  EXPECT_EQ(pushing.fates[Fate::cancelled], 4U);
  const FlowReport completing = run("generate 5 ! {t:fail-sink} complete");
  ASSERT_TRUE(completing.error);
  EXPECT_EQ(completing.error->code(), ErrorCode::complete_failed);
  EXPECT_EQ(completing.error->detail().node, "fail-sink");
}

TEST_F(HostTest, NodesHaveLimitsOfTheirOwn) {
  const FlowReport spinning = run("generate 5 ! {t:spin} 2 @timeout=50ms ! null");
  ASSERT_TRUE(spinning.error);
  EXPECT_EQ(spinning.error->code(), ErrorCode::call_timed_out);
  EXPECT_THAT(spinning.error->message(), HasSubstr("50 ms"));
  const FlowReport hogging = run("generate 5 ! {t:hog} 2 @max_memory=4MiB ! null");
  ASSERT_TRUE(hogging.error);
  EXPECT_THAT(hogging.error->message(), HasSubstr("4194304"));
  EXPECT_LE(hogging.stages[1].memory_bytes, 4U << 20);
}

TEST_F(HostTest, AFlowThatFailedHarmsNoOtherOfItsHost) {
  const config::FlowConfig bad = parse("generate 100000 ! {t:trap} 500 ! null");
  const config::FlowConfig good = parse("generate 5000 ! {upper} ! {count-sink}");
  const std::unique_ptr<FlowRun> failing = prepare(bad);
  const std::unique_ptr<FlowRun> working = prepare(good);
  FlowReport failed;
  std::thread other([&] { failed = failing->run(); });
  const FlowReport worked = working->run();
  other.join();
  EXPECT_EQ(failed.state, FlowState::failed);
  EXPECT_EQ(failed.fates[Fate::delivered], 500U);
  EXPECT_EQ(worked.state, FlowState::completed);
  EXPECT_EQ(worked.fates[Fate::delivered], 5000U);
  EXPECT_EQ(run("generate 5 ! {upper} ! null").state, FlowState::completed);
}

// ---- preparing ----------------------------------------------------------------------------------------------------------

TEST_F(HostTest, WhatCannotBeLinkedIsSaidBeforeAnythingRuns) {
  const struct {
    const char* pipeline;
    ErrorCode code;
  } cases[] = {
      {"generate 5 ! ./none.wasm ! null", ErrorCode::component_not_found},
      {"generate 5 ! nul", ErrorCode::component_not_found},
      {"null ! generate", ErrorCode::graph_invalid},
      {"generate 5 ! {upper} loud=very ! null", ErrorCode::settings_without_lifecycle},
      {"generate 5 ! {t:no-interface} ! null", ErrorCode::no_torvyn_interface},
      {"generate 5 ! {t:missing-import} ! null", ErrorCode::import_not_provided},
      {"generate cuont=5 ! null", ErrorCode::unknown_key},
      {"generate count=five ! null", ErrorCode::out_of_range},
      {"file in.txt ! file out.txt ! null", ErrorCode::graph_invalid},
  };
  for (const auto& [pipeline, code] : cases) {
    const config::FlowConfig flow = parse(pipeline);
    const auto prepared = host().prepare(flow, {});
    ASSERT_FALSE(prepared) << pipeline;
    EXPECT_EQ(prepared.error().code(), code) << pipeline << ": " << prepared.error().to_string();
    EXPECT_EQ(prepared.error().detail().file, "<pipeline>") << pipeline;
  }
  EXPECT_THAT(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator());
}

TEST_F(HostTest, KeepsCompiledCodeWhereItWasToldAndOnlyIfAllowed) {
  options_.cache_directory = file("cache");
  options_.runtime.compile_cache = false;
  run("generate 1 ! {upper} ! null");
  EXPECT_FALSE(std::filesystem::exists(file("cache")));
  host_.reset();
  options_.runtime.compile_cache = true;
  run("generate 1 ! {upper} ! null");
  EXPECT_NE(std::filesystem::directory_iterator(file("cache")), std::filesystem::directory_iterator());
  host_.reset();
  EXPECT_EQ(run("generate 1 ! {upper} ! null").fates[Fate::delivered], 1U) << "with the code from the cache";
  EXPECT_THAT(events_.all(), IsEmpty());
}

}  // namespace
}  // namespace torvyn::host
