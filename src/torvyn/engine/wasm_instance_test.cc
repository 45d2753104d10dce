// Instances at work: what each kind of stage does with a run, what is copied, and what is left when a guest goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <tuple>

#include "torvyn/engine/guest_log.h"
#include "torvyn/engine/test_guest.h"

namespace torvyn::engine {
namespace {

using resources::CopyCount;
using resources::CopyKind;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class WasmInstance : public GuestTest {
 protected:
  using GuestTest::GuestTest;

  // "2 copies, 10 bytes", for short expectations.
  static std::string copies(const Instance& instance, CopyKind kind) {
    const CopyCount count = instance.copies().count(kind);
    return std::to_string(count.copies) + " copies, " + std::to_string(count.bytes) + " bytes";
  }

  // What "buffer-forms" or "batch-forms" says of one run.
  std::vector<std::string> answers(const std::string& component, const std::string& how, Run in) {
    const std::unique_ptr<Instance> instance = start(test_component_path(component), how);
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    if (outcome.status == CallStatus::ended) ADD_FAILURE() << instance->failure().to_string();
    if (outcome.status == CallStatus::element_error) ADD_FAILURE() << instance->error_text();
    return texts_of(out);
  }

  // Hands `in` to a component that must end on it, checks that it has ended for good, and gives the reason.
  Error end_of(const std::string& component, const std::string& config, Run in,
               CallOutcome expected = {CallStatus::ended, 0}) {
    const std::unique_ptr<Instance> instance = start(test_component_path(component), config);
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    EXPECT_EQ(outcome.status, CallStatus::ended) << component << " " << config;
    EXPECT_EQ(outcome.done, expected.done) << component << " " << config;
    EXPECT_EQ(outcome.charged, expected.charged) << component << " " << config;
    EXPECT_THAT(out, SizeIs(expected.done)) << "what came before stands";
    if (outcome.status != CallStatus::ended) return Error(ErrorCode::internal_error, "it did not end");
    const Error failure = instance->failure();
    expect_refuses_everything(*instance, failure);
    return failure;
  }

  void expect_refuses_everything(Instance& instance, const Error& failure) {
    Run in = run_of({"after", "the end"});
    Run out;
    EXPECT_EQ(instance.process(in, out).status, CallStatus::ended);
    EXPECT_THAT(out, IsEmpty());
    const Status completed = instance.complete();
    ASSERT_FALSE(completed);
    EXPECT_EQ(completed.error().to_string(), failure.to_string());
    EXPECT_EQ(instance.flush(out).status, CallStatus::ended);
    EXPECT_EQ(instance.notify_backpressure(true).status, CallStatus::ended);
    EXPECT_TRUE(instance.teardown()) << "does nothing";
    EXPECT_EQ(instance.failure().to_string(), failure.to_string()) << "the first reason is the reason";
    EXPECT_THAT(in, Each(testing::Field(&Element::payload, testing::Property(&resources::BufferRef::loans, 0U))));
  }
};

// ---- processors ---------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AProcessorReadsOnceAndWritesOnceForEachElement) {
  const auto instance = start(component_path("upper"));
  Run in = run_of({"hello", "", "w\xc3\xb6rld"});
  Run out;
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_EQ(outcome.done, 3U);
  EXPECT_THAT(texts_of(out), ElementsAre("HELLO", "", "W\xc3\xb6RLD"));
  EXPECT_EQ(copies(*instance, CopyKind::guest_read), "3 copies, 11 bytes");
  EXPECT_EQ(copies(*instance, CopyKind::guest_write), "3 copies, 11 bytes");
  EXPECT_EQ(instance->copies().total().copies, 6U);
  EXPECT_EQ(instance->held_handles(), 0U);
}

TEST_F(WasmInstance, ABatchProcessorReadsOnceAndWritesOnceForTheRun) {
  const auto instance = start(component_path("upper-batch"));
  Run in = packed_run_of({"hello", "", "world"});
  Run out;
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_EQ(outcome.done, 3U);
  EXPECT_THAT(texts_of(out), ElementsAre("HELLO", "", "WORLD"));
  EXPECT_EQ(copies(*instance, CopyKind::guest_read), "1 copies, 10 bytes");
  EXPECT_EQ(copies(*instance, CopyKind::guest_write), "1 copies, 10 bytes");
  EXPECT_EQ(instance->copies().total().copies, 2U);
  EXPECT_TRUE(out[0].payload.same_buffer(out[2].payload)) << "what one call emits is one buffer";
}

TEST_F(WasmInstance, OutputsKeepWhatTravelsBesideTheirInput) {
  content_type_ = content_types_.intern("text/x-log");
  next_sequence_ = 41;
  for (const char* name : {"upper", "upper-batch"}) {
    const auto instance = start(component_path(name));
    Run in = run_of({"a", "b", "c"});
    for (Element& element : in) element.meta.deadline_ns = 7000 + element.lineage;
    const Run expected = in;
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
    ASSERT_THAT(out, SizeIs(3)) << name;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(out[i].meta.sequence, expected[i].meta.sequence) << name;
      EXPECT_EQ(out[i].meta.timestamp_ns, expected[i].meta.timestamp_ns) << name;
      EXPECT_EQ(out[i].meta.deadline_ns, expected[i].meta.deadline_ns) << name;
      EXPECT_EQ(out[i].meta.content_type, content_type_) << name;
      EXPECT_EQ(out[i].lineage, i) << name;
    }
  }
}

TEST_F(WasmInstance, AppendsToARunThatHasElementsAlready) {
  const auto instance = start(component_path("upper-batch"));
  Run out = run_of({"before"});
  Run in = run_of({"after"});
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("before", "AFTER"));
}

TEST_F(WasmInstance, ARunThatSpansBuffersIsGatheredOnceAndCounted) {
  const auto instance = start(component_path("upper-batch"));
  Run in = packed_run_of({"one ", "buffer "});
  for (Element& element : packed_run_of({"and ", "another"})) in.push_back(element);
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("ONE ", "BUFFER ", "AND ", "ANOTHER"));
  EXPECT_EQ(copies(*instance, CopyKind::host_gather), "1 copies, 22 bytes");
  EXPECT_EQ(copies(*instance, CopyKind::guest_read), "1 copies, 22 bytes");

  clear_run(out);
  Run gap = packed_run_of({"one", "(left out)", "two"});
  gap.erase(gap.begin() + 1);
  ASSERT_EQ(instance->process(gap, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("ONE", "TWO"));
  EXPECT_EQ(copies(*instance, CopyKind::host_gather), "2 copies, 28 bytes") << "one buffer, but not in one piece";
}

TEST_F(WasmInstance, APayloadOfMegabytesGoesThroughWhole) {
  std::string text(3 << 20, 'x');
  for (std::size_t i = 0; i < text.size(); i += 4096) text[i] = static_cast<char>('a' + i / 4096 % 26);
  std::string expected = text;
  for (char& c : expected) c = static_cast<char>(c - 32);
  for (const char* name : {"upper", "upper-batch"}) {
    const auto instance = start(component_path(name));
    Run in = run_of({text});
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << name;
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_TRUE(text_of(out[0]) == expected) << name;
  }
}

TEST_F(WasmInstance, ADroppedElementLeavesNoOutput) {
  EXPECT_THAT(answers("buffer-forms", "drop", run_of({"a", "b"})), IsEmpty());
}

TEST_F(WasmInstance, TellsAComponentAboutItsElementAndItsFlow) {
  content_type_ = content_types_.intern("text/plain");
  next_sequence_ = 7;
  options_.flow = "access log";
  options_.trace_id = *TraceId::parse("0123456789abcdef0123456789abcdef");
  options_.span_id = *SpanId::parse("fedcba9876543210");
  const std::string ids = " 0123456789abcdef0123456789abcdef fedcba9876543210";
  EXPECT_THAT(answers("buffer-forms", "tell", run_of({"hello"})),
              ElementsAre("element 7 at 1007, deadline 0, 5 bytes of `text/plain` `text/plain` in access log" + ids));

  Run in = run_of({"hello", ""});
  in[1].meta.content_type = content_types_.intern("");
  EXPECT_THAT(answers("batch-forms", "tell", std::move(in)),
              ElementsAre("element 8 at 1008, deadline 0, 5 bytes of `text/plain` in access log" + ids,
                          "element 9 at 1009, deadline 0, 0 bytes of `` in access log" + ids));
}

TEST_F(WasmInstance, TellsWhatRemainsUntilTheDeadlineOfEachElement) {
  step_time_by_ns(5'000'000);
  ASSERT_EQ(stepping_clock_.monotonic_ns(), 5'000'000U);
  step_time_by_ns(0);  // and there it stands
  for (const char* component : {"buffer-forms", "batch-forms"}) {
    Run in = run_of({"a", "b", "c", "d"});
    in[1].meta.deadline_ns = 5'000'700;
    in[2].meta.deadline_ns = 5'000'000;
    in[3].meta.deadline_ns = 4'000'000;
    const std::vector<std::string> told = answers(component, "tell", std::move(in));
    EXPECT_THAT(told, ElementsAre(HasSubstr(", deadline 0, "), HasSubstr(", deadline 700, "),
                                  HasSubstr(", deadline 1, "), HasSubstr(", deadline 1, ")))
        << component;
  }
}

TEST_F(WasmInstance, GrantsClocksAndRandomnessAndNothingElse) {
  EXPECT_THAT(answers("buffer-forms", "capabilities", run_of({"?"})), ElementsAre("clocks.random..."));
}

TEST_F(WasmInstance, ReadsAreClippedToThePayload) {
  EXPECT_THAT(answers("buffer-forms", "parts", run_of({"hello"})), ElementsAre("he.llo...."));
  Run in = packed_run_of({"hello", "world"});
  in.erase(in.begin());
  EXPECT_THAT(answers("buffer-forms", "parts", std::move(in)), ElementsAre("wo.rld...."))
      << "a slice ends where it ends";
}

TEST_F(WasmInstance, ABatchMayMakeSeveralElementsOfOne) {
  const auto instance = start(test_component_path("batch-forms"), "split");
  Run in = packed_run_of({"abcd", "xyz", "q"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "c", "x", "z", "q", ""));
  EXPECT_EQ(out[3].lineage, 1U);
  EXPECT_EQ(out[4].meta.sequence, in[2].meta.sequence);
  EXPECT_EQ(instance->copies().count(CopyKind::guest_read).copies, 6U) << "each read-one is a copy";
}

TEST_F(WasmInstance, NumbersMayCrossAsBytes) {
  const auto instance = start(test_component_path("batch-forms"), "as-bytes");
  Run in = packed_run_of({"abcd", "", "xyz"});
  const std::byte* const last = in[2].payload.bytes().data();
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("abcd", "", "xyz"));
  EXPECT_EQ(out[1].lineage, 1U);
  EXPECT_EQ(out[2].payload.bytes().data(), last) << "forwarded, not copied";
  EXPECT_EQ(instance->copies().count(CopyKind::guest_read).copies, 1U);
}

TEST_F(WasmInstance, WhatABatchWriterSaysOfContentTypesCounts) {
  content_type_ = content_types_.intern("text/input");
  const auto instance = start(test_component_path("batch-forms"), "typed");
  Run in = run_of({"a", "b"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  ASSERT_THAT(out, SizeIs(2));
  EXPECT_EQ(content_types_.text(out[1].meta.content_type), "text/typed");
  EXPECT_EQ(content_types_.text(out[1].payload.content_type()), "text/typed");
}

TEST_F(WasmInstance, AnOutputsMetaWinsOverItsBufferAndNamesBoth) {
  content_type_ = content_types_.intern("text/input");
  for (const auto& [how, expected] : {std::pair{"typed-buffer", "text/buffer"}, std::pair{"typed-meta", "text/meta"}}) {
    const auto instance = start(test_component_path("buffer-forms"), how);
    Run in = run_of({"a"});
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
    ASSERT_THAT(out, SizeIs(1));
    EXPECT_EQ(content_types_.text(out[0].meta.content_type), expected);
    EXPECT_EQ(content_types_.text(out[0].payload.content_type()), expected);
    EXPECT_EQ(out[0].meta.sequence, in[0].meta.sequence) << "not what the component wrote there";
    EXPECT_EQ(out[0].meta.timestamp_ns, in[0].meta.timestamp_ns);
  }
}

TEST_F(WasmInstance, ACloneThatNobodyWritesToHasAllOfItsBytes) {
  const auto instance = start(test_component_path("buffer-forms"), "clone-untouched");
  Run in = run_of({"hello", ""});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("hello", ""));
}

TEST_F(WasmInstance, ACloneIsMadeByTheHostAndCountedApart) {
  const auto instance = start(test_component_path("buffer-forms"), "clone");
  content_type_ = content_types_.intern("text/input");
  Run in = run_of({"hello"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("Jello"));
  EXPECT_EQ(text_of(in[0]), "hello");
  EXPECT_EQ(out[0].meta.content_type, content_type_);
  EXPECT_EQ(copies(*instance, CopyKind::host_clone), "1 copies, 5 bytes");
  EXPECT_EQ(copies(*instance, CopyKind::guest_read), "0 copies, 0 bytes");
  EXPECT_EQ(copies(*instance, CopyKind::guest_write), "1 copies, 1 bytes");
}

TEST_F(WasmInstance, AClonedBufferIsWholeWithoutAWrite) {
  const auto instance = start(test_component_path("buffer-forms"), "clone-untouched");
  Run in = run_of({"hello"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("hello"));
}

TEST_F(WasmInstance, AComponentMayDropABufferItFroze) {
  EXPECT_THAT(answers("buffer-forms", "drop-frozen", run_of({"a"})), ElementsAre(""));
}

TEST_F(WasmInstance, AWriteThatDoesNotFitChangesNothing) {
  EXPECT_THAT(answers("buffer-forms", "overfill", run_of({"a"})), ElementsAre("keptcapacity-exceeded out-of-bounds 4"));
}

TEST_F(WasmInstance, ABufferAboveTheHostsLargestIsCapacityExceeded) {
  EXPECT_THAT(answers("buffer-forms", "too-large", run_of({"a"})), ElementsAre("capacity-exceeded"));
  const auto instance = start(test_component_path("batch-forms"), "huge");
  Run in = run_of({"a"});
  Run out;
  EXPECT_EQ(instance->process(in, out).status, CallStatus::element_error);
  EXPECT_EQ(instance->error_text(), "capacity exceeded");
}

// ---- limits of what is held ---------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AComponentHoldsNoMoreHandlesThanItMay) {
  options_.holdings.handles = 10;
  const auto instance = start(test_component_path("buffer-forms"), "hoard-handles");
  Run in = run_of({"a"});
  Run out;
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::element_error) << "there is no handle left for its answer";
  EXPECT_THAT(instance->error_text(), HasSubstr("no memory for the output"));
  EXPECT_EQ(instance->held_handles(), 10U);
}

TEST_F(WasmInstance, TheAllocatorNamesTheLimitThatWasMet) {
  options_.holdings.buffer_bytes = (4 << 20) + (64 << 10);  // four large ones, and one for the answer
  EXPECT_THAT(answers("buffer-forms", "hoard-bytes", run_of({"a"})),
              ElementsAre("4 allocation-failed: the component holds 4194304 bytes of buffers, its limit is 4259840 "
                          "(max_host_buffers)"));
}

class SmallPool : public WasmInstance {
 protected:
  SmallPool() : WasmInstance({.kept = {2, 2, 2, 2}, .max_buffer_bytes = 16 << 20, .fallback_alloc = false}) {}
};

TEST_F(SmallPool, AnExhaustedPoolIsTheComponentsToDealWith) {
  EXPECT_THAT(answers("buffer-forms", "hoard-bytes", run_of({"a"})),
              ElementsAre("2 allocation-failed: the buffer pool is used up (exhaustion_policy = \"error\")"));
  const auto instance = start(component_path("upper"));
  Run in = run_of({"a", "b"});
  Run out;
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::element_error);
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_THAT(instance->error_text(), HasSubstr("no memory for the output"));
}

TEST_F(WasmInstance, KeptHandlesAreSaidAloudOnce) {
  const auto instance = start(test_component_path("leak"), "0");
  for (int run = 0; run < 6; ++run) {
    Run in = run_of(std::vector<std::string>(50, "x"));
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
    EXPECT_EQ(instance->held_handles(), 50U * static_cast<unsigned>(run + 1));
  }
  EXPECT_THAT(events_.events(), ElementsAre(StartsWith("warn W0300 [node] the component holds 300 buffer handles")));
}

TEST_F(WasmInstance, AFewKeptHandlesAreSaidAtTheEnd) {
  auto instance = start(test_component_path("leak"), "0");
  Run in = run_of({"a", "b", "c"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(events_.events(), IsEmpty());
  instance.reset();
  EXPECT_THAT(events_.events(),
              ElementsAre("warn W0300 [node] the component ended with 3 buffer handles it had not dropped"));
}

// ---- filters and routers ------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AFilterPassesOnTheVerySamePayload) {
  for (const char* name : {"grep", "grep-batch"}) {
    const auto instance = start(component_path(name), "ERR");
    Run in = run_of({"an ERR", "fine", "ERR again"});
    const std::vector<ResourceId> ids{in[0].payload.id(), in[2].payload.id()};
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    EXPECT_EQ(outcome.status, CallStatus::ok) << name;
    EXPECT_EQ(outcome.done, 3U) << name;
    ASSERT_THAT(texts_of(out), ElementsAre("an ERR", "ERR again")) << name;
    EXPECT_EQ(out[0].payload.id(), ids[0]) << name;
    EXPECT_EQ(out[1].payload.id(), ids[1]) << name;
    EXPECT_EQ(out[1].lineage, 2U) << name;
    EXPECT_EQ(copies(*instance, CopyKind::guest_write), "0 copies, 0 bytes") << name;
    EXPECT_EQ(copies(*instance, CopyKind::host_clone), "0 copies, 0 bytes") << name;
  }
}

TEST_F(WasmInstance, ForwardingAnElementTwiceSendsOneBufferTwice) {
  const auto instance = start(test_component_path("batch-forms"), "twice");
  Run in = run_of({"a", "b"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "a", "b", "b"));
  EXPECT_TRUE(out[0].payload.same_buffer(out[1].payload));
  EXPECT_EQ(instance->copies().total().copies, 0U);
}

TEST_F(WasmInstance, ARouterSendsOneBufferToEachOfThePortsItNames) {
  options_.ports = {"errors", "output", "rest"};
  const auto instance = start(test_component_path("route"), "rest,errors");
  Run in = run_of({"a", "b"});
  in[1].port = 1;  // where it came from is no matter
  Run out = run_of({"from before"});
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("from before", "a", "a", "b", "b"));
  EXPECT_THAT(ports_of(out), ElementsAre(0, 2, 0, 2, 0));
  EXPECT_TRUE(out[3].payload.same_buffer(out[4].payload));
  EXPECT_EQ(out[4].lineage, 1U);
  EXPECT_EQ(instance->copies().total().copies, 0U);
}

TEST_F(WasmInstance, APortThatIsNamedTwiceGetsTheElementOnce) {
  options_.ports = {"errors", "output"};
  const auto instance = start(test_component_path("route"), "output,errors,output,output,errors");
  Run in = run_of({"a", "b"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "a", "b", "b"));
  EXPECT_THAT(ports_of(out), ElementsAre(1, 0, 1, 0));
}

TEST_F(WasmInstance, ABatchRouterForwardsToItsPortsAndToOutputWhereItNamesNone) {
  options_.ports = {"errors", "output", "rest"};
  const auto instance = start(test_component_path("route-batch"), "rest,,errors");
  Run in = packed_run_of({"a", "b"});
  in[0].port = 2;
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "b", "a", "b", "a", "b"));
  EXPECT_THAT(ports_of(out), ElementsAre(2, 2, 1, 1, 0, 0));
  EXPECT_TRUE(out[0].payload.same_buffer(out[5].payload));
  EXPECT_EQ(out[5].lineage, 1U);
  EXPECT_EQ(instance->copies().total().copies, 0U);
}

TEST_F(WasmInstance, WhatIsNoRouterLeavesByPortZero) {
  options_.ports = {"errors", "output"};
  for (const auto& [name, config] :
       {std::pair{"upper", ""}, std::pair{"upper-batch", ""}, std::pair{"grep", "A"}, std::pair{"grep-batch", "A"}}) {
    const auto instance = start(component_path(name), config);
    Run in = run_of({"A", "A"});
    for (Element& element : in) element.port = 1;
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok) << name;
    EXPECT_THAT(ports_of(out), ElementsAre(0, 0)) << name;
  }
  const Error failure = end_of("batch-misuse", "port", run_of({"a", "b"}), {CallStatus::ended, 0, 2});
  EXPECT_EQ(failure.message(), "forward-to: no port `nowhere` here; there is `output`");
}

TEST_F(WasmInstance, ARouterThatNamesNoPortDrops) { EXPECT_THAT(answers("route", "", run_of({"a"})), IsEmpty()); }

TEST_F(WasmInstance, ARouterThatNamesAnUnknownPortEndsWithE0204AndSendsNothing) {
  const Error failure = end_of("route", "output,nowhere", run_of({"a", "b"}));
  EXPECT_EQ(failure.code(), ErrorCode::unknown_port);
  EXPECT_EQ(failure.message(), "route: no port `nowhere` here; there is `output`");
}

TEST_F(WasmInstance, AnUnknownPortIsToldWithThePortsThereAre) {
  options_.ports = {"errors", "rest"};
  for (const auto& [component, config, charged, says] :
       {std::tuple{"route", "errors,nowhere", 1U, "route: no port `nowhere` here; there are `errors`, `rest`"},
        std::tuple{"route", "output", 1U, "route: no port `output` here; there are `errors`, `rest`"},
        std::tuple{"route-batch", "errors,nowhere", 2U,
                   "forward-to: no port `nowhere` here; there are `errors`, `rest`"},
        std::tuple{"route-batch", ",", 2U, "forward-to: no port `output` here; there are `errors`, `rest`"}}) {
    const Error failure = end_of(component, config, run_of({"a", "b"}), {CallStatus::ended, 0, charged});
    EXPECT_EQ(failure.code(), ErrorCode::unknown_port);
    EXPECT_EQ(failure.message(), says);
    EXPECT_THAT(failure.hint(), HasSubstr("add an edge"));
  }
}

TEST_F(WasmInstance, NeitherAHundredPortsNorALongNameFloodTheMessage) {
  options_.ports.clear();
  for (int i = 0; i < 100; ++i) options_.ports.push_back("p" + std::to_string(i));
  const Error failure = end_of("route", std::string(100'000, 'x'), run_of({"a", "b"}));
  EXPECT_EQ(failure.message(), "route: no port `" + std::string(64, 'x') +
                                   "` here; there are `p0`, `p1`, `p2`, `p3`, `p4`, `p5`, `p6`, `p7` and 92 more");
}

// ---- sources ------------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, ASourceGivesAsManyAsAreAskedForUntilItsEnd) {
  step_time_by_ns(0);  // only the number ends a run
  for (const char* name : {"hello-source", "hello-source-batch"}) {
    const auto instance = start(component_path(name), "5");
    Run out;
    CallOutcome outcome = instance->pull(3, 1 << 20, out);
    EXPECT_EQ(outcome.status, CallStatus::ok) << name;
    EXPECT_EQ(outcome.done, 3U) << name;
    EXPECT_THAT(texts_of(out), ElementsAre("hello 0\n", "hello 1\n", "hello 2\n")) << name;
    EXPECT_EQ(content_types_.text(out[0].meta.content_type), "text/plain") << name;
    EXPECT_EQ(content_types_.text(out[0].payload.content_type()), "text/plain") << name;
    clear_run(out);
    outcome = instance->pull(3, 1 << 20, out);
    EXPECT_EQ(outcome.status, CallStatus::end_of_stream) << name;
    EXPECT_EQ(outcome.done, 2U) << name;
    EXPECT_THAT(texts_of(out), ElementsAre("hello 3\n", "hello 4\n")) << name;
    const bool batch = std::string_view(name).ends_with("batch");
    EXPECT_EQ(copies(*instance, CopyKind::guest_write), batch ? "2 copies, 40 bytes" : "5 copies, 40 bytes");
    EXPECT_EQ(instance->copies().count(CopyKind::guest_read).copies, 0U) << name;
  }
}

TEST_F(WasmInstance, ASlowSourcesElementIsARunOfItsOwn) {
  step_time_by_ns(60'000);
  const auto instance = start(component_path("hello-source"), "5");
  Run out;
  const CallOutcome outcome = instance->pull(64, 1 << 20, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("hello 0\n"));
}

// Time that goes by with the elements of a run.
class RunClock final : public Clock {
 public:
  RunClock(const Run& run, std::uint64_t element_ns) : run_(run), element_ns_(element_ns) {}
  std::uint64_t monotonic_ns() const noexcept override {
    ++looks;
    return run_.size() * element_ns_;
  }
  std::uint64_t wall_ns() const noexcept override { return 0; }
  mutable int looks = 0;

 private:
  const Run& run_;
  const std::uint64_t element_ns_;
};

TEST_F(WasmInstance, ARunEndsFiftyMicrosecondsAfterItsFirstElement) {
  Run out;
  const RunClock clock(out, 10'000);
  options_.clock = &clock;
  const auto instance = start(component_path("hello-source"), "100");
  const CallOutcome outcome = instance->pull(64, 1 << 20, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_EQ(outcome.done, 6U);
  EXPECT_THAT(out, SizeIs(6)) << "the first, and five more";
}

TEST_F(WasmInstance, AFastSourceIsTimedOnceInAWhile) {
  Run out;
  const RunClock clock(out, 500);
  options_.clock = &clock;
  const auto instance = start(component_path("hello-source"), "1000");
  clock.looks = 0;
  const CallOutcome outcome = instance->pull(1000, 1 << 20, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_THAT(out, SizeIs(101)) << "as many as if it had been looked at after each";
  EXPECT_LE(clock.looks, 10);
}

TEST_F(WasmInstance, ARunEndsWhereItsBytesAreFull) {
  step_time_by_ns(0);
  const auto instance = start(component_path("hello-source"), R"({"count": "100", "size": "1000"})");
  Run out;
  const CallOutcome outcome = instance->pull(64, 2500, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_THAT(out, SizeIs(3));
  EXPECT_EQ(out[2].payload.size(), 1000U);
}

TEST_F(WasmInstance, ASourceThatHasNothingYetIsNoError) {
  step_time_by_ns(0);
  const auto instance = start(test_component_path("script-source"), "ueeue");
  Run out;
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::nothing_yet);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::ok) << "two, and then nothing yet";
  EXPECT_THAT(texts_of(out), ElementsAre("1", "2"));
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::end_of_stream);
  EXPECT_THAT(texts_of(out), ElementsAre("1", "2", "4"));
}

TEST_F(WasmInstance, ABatchSourceThatHasNothingYetIsNoError) {
  const auto instance = start(test_component_path("script-source-batch"), "0u2l");
  Run out;
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::nothing_yet) << "wrote nothing";
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::nothing_yet) << "said unavailable";
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::ok);
  const CallOutcome last = instance->pull(64, 1 << 20, out);
  EXPECT_EQ(last.status, CallStatus::end_of_stream);
  EXPECT_EQ(last.done, 1U) << "what the last call wrote counts";
  EXPECT_THAT(texts_of(out), ElementsAre("a", "b", "a"));
}

TEST_F(WasmInstance, ASourcesErrorComesAfterTheElementsBeforeIt) {
  step_time_by_ns(0);
  const auto instance = start(test_component_path("script-source"), "eie");
  Run out;
  CallOutcome outcome = instance->pull(64, 1 << 20, out);
  EXPECT_EQ(outcome.status, CallStatus::element_error);
  EXPECT_EQ(outcome.done, 1U);
  EXPECT_THAT(texts_of(out), ElementsAre("0"));
  EXPECT_EQ(instance->error_kind(), ProcessErrorKind::invalid_input);
  EXPECT_EQ(instance->error_text(), "as the script says");
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::end_of_stream) << "and it goes on";
  EXPECT_THAT(texts_of(out), ElementsAre("0", "2"));
}

TEST_F(WasmInstance, ASourceIsToldOfBackpressure) {
  step_time_by_ns(0);
  const auto instance = start(test_component_path("script-source"), "eee");
  Run out;
  EXPECT_EQ(instance->pull(1, 1 << 20, out).status, CallStatus::ok);
  EXPECT_EQ(instance->notify_backpressure(true).status, CallStatus::ok);
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::end_of_stream);
  EXPECT_EQ(instance->notify_backpressure(false).status, CallStatus::ok);
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::end_of_stream);
  EXPECT_THAT(texts_of(out), ElementsAre("0", "0", "1", "2"));
}

TEST_F(WasmInstance, ASourceIsToldWhatBecameOfItsElements) {
  step_time_by_ns(0);
  const auto instance = start(test_component_path("acking-source"), "5");
  EXPECT_TRUE(instance->wants_acks());
  Run out;
  ASSERT_EQ(instance->pull(3, 1 << 20, out).status, CallStatus::ok);
  EXPECT_EQ(instance->acknowledge(1).status, CallStatus::ok);
  EXPECT_EQ(instance->acknowledge(3).status, CallStatus::ok);
  EXPECT_EQ(instance->pull(3, 1 << 20, out).status, CallStatus::end_of_stream);
  EXPECT_EQ(instance->acknowledge(5).status, CallStatus::ok);
  EXPECT_THAT(events_.lines(), ElementsAre("info [node] acked 1", "info [node] acked 3", "info [node] acked 5"));
}

TEST_F(WasmInstance, ATrapInAnAcknowledgementEndsTheInstance) {
  const auto instance = start(test_component_path("acking-source"));
  EXPECT_EQ(instance->acknowledge(1).status, CallStatus::ended) << "of an element it never gave";
  EXPECT_EQ(instance->failure().detail().trap_kind, "unreachable");
  Run out;
  EXPECT_EQ(instance->pull(1, 1 << 20, out).status, CallStatus::ended);
  EXPECT_EQ(instance->acknowledge(1).status, CallStatus::ended);
}

TEST_F(WasmInstance, ASourceWithoutAcksWantsNone) {
  EXPECT_FALSE(start(component_path("hello-source"), "5")->wants_acks());
  EXPECT_FALSE(start(component_path("hello-source-batch"), "5")->wants_acks());
}

TEST_F(WasmInstance, ATrapInATellingOfBackpressureIsStillTheReasonAtTheNextPull) {
  const auto instance = start(test_component_path("script-source-batch"), "p");
  EXPECT_EQ(instance->notify_backpressure(true).status, CallStatus::ended);
  Run out;
  EXPECT_EQ(instance->pull(64, 1 << 20, out).status, CallStatus::ended);
  EXPECT_EQ(instance->failure().detail().trap_kind, "unreachable") << instance->failure().to_string();
}

TEST_F(WasmInstance, ASourceThatTrapsKeepsWhatItGaveBefore) {
  step_time_by_ns(0);
  const auto instance = start(test_component_path("script-source"), "eet");
  Run out;
  const CallOutcome outcome = instance->pull(64, 1 << 20, out);
  EXPECT_EQ(outcome.status, CallStatus::ended);
  EXPECT_EQ(outcome.done, 2U);
  EXPECT_THAT(texts_of(out), ElementsAre("0", "1"));
  EXPECT_EQ(instance->failure().code(), ErrorCode::component_trapped);
}

TEST_F(WasmInstance, ABatchSourceThatWritesMoreThanWasAskedForEnds) {
  const struct {
    const char* script;
    const char* says;
  } cases[] = {{"m", "more than the 8 elements"}, {"o", "no inputs to charge"}, {"f", "leaves the run"}};
  for (const auto& [script, says] : cases) {
    const auto instance = start(test_component_path("script-source-batch"), script);
    Run out;
    EXPECT_EQ(instance->pull(8, 1 << 20, out).status, CallStatus::ended) << script;
    EXPECT_EQ(instance->failure().code(), ErrorCode::sandbox_violation) << script;
    EXPECT_THAT(instance->failure().message(), HasSubstr(says));
    EXPECT_THAT(out, IsEmpty());
  }
}

// ---- aggregators --------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AnAggregatorGivesResultsWhenItLikesAndAtTheEnd) {
  const auto instance = start(test_component_path("tally"));
  Run in = run_of({"one", "two", "three", "four"});
  Run out;
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_EQ(outcome.done, 4U);
  EXPECT_THAT(texts_of(out), ElementsAre("3 elements\n"));
  EXPECT_EQ(instance->flush(out).status, CallStatus::end_of_stream);
  EXPECT_THAT(texts_of(out), ElementsAre("3 elements\n", "4 elements\n", "15 bytes\n"));
  EXPECT_EQ(content_types_.text(out[2].meta.content_type), "text/plain");
  EXPECT_THAT(out, Each(testing::Field(&Element::lineage, resources::no_lineage)));
}

TEST_F(WasmInstance, ABatchAggregatorTakesRunsAndIsFlushedUntilNothingIsLeft) {
  const auto instance = start(component_path("word-count"));
  std::string words = "twice twice";
  for (int i = 1000; i < 9000; ++i) words += " w" + std::to_string(i);
  Run in = packed_run_of({words, "twice"});
  Run out;
  EXPECT_EQ(instance->process(in, out).done, 2U);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_EQ(copies(*instance, CopyKind::guest_read), "1 copies, " + std::to_string(words.size() + 5) + " bytes");

  int flushes = 1;
  CallOutcome outcome = instance->flush(out);
  for (; outcome.status == CallStatus::ok; ++flushes) outcome = instance->flush(out);
  EXPECT_EQ(outcome.status, CallStatus::end_of_stream);
  EXPECT_GT(flushes, 1);
  ASSERT_THAT(out, SizeIs(8001));
  EXPECT_EQ(text_of(out.front()), "3 twice\n");
  EXPECT_EQ(text_of(out.back()), "1 w8999\n");
  EXPECT_EQ(content_types_.text(out.back().meta.content_type), "text/plain");
  EXPECT_THAT(out, Each(testing::Field(&Element::lineage, resources::no_lineage)));
  EXPECT_EQ(copies(*instance, CopyKind::guest_write).find(std::to_string(flushes) + " copies"), 0U);
}

TEST_F(WasmInstance, AnAggregatorThatHoldsNothingGivesNothing) {
  const auto instance = start(component_path("word-count"));
  Run out;
  EXPECT_EQ(instance->flush(out).status, CallStatus::end_of_stream);
  EXPECT_THAT(out, IsEmpty());
}

// ---- sinks --------------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, ASinkReadsOnceForEachElementOrForTheRun) {
  for (const auto& [name, expected] :
       {std::pair{"count-sink", "3 copies, 10 bytes"}, std::pair{"count-sink-batch", "1 copies, 10 bytes"}}) {
    const auto instance = start(component_path(name));
    Run in = packed_run_of({"hello", "", "world"});
    const CallOutcome outcome = instance->push(in);
    EXPECT_EQ(outcome.status, CallStatus::ok) << name;
    EXPECT_EQ(outcome.done, 3U) << name;
    EXPECT_EQ(copies(*instance, CopyKind::guest_read), expected) << name;
    EXPECT_EQ(instance->copies().total().copies, instance->copies().count(CopyKind::guest_read).copies) << name;
    EXPECT_TRUE(instance->complete());
    EXPECT_TRUE(instance->teardown());
    EXPECT_TRUE(instance->teardown()) << "and again does nothing";
  }
  EXPECT_THAT(events_.lines(), ElementsAre("info [node] 3 elements, 10 bytes", "info [node] 3 elements, 10 bytes"));
}

TEST_F(WasmInstance, AFailingInitIsE0411WithTheComponentsWords) {
  const std::shared_ptr<Component> component = load(test_component_path("fail-sink"));
  const auto instance = instantiate(*component);
  ASSERT_TRUE(instance);
  const Status initialised = (*instance)->init("init");
  ASSERT_FALSE(initialised);
  EXPECT_EQ(initialised.error().code(), ErrorCode::init_failed);
  EXPECT_THAT(initialised.error().message(), HasSubstr("internal: init as it was told"));
}

TEST_F(WasmInstance, AFailingPushNamesItsElementAndAFailingCompleteIsE0412) {
  const auto pushing = start(test_component_path("fail-sink"), "push");
  Run in = run_of({"a", "b"});
  const CallOutcome outcome = pushing->push(in);
  EXPECT_EQ(outcome.status, CallStatus::element_error);
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_EQ(pushing->error_text(), "push as it was told");

  const auto completing = start(test_component_path("fail-sink"), "complete");
  EXPECT_EQ(completing->push(in).status, CallStatus::ok);
  const Status completed = completing->complete();
  ASSERT_FALSE(completed);
  EXPECT_EQ(completed.error().code(), ErrorCode::complete_failed);
  EXPECT_THAT(completed.error().message(), HasSubstr("complete as it was told"));
}

// ---- a component's own errors -------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AnErrorIsAboutOneElementAndTheNextOnesGoOn) {
  const auto instance = start(test_component_path("fail-at"), "2");
  Run in = run_of({"a", "b", "c", "d"});
  Run out;
  CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::element_error);
  EXPECT_EQ(outcome.done, 2U);
  EXPECT_EQ(outcome.charged, 1U);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "b"));
  EXPECT_EQ(instance->error_kind(), ProcessErrorKind::internal);
  EXPECT_EQ(instance->error_text(), "as it was told");
  outcome = instance->process(std::span(in).subspan(3), out);
  EXPECT_EQ(outcome.status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("a", "b", "d"));
}

TEST_F(WasmInstance, EveryKindOfErrorArrivesAsItself) {
  const struct {
    const char* name;
    ProcessErrorKind kind;
    const char* text;
  } cases[] = {{"invalid-input", ProcessErrorKind::invalid_input, "as it was told"},
               {"unavailable", ProcessErrorKind::unavailable, "as it was told"},
               {"internal", ProcessErrorKind::internal, "as it was told"},
               {"deadline-exceeded", ProcessErrorKind::deadline_exceeded, ""},
               {"fatal", ProcessErrorKind::fatal, "as it was told"}};
  for (const auto& [name, kind, text] : cases) {
    next_sequence_ = 0;
    const auto instance = start(test_component_path("fail-at"), std::string(R"({"kind": ")") + name + "\"}");
    Run in = run_of({"a"});
    Run out;
    EXPECT_EQ(instance->process(in, out).status, CallStatus::element_error) << name;
    EXPECT_EQ(instance->error_kind(), kind) << name;
    EXPECT_EQ(instance->error_text(), text) << name;
  }
}

TEST_F(WasmInstance, ABatchErrorVoidsWhatIsChargedToItsElementAndLaterOnes) {
  const auto instance = start(test_component_path("batch-forms"), "fail-late");
  Run in = run_of({"a", "b", "c"});
  Run out = run_of({"from before"});
  const CallOutcome outcome = instance->process(in, out);
  EXPECT_EQ(outcome.status, CallStatus::element_error);
  EXPECT_EQ(outcome.done, 1U);
  EXPECT_EQ(instance->error_kind(), ProcessErrorKind::invalid_input);
  EXPECT_EQ(instance->error_text(), "the second is bad");
  EXPECT_THAT(texts_of(out), ElementsAre("from before", "a"));
}

// ---- the end of an instance ---------------------------------------------------------------------------------------------

TEST_F(WasmInstance, ATrapTellsItsBacktraceWithNamesAndLines) {
  const Error failure = end_of("trap", "2", run_of({"a", "b", "c"}), {CallStatus::ended, 2});
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.detail().trap_kind, "unreachable");
  ASSERT_THAT(failure.detail().guest_backtrace, SizeIs(testing::Ge(2U)));
  EXPECT_THAT(failure.detail().guest_backtrace[0], StartsWith("give_up"));
  EXPECT_THAT(failure.detail().guest_backtrace[1],
              AllOf(StartsWith("exports_torvyn_streaming_processor_process at "), HasSubstr("trap.c:")));
}

TEST_F(WasmInstance, AFailedAssertionTellsItsWords) {
  const Error failure = end_of("assertion", "1", run_of({"a", "b"}), {CallStatus::ended, 1});
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_THAT(failure.message(), HasSubstr("panicked: assertion `input->meta.sequence != misbehave_at` failed"));
  ASSERT_THAT(failure.detail().guest_backtrace, Not(IsEmpty()));
  EXPECT_THAT(failure.detail().guest_backtrace[0], AllOf(StartsWith("at "), HasSubstr("assertion.c:")));
  EXPECT_THAT(events_.lines(), ElementsAre(StartsWith("error [node] panicked at ")));
}

TEST_F(WasmInstance, APanicIsTheReasonWithItsMessageAndPlace) {
  const Error failure = end_of("panic", "2", run_of({"a", "b", "c"}), {CallStatus::ended, 2});
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.message(), "node panicked: I cannot shout this: \"hello 2\"");
  EXPECT_EQ(failure.detail().trap_kind, "unreachable");
  ASSERT_THAT(failure.detail().guest_backtrace, SizeIs(testing::Ge(2U)));
  EXPECT_EQ(failure.detail().guest_backtrace[0], "at src/lib.rs:8:5");
  EXPECT_THAT(failure.detail().guest_backtrace[1], StartsWith("panic_at"));
  EXPECT_THAT(failure.detail().guest_lines, ElementsAre("about to look")) << "the message has said the rest";
}

TEST_F(WasmInstance, RecursionWithoutAnEndIsAStackOverflow) {
  const Error failure = end_of("overflow", "0", run_of({"a"}));
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.detail().trap_kind, "stack-overflow");
  EXPECT_THAT(failure.message(), HasSubstr("call stack is used up"));
}

TEST_F(WasmInstance, ACallThatNeverReturnsIsE0401AfterItsTime) {
  options_.call_timeout_ns = 50'000'000;
  const auto before = std::chrono::steady_clock::now();
  const Error failure = end_of("spin", "1", run_of({"a", "b"}), {CallStatus::ended, 1});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(failure.code(), ErrorCode::call_timed_out);
  EXPECT_THAT(failure.message(), HasSubstr("50 ms"));
  EXPECT_THAT(failure.hint(), HasSubstr("the node's `timeout`"));
  EXPECT_EQ(failure.detail().trap_kind, "timeout");
  EXPECT_GT(took.count(), 0.045);
  EXPECT_LT(took.count(), 10.0);
}

TEST_F(WasmInstance, AnInitThatNeverReturnsNamesItsOwnLimit) {
  options_.init_timeout_ns = 30'000'000;
  const auto instance = instantiate(*load(test_component_path("buffer-forms")));
  ASSERT_TRUE(instance);
  const Status initialised = (*instance)->init("spin-in-init");
  ASSERT_FALSE(initialised);
  EXPECT_EQ(initialised.error().code(), ErrorCode::call_timed_out);
  EXPECT_THAT(initialised.error().message(), HasSubstr("30 ms"));
  EXPECT_THAT(initialised.error().hint(), HasSubstr("component_init_timeout"));
}

TEST_F(WasmInstance, ATeardownThatNeverReturnsNamesItsOwnLimit) {
  options_.teardown_timeout_ns = 30'000'000;
  const auto instance = start(test_component_path("buffer-forms"), "spin-in-teardown");
  const Status torn_down = instance->teardown();
  ASSERT_FALSE(torn_down);
  EXPECT_EQ(torn_down.error().code(), ErrorCode::call_timed_out);
  EXPECT_THAT(torn_down.error().message(), HasSubstr("30 ms"));
  EXPECT_THAT(torn_down.error().hint(), HasSubstr("component_teardown_timeout"));
}

TEST_F(WasmInstance, EveryCallHasItsFullTime) {
  options_.call_timeout_ns = 200'000'000;
  const auto instance = start(component_path("upper"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
  while (std::chrono::steady_clock::now() < end) {
    Run in = run_of({"a"});
    Run out;
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  }
}

TEST_F(WasmInstance, MemoryAskedForInVainIsToldWithTheLimit) {
  options_.max_memory_bytes = 4 << 20;
  const Error failure = end_of("hog", "0", run_of({"a"}));
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.detail().trap_kind, "unreachable");
  EXPECT_THAT(failure.message(), AllOf(HasSubstr("more bytes of memory in vain"), HasSubstr("of 4194304)")));
  EXPECT_THAT(failure.hint(), HasSubstr("max_memory"));
}

TEST_F(WasmInstance, MemoryStaysWithinItsLimit) {
  options_.max_memory_bytes = 4 << 20;
  const auto instance = start(test_component_path("hog"), "0");
  EXPECT_GT(instance->memory_bytes(), 0U);
  Run in = run_of({"a"});
  Run out;
  EXPECT_EQ(instance->process(in, out).status, CallStatus::ended);
  EXPECT_GT(instance->memory_bytes(), 2U << 20);
  EXPECT_LE(instance->memory_bytes(), 4U << 20);
}

TEST_F(WasmInstance, ARunThatABatchComponentReadIsFreedWithItsRecord) {
  const auto instance = start(test_component_path("batch-forms"), "typed");
  Run in = packed_run_of({std::string(64 * 1024, 'a'), "b"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  const std::uint64_t after_one_bytes = instance->memory_bytes();
  for (int i = 0; i < 100; ++i) {
    clear_run(out);
    ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  }
  EXPECT_EQ(instance->memory_bytes(), after_one_bytes);
}

TEST_F(WasmInstance, HandlesThatAreNotItsOwnAreE0303) {
  for (const auto& [component, config] : {std::pair{"double-return", "1"}, std::pair{"forge", "1"}}) {
    next_sequence_ = 0;
    const Error failure = end_of(component, config, run_of({"a", "b"}), {CallStatus::ended, 1});
    EXPECT_EQ(failure.code(), ErrorCode::stale_handle) << failure.to_string();
    EXPECT_EQ(failure.detail().trap_kind, "bad-handle") << failure.to_string();
  }
  for (const char* how : {"drop-twice", "wrong-kind"}) {
    const Error failure = end_of("buffer-forms", how, run_of({"a"}));
    EXPECT_EQ(failure.code(), ErrorCode::stale_handle) << how << ": " << failure.to_string();
  }
}

TEST_F(WasmInstance, UsingABufferAfterFreezeIsE0303) {
  for (const char* how : {"after-freeze", "freeze-twice"}) {
    const Error failure = end_of("buffer-forms", how, run_of({"a"}));
    EXPECT_EQ(failure.code(), ErrorCode::stale_handle) << how;
    EXPECT_THAT(failure.message(), HasSubstr("after `freeze`")) << how;
    EXPECT_EQ(failure.detail().trap_kind, "refused") << how;
  }
}

TEST_F(WasmInstance, BorrowsThatAreKeptAreE0304) {
  const Error failure = end_of("keeps-borrow", "1", run_of({"a", "b"}), {CallStatus::ended, 1});
  EXPECT_EQ(failure.code(), ErrorCode::borrows_outstanding);
  EXPECT_THAT(failure.hint(), HasSubstr("drop payload and context"));
  EXPECT_EQ(end_of("buffer-forms", "return-lent", run_of({"a"})).code(), ErrorCode::borrows_outstanding)
      << "what was lent can't be given away";
}

TEST_F(WasmInstance, TextThatIsNotUtf8BreaksTheContract) {
  const Error failure = end_of("buffer-forms", "bad-utf8", run_of({"a"}));
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.detail().trap_kind, "contract-violation") << failure.to_string();
}

TEST_F(WasmInstance, AContentTypeBeyondTheLimitIsE0305AndEndsTheInstance) {
  for (const char* component : {"buffer-forms", "batch-misuse"}) {
    CallOutcome expected{CallStatus::ended, 0};
    if (std::string_view(component) == "batch-misuse") expected.charged = 2;
    const Error failure = end_of(component, "long-type", run_of({"a", "b"}), expected);
    EXPECT_EQ(failure.code(), ErrorCode::capacity_exceeded) << component;
    EXPECT_THAT(failure.message(), HasSubstr("content type"));
  }
}

TEST_F(WasmInstance, ABatchThatBreaksARuleOfItsContractEndsAndGivesNothing) {
  const struct {
    const char* how;
    ErrorCode code;
    const char* says;
  } cases[] = {
      {"ends-short", ErrorCode::sandbox_violation, "`ends` does not end where `bytes` does"},
      {"ends-beyond", ErrorCode::sandbox_violation, "`ends` does not end where `bytes` does"},
      {"ends-none", ErrorCode::sandbox_violation, "`ends` does not end where `bytes` does"},
      {"ends-fall", ErrorCode::sandbox_violation, "`ends` falls at output 1"},
      {"origins-few", ErrorCode::sandbox_violation, "1 `origins` for 2 outputs"},
      {"origins-fall", ErrorCode::sandbox_violation, "`origins` falls or leaves the run at output 1"},
      {"origins-beyond", ErrorCode::sandbox_violation, "`origins` falls or leaves the run at output 0"},
      {"origins-none", ErrorCode::sandbox_violation, "1 outputs without `origins` for a run of 2"},
      {"forward-beyond", ErrorCode::sandbox_violation, "`indices` falls or leaves the run at 0"},
      {"forward-fall", ErrorCode::sandbox_violation, "`indices` falls or leaves the run at 1"},
      {"emit-odd-bytes", ErrorCode::component_trapped, "5 bytes are no numbers of four bytes each"},
      {"forward-odd-bytes", ErrorCode::component_trapped, "3 bytes are no numbers of four bytes each"},
      {"port", ErrorCode::unknown_port, "no port `nowhere`"},
      {"read-beyond", ErrorCode::sandbox_violation, "element 2 of a run of 2"},
      {"trace-beyond", ErrorCode::sandbox_violation, "element 2 of a run of 2"},
      {"error-beyond", ErrorCode::sandbox_violation, "an error about element 2 of a run of 2"},
      {"forward-flood", ErrorCode::capacity_exceeded, "outputs in one call"},
      {"emit-flood", ErrorCode::capacity_exceeded, "outputs in one call"},
      {"keep-batch", ErrorCode::borrows_outstanding, "borrow"},
      {"trap", ErrorCode::component_trapped, "unreachable"},
  };
  for (const auto& [how, code, says] : cases) {
    const Error failure = end_of("batch-misuse", how, packed_run_of({"a", "b"}), {CallStatus::ended, 0, 2});
    EXPECT_EQ(failure.code(), code) << how << ": " << failure.to_string();
    EXPECT_THAT(failure.message(), HasSubstr(says)) << how;
  }
}

TEST_F(WasmInstance, AnInstanceThatEndedGivesBackWhatItHeld) {
  auto instance = start(test_component_path("leak"), "0");
  Run in = run_of({"a", "b", "c"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  clear_run(in);
  clear_run(out);
  EXPECT_EQ(instance->held_handles(), 3U);
  options_.holdings.handles = 8;
  auto hoarder = start(test_component_path("buffer-forms"), "hoard-handles");
  in = run_of({"a"});
  EXPECT_EQ(hoarder->process(in, out).status, CallStatus::element_error);
  clear_run(in);
  EXPECT_EQ(pool_->stats().live, 8U);
  hoarder.reset();
  EXPECT_EQ(pool_->stats().live, 0U);
}

// ---- stopping -----------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, StopEndsAGuestThatSpins) {
  options_.call_timeout_ns = 60'000'000'000;
  const auto instance = start(test_component_path("spin"), "0");
  std::thread stopper([&instance] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    instance->stop();
  });
  Run in = run_of({"a"});
  Run out;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(instance->process(in, out).status, CallStatus::ended);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  EXPECT_EQ(instance->failure().code(), ErrorCode::flow_cancelled);
  EXPECT_EQ(instance->failure().detail().trap_kind, "stopped");
  expect_refuses_everything(*instance, instance->failure());
}

TEST_F(WasmInstance, StoppingOneTouchesNoOther) {
  options_.call_timeout_ns = 60'000'000'000;
  const auto spinning = start(test_component_path("spin"), "0");
  const auto working = start(component_path("upper"));
  std::atomic<bool> ended{false};
  Run bad = run_of({"a"});
  std::thread spinner([&] {
    Run out;
    spinning->process(bad, out);
    ended = true;
  });
  bool stopped = false;
  for (int i = 0; !ended; ++i) {
    Run in = run_of({"work"});
    Run out;
    ASSERT_EQ(working->process(in, out).status, CallStatus::ok);
    ASSERT_THAT(texts_of(out), ElementsAre("WORK"));
    if (i == 1000) {
      spinning->stop();
      stopped = true;
    }
  }
  spinner.join();
  EXPECT_TRUE(stopped);
  Run in = run_of({"still"});
  Run out;
  EXPECT_EQ(working->process(in, out).status, CallStatus::ok);
}

TEST_F(WasmInstance, StopEndsAGuestThatWaitsInsideWasi) {
  // Where the stop doesn't reach it the wait takes an hour: the time of the test is then over.
  for (const auto& [component, how] :
       {std::pair{"wasi-odd", "sleep-long"}, std::pair{"wasi-wait", "poll"}, std::pair{"wasi-wait", "block"}}) {
    const auto instance = start(test_component_path(component), how);
    std::thread stopper([&instance] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      instance->stop();
    });
    Run in = run_of({"wait"});
    Run out;
    EXPECT_EQ(instance->process(in, out).status, CallStatus::ended) << how;
    stopper.join();
    EXPECT_EQ(instance->failure().code(), ErrorCode::flow_cancelled) << how;
    EXPECT_EQ(instance->failure().detail().trap_kind, "stopped") << how;
    expect_refuses_everything(*instance, instance->failure());
  }
}

TEST_F(WasmInstance, AWaitThatIsOverGoesOn) {
  for (const char* how : {"poll", "block"}) {
    const auto instance = start(test_component_path("wasi-wait"), how);
    Run in = run_of({"a", "b"});
    Run out;
    const CallOutcome outcome = instance->process(in, out);
    EXPECT_EQ(outcome.status, CallStatus::ok) << how;
    EXPECT_EQ(outcome.done, 2U) << how;
  }
}

TEST_F(WasmInstance, AStoppedInstanceIsNotEnteredAgain) {
  const auto instance = start(test_component_path("buffer-forms"), "spin-in-teardown");
  instance->stop();
  EXPECT_TRUE(instance->teardown()) << "does nothing";
  Run in = run_of({"a"});
  Run out;
  EXPECT_EQ(instance->process(in, out).status, CallStatus::ended);
  EXPECT_EQ(instance->failure().code(), ErrorCode::flow_cancelled);
  EXPECT_THAT(instance->failure().detail().guest_backtrace, IsEmpty());
  expect_refuses_everything(*instance, instance->failure());
}

TEST_F(WasmInstance, StopMayComeFromAnyThreadAtAnyTime) {
  const std::shared_ptr<Component> component = load(test_component_path("wasi-wait"));
  for (int round = 0; round < 50; ++round) {
    const auto instance = start(*component, round % 2 == 0 ? "poll" : "block");
    std::atomic<bool> started{false};
    std::vector<std::thread> stoppers;
    for (int i = 0; i < 3; ++i)
      stoppers.emplace_back([&instance, &started, round] {
        started.wait(false);
        std::this_thread::sleep_for(std::chrono::microseconds(20 * round));
        instance->stop();
      });
    Run in = run_of({"a", "b", "wait"});
    Run out;
    started = true;
    started.notify_all();
    EXPECT_EQ(instance->process(in, out).status, CallStatus::ended);
    for (std::thread& stopper : stoppers) stopper.join();
    EXPECT_EQ(instance->failure().code(), ErrorCode::flow_cancelled);
  }
}

// ---- WASI, logs ---------------------------------------------------------------------------------------------------------

TEST_F(WasmInstance, AComponentThatUsesStdioAndTheTimeRuns) {
  const auto instance = start(test_component_path("wasi-upper"));
  Run in = run_of({"hello"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("HELLO"));
  EXPECT_THAT(events_.lines(),
              testing::UnorderedElementsAre("info [node] the clock goes", "info [node] the first element has 5 bytes"));
}

TEST_F(WasmInstance, AGuestThatExitsHasTrappedWithItsStatus) {
  const Error failure = end_of("wasi-odd", "exit", run_of({"a"}));
  EXPECT_EQ(failure.code(), ErrorCode::component_trapped);
  EXPECT_EQ(failure.detail().trap_kind, "exit") << failure.to_string();
}

TEST_F(WasmInstance, WaitingInWasiIsNotTheGuestsTime) {
  options_.call_timeout_ns = 50'000'000;
  const auto instance = start(test_component_path("wasi-odd"), "sleep");
  Run in = run_of({"a"});
  Run out;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(300));
}

TEST_F(WasmInstance, AMegabyteWithoutALineEndIsOneCutLine) {
  auto instance = start(test_component_path("wasi-odd"), "flood");
  Run in = run_of({"a"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(events_.lines(), IsEmpty());
  instance.reset();
  EXPECT_THAT(events_.lines(), ElementsAre("info [node] " + std::string(guest_line_bytes_max, 'x')));
}

TEST_F(WasmInstance, AnUnfinishedLineIsShownWhenTheInstanceGoes) {
  auto instance = start(test_component_path("wasi-odd"), "unfinished");
  Run in = run_of({"a"});
  Run out;
  ASSERT_EQ(instance->process(in, out).status, CallStatus::ok);
  instance.reset();
  EXPECT_THAT(events_.lines(), ElementsAre("info [node] no line's end"));
}

}  // namespace
}  // namespace torvyn::engine
