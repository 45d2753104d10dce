// Functions of a program as stages: what they are given, what becomes of what they say, and inlets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "torvyn/host/host_builder.h"
#include "torvyn/host/native_stage.h"

namespace torvyn::host {
namespace {

using observability::Fate;
using observability::FlowReport;
using observability::FlowState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Host> host_with(std::uint64_t max_buffer_bytes = std::uint64_t{1} << 20) {
  config::RuntimeConfig runtime;
  runtime.max_instances = 4;
  runtime.max_buffer_size_bytes = max_buffer_bytes;
  auto host = *HostBuilder()
                   .with_runtime(runtime)
                   .with_base_directory(TORVYN_TEST_COMPONENTS_DIR)
                   .with_worker_threads(2)
                   .build();
  EXPECT_TRUE(host->start());
  return host;
}

// 0, 1, 2, … as text.
SourceFunction numbers(int count) {
  return [next = 0, count](Outputs& outputs) mutable -> std::expected<SourceState, ElementError> {
    if (next == count) return SourceState::end;
    outputs.emit(std::to_string(next++), "text/plain");
    return SourceState::more;
  };
}

// What a sink was given.
struct Collected {
  std::vector<std::string> texts;
  std::vector<std::string> types;
  SinkFunction into() {
    return [this](const ElementView& element) -> StageResult {
      texts.emplace_back(element.text());
      types.emplace_back(element.content_type);
      return {};
    };
  }
};

FlowReport run(Host& host, const FlowBuilder& flow) {
  const auto id = host.start_flow(flow.definition());
  if (!id) {
    ADD_FAILURE() << id.error().to_string();
    return {};
  }
  return *host.wait(*id);
}

TEST(NativeStage, FunctionsAndAComponentInOneGraph) {
  const auto host = host_with();
  Collected out;
  FlowBuilder flow("main");
  flow.source("in", [said = false](Outputs& outputs) mutable -> std::expected<SourceState, ElementError> {
    if (said) return SourceState::end;
    said = true;
    outputs.emit("hello ", "text/plain");
    outputs.emit("world");
    return SourceState::more;
  });
  flow.component("upper", "upper.wasm");
  flow.processor("mark", [](const ElementView& element, Outputs& outputs) -> StageResult {
    outputs.emit(std::string(element.text()) + "!");
    return {};
  });
  flow.sink("out", out.into());
  const FlowReport report = run(*host, flow);
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_THAT(out.texts, ElementsAre("HELLO !", "WORLD!"));
  EXPECT_THAT(out.types, ElementsAre("text/plain", ""));
  EXPECT_EQ(report.fates[Fate::delivered], 2U);
  EXPECT_EQ(report.stages[0].path, "native");
  EXPECT_EQ(report.stages[0].component, "native:in");
}

TEST(NativeStage, ProcessorsFilterAndMultiply) {
  const auto host = host_with();
  Collected out;
  FlowBuilder flow("main");
  flow.source("in", numbers(6));
  flow.processor("odd", [](const ElementView& element, Outputs& outputs) -> StageResult {
    if ((element.text().back() - '0') % 2 == 1) outputs.pass();
    return {};
  });
  flow.processor("twice", [](const ElementView&, Outputs& outputs) -> StageResult {
    outputs.pass();
    outputs.pass();
    return {};
  });
  flow.sink("out", out.into());
  const FlowReport report = run(*host, flow);
  EXPECT_THAT(out.texts, ElementsAre("1", "1", "3", "3", "5", "5"));
  EXPECT_EQ(report.fates.pulled, 6U);
  EXPECT_EQ(report.fates[Fate::filtered], 3U);
  EXPECT_EQ(report.fates[Fate::delivered], 3U);
}

TEST(NativeStage, ARouterNamesItsPorts) {
  const auto host = host_with();
  Collected even;
  Collected odd;
  const auto route = [](const ElementView& element, Outputs& outputs) -> StageResult {
    outputs.to((element.text().back() - '0') % 2 == 0 ? "even" : "odd");
    outputs.pass();
    return {};
  };
  FlowBuilder flow("main");
  flow.source("in", numbers(5));
  flow.router("route", route);
  flow.sink("evens", even.into());
  flow.sink("odds", odd.into());
  flow.connect("in", "route").connect("route.even", "evens").connect("route.odd", "odds");
  EXPECT_EQ(run(*host, flow).state, FlowState::completed);
  EXPECT_THAT(even.texts, ElementsAre("0", "2", "4"));
  EXPECT_THAT(odd.texts, ElementsAre("1", "3"));

  FlowBuilder narrow("narrow");
  narrow.source("in", numbers(5));
  narrow.router("route", route);
  narrow.sink("evens", even.into());
  narrow.connect("in", "route").connect("route.even", "evens");
  const FlowReport report = run(*host, narrow);
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.error->code(), ErrorCode::unknown_port);
  EXPECT_THAT(report.error->hint(), HasSubstr("even"));
}

TEST(NativeStage, WhatIsRefusedMeetsTheNodesPolicy) {
  const auto host = host_with();
  Collected out;
  const auto no_threes = [](const ElementView& element, Outputs& outputs) -> StageResult {
    outputs.emit("half done");
    if (element.text() == "3") return refuse("no threes");
    outputs.pass();
    return {};
  };
  FlowBuilder flow("main");
  flow.source("in", numbers(5));
  flow.processor("check", no_threes).on_error = {.invalid_input = config::ErrorAction::skip,
                                                 .unavailable = config::ErrorAction::fail,
                                                 .internal = config::ErrorAction::fail,
                                                 .deadline_exceeded = config::ErrorAction::fail,
                                                 .exhausted = config::ErrorAction::fail};
  flow.sink("out", out.into());
  const FlowReport report = run(*host, flow);
  EXPECT_EQ(report.fates[Fate::skipped], 1U);
  EXPECT_EQ(report.fates[Fate::delivered], 4U);
  EXPECT_EQ(out.texts.size(), 8U);
  ASSERT_EQ(report.skipped.size(), 1U);
  EXPECT_THAT(report.skipped[0].message(), HasSubstr("no threes"));

  FlowBuilder strict("strict");
  strict.source("in", numbers(5));
  strict.processor("check", no_threes);
  strict.sink("out", out.into());
  EXPECT_EQ(run(*host, strict).state, FlowState::failed);
}

TEST(NativeStage, WhatIsThrownEndsItsFlowAlone) {
  const auto host = host_with();
  FlowBuilder flow("main");
  flow.source("in", numbers(5));
  flow.sink("out", [](const ElementView&) -> StageResult { throw std::runtime_error("oh no"); });
  const FlowReport report = run(*host, flow);
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.error->code(), ErrorCode::component_trapped);
  EXPECT_THAT(report.error->message(), HasSubstr("oh no"));
  EXPECT_EQ(report.fates.accounted(), report.fates.pulled);
  EXPECT_EQ(host->state(), HostState::running);
}

TEST(NativeStage, AnElementBeyondAnyBufferIsAnError) {
  const auto host = host_with(4096);
  FlowBuilder flow("main");
  flow.source("in", [](Outputs& outputs) -> std::expected<SourceState, ElementError> {
    outputs.emit(std::string(4097, 'x'));
    return SourceState::more;
  });
  flow.component("out", "null");
  const FlowReport report = run(*host, flow);
  EXPECT_EQ(report.state, FlowState::failed);
  EXPECT_EQ(report.error->code(), ErrorCode::capacity_exceeded);
}

TEST(NativeStage, RunsOnTheCallersThreadToo) {
  const auto host = host_with();
  const std::thread::id here = std::this_thread::get_id();
  bool elsewhere = false;
  FlowBuilder flow("main");
  flow.source("in", numbers(3));
  flow.sink("out", [&](const ElementView&) -> StageResult {
    elsewhere |= std::this_thread::get_id() != here;
    return {};
  });
  const auto prepared = host->prepare(flow.definition(), {});
  ASSERT_TRUE(prepared);
  EXPECT_EQ((*prepared)->run().fates[Fate::delivered], 3U);
  EXPECT_FALSE(elsewhere);
}

TEST(Inlet, TakesWhatAProgramHas) {
  const auto host = host_with();
  Collected out;
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in");
  flow.component("upper", "upper.wasm");
  flow.sink("out", out.into());
  EXPECT_EQ(in.push("too early"), PushResult::closed);
  const auto id = host->start_flow(flow.definition());
  ASSERT_TRUE(id) << id.error().to_string();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(in.push("abc", "text/plain"), PushResult::ok);
  in.close();
  EXPECT_EQ(in.push("too late"), PushResult::closed);
  const FlowReport report = *host->wait(*id);
  EXPECT_EQ(report.state, FlowState::completed);
  EXPECT_EQ(report.fates[Fate::delivered], 1000U);
  EXPECT_EQ(out.texts.size(), 1000U);
  EXPECT_EQ(out.texts.front(), "ABC");
  EXPECT_EQ(in.try_push("x"), PushResult::closed);
}

TEST(Inlet, WakesAFlowThatWaits) {
  const auto host = host_with();
  std::atomic<int> seen{0};
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in");
  flow.sink("out", [&seen](const ElementView&) -> StageResult {
    ++seen;
    seen.notify_all();
    return {};
  });
  const auto id = host->start_flow(flow.definition());
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(in.push("x"), PushResult::ok);
    seen.wait(i);  // only then the next one: the flow has gone to sleep each time, or is about to
  }
  ASSERT_TRUE(host->stop_flow(*id));
  EXPECT_EQ(host->wait(*id)->fates[Fate::delivered], 200U);
}

TEST(Inlet, IsBoundedAndSaysSo) {
  const auto host = host_with();
  std::mutex gate;
  gate.lock();
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in", {.elements = 2, .bytes = 8});
  flow.sink("out", [&gate](const ElementView&) -> StageResult {
    const std::scoped_lock open(gate);
    return {};
  });
  const auto prepared = host->prepare(flow.definition(), {});
  ASSERT_TRUE(prepared);
  EXPECT_EQ(in.try_push("larger than the inlet"), PushResult::ok);  // passes alone
  EXPECT_EQ(in.try_push("x"), PushResult::full);
  ASSERT_TRUE((*prepared)->start());
  // The sink holds the first one; then two small ones fit, and no third.
  while (in.waiting() != 0) std::this_thread::yield();
  EXPECT_EQ(in.push("1234"), PushResult::ok);
  std::thread waiting([&in] {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(in.push("12345678"), PushResult::ok);
    in.close();
  });
  gate.unlock();
  waiting.join();
  EXPECT_EQ((*prepared)->wait().fates[Fate::delivered], 102U);
}

TEST(Inlet, LetsPushersGoWhenItsFlowEnds) {
  const auto host = host_with();
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in", {.elements = 1});
  flow.sink("out", [](const ElementView& element) -> StageResult {
    if (element.text() == "bad") return refuse("bad");
    return {};
  });
  const auto id = host->start_flow(flow.definition());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&in] {
      while (in.push("good") == PushResult::ok) {
      }
    });
  EXPECT_EQ(in.push("bad"), PushResult::ok);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(host->wait(*id)->state, FlowState::failed);
}

TEST(Inlet, AdoptsMemoryAndGivesItBack) {
  const auto host = host_with();
  const std::string kept = "the program's own bytes";
  std::atomic<int> released{0};
  const void* seen = nullptr;
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in");
  flow.sink("out", [&seen](const ElementView& element) -> StageResult {
    seen = element.bytes.data();
    return {};
  });
  const auto release = [&released] { ++released; };
  EXPECT_EQ(in.push_adopted(std::as_bytes(std::span(kept)), release), PushResult::closed);
  EXPECT_EQ(released, 0);
  const auto id = host->start_flow(flow.definition());
  EXPECT_EQ(in.push_adopted(std::as_bytes(std::span(kept)), release), PushResult::ok);
  in.close();
  EXPECT_EQ(host->wait(*id)->fates[Fate::delivered], 1U);
  EXPECT_EQ(seen, kept.data());
  EXPECT_EQ(released, 1);
}

TEST(Inlet, CannotBeInAFlowThatIsRestarted) {
  const auto host = host_with();
  FlowBuilder flow("main");
  flow.inlet("in");
  flow.component("out", "null");
  flow.config().restart_on_failure = true;
  const auto refused = host->start_flow(flow.definition());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::usage);
}

TEST(HostWithoutThreads, IsDrivenByItsCaller) {
  const std::thread::id here = std::this_thread::get_id();
  config::RuntimeConfig runtime;
  runtime.max_instances = 4;
  const auto host = *HostBuilder()
                         .with_runtime(runtime)
                         .with_base_directory(TORVYN_TEST_COMPONENTS_DIR)
                         .with_worker_threads(0)
                         .build();
  ASSERT_TRUE(host->start());
  int seen = 0;
  bool elsewhere = false;
  FlowBuilder flow("main");
  const Inlet in = flow.inlet("in");
  flow.component("upper", "upper.wasm");
  flow.sink("out", [&](const ElementView& element) -> StageResult {
    elsewhere |= std::this_thread::get_id() != here;
    seen += element.text() == "ABC" ? 1 : 0;
    return {};
  });
  const auto id = host->start_flow(flow.definition());
  ASSERT_TRUE(id) << id.error().to_string();
  EXPECT_EQ(seen, 0);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(in.try_push("abc"), PushResult::ok);
  EXPECT_EQ(seen, 0);
  const auto some = host->run_some(1'000'000'000);
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->worked);
  EXPECT_FALSE(some->more);
  EXPECT_EQ(seen, 10);
  EXPECT_FALSE(host->run_some(1'000)->worked);
  EXPECT_EQ(in.try_push("abc"), PushResult::ok);
  in.close();
  EXPECT_EQ(host->wait(*id)->fates[Fate::delivered], 11U);
  EXPECT_FALSE(elsewhere);

  // What runs when the host is shut down is drained by whoever does it.
  FlowBuilder endless("endless");
  endless.source("in", [](Outputs& outputs) -> std::expected<SourceState, ElementError> {
    outputs.emit("x");
    return SourceState::more;
  });
  endless.component("out", "null");
  ASSERT_TRUE(host->start_flow(endless.definition()));
  EXPECT_TRUE(host->run_some(1'000'000)->more);
  const auto ended = host->shutdown(60'000'000'000);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->drained, 1U);
}

TEST(HostWithoutThreads, RefusesWhatNeedsOne) {
  config::RuntimeConfig runtime;
  runtime.max_instances = 4;
  const auto host = *HostBuilder().with_runtime(runtime).with_worker_threads(0).build();
  ASSERT_TRUE(host->start());
  FlowBuilder flow("main");
  flow.source("in", numbers(1));
  flow.component("out", "null");
  flow.config().restart_on_failure = true;
  EXPECT_EQ(host->start_flow(flow.definition()).error().code(), ErrorCode::usage);
  const auto threaded = host_with();
  EXPECT_EQ(threaded->run_some(1).error().code(), ErrorCode::usage);
}

TEST(FlowBuilder, WhatIsWrongShowsWhenTheFlowIsStarted) {
  const auto host = host_with();
  FlowBuilder backwards("backwards");
  backwards.sink("out", [](const ElementView&) -> StageResult { return {}; });
  backwards.source("in", numbers(1));
  EXPECT_EQ(host->start_flow(backwards.definition()).error().code(), ErrorCode::graph_invalid);
  FlowBuilder missing("missing");
  missing.source("in", numbers(1));
  missing.component("out", "nul");
  EXPECT_THAT(host->start_flow(missing.definition()).error().message(), HasSubstr("did you mean `null`?"));
}

}  // namespace
}  // namespace torvyn::host
