#include "torvyn/pipeline/pipeline_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "torvyn/config/runtime_config.h"

namespace torvyn::pipeline {
namespace {

using config::EdgeConfig;
using config::ErrorAction;
using config::FlowConfig;
using config::FullPolicy;
using config::NodeConfig;
using config::TrapAction;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

FlowConfig parsed(std::string_view text) {
  Result<FlowConfig> flow = parse_pipeline(text);
  EXPECT_TRUE(flow.has_value()) << text << ": " << (flow ? "" : flow.error().to_string());
  return flow ? *std::move(flow) : FlowConfig{};
}

Error refused(std::string_view text) {
  const Result<FlowConfig> flow = parse_pipeline(text);
  EXPECT_FALSE(flow.has_value()) << text;
  if (flow) return Error(ErrorCode::internal_error, "was read");
  EXPECT_EQ(flow.error().code(), ErrorCode::pipeline_syntax) << text;
  EXPECT_EQ(flow.error().detail().file, pipeline_file) << text;
  return flow.error();
}

NodeConfig stage(std::string_view text) {
  const FlowConfig flow = parsed(text);
  return flow.nodes.empty() ? NodeConfig{} : flow.nodes[0];
}

std::vector<std::string> names(std::string_view text) {
  std::vector<std::string> result;
  for (const NodeConfig& node : parsed(text).nodes) result.push_back(node.name);
  return result;
}

TEST(PipelineString, BecomesAFlow) {
  const FlowConfig flow = parsed("file access.log ! ./upper.wasm @on_error=skip ! stdout");
  EXPECT_EQ(flow.name, "main");
  EXPECT_TRUE(flow.edges.empty());
  ASSERT_EQ(flow.nodes.size(), 3U);
  EXPECT_EQ(flow.nodes[0].component, "file");
  EXPECT_THAT(flow.nodes[0].settings, ElementsAre(Pair("", "access.log")));
  EXPECT_EQ(flow.nodes[0].config, R"({"":"access.log"})");
  EXPECT_EQ(flow.nodes[1].component, "./upper.wasm");
  EXPECT_EQ(flow.nodes[1].name, "upper");
  EXPECT_EQ(flow.nodes[1].config, "");
  EXPECT_EQ(flow.nodes[1].on_error.invalid_input, ErrorAction::skip);
  EXPECT_EQ(flow.nodes[1].on_error.deadline_exceeded, ErrorAction::skip);
  EXPECT_EQ(flow.nodes[2].component, "stdout");
  EXPECT_EQ(flow.nodes[2].on_error.internal, ErrorAction::fail);
}

TEST(PipelineString, KnowsWhereItsStagesAre) {
  const FlowConfig flow = parsed("  file a.log !\n ./upper.wasm key=1 ! stdout ");
  EXPECT_EQ(flow.where.column, 3U);
  EXPECT_EQ(flow.nodes.at(0).where.file, "<pipeline>");
  EXPECT_EQ(flow.nodes.at(0).where.line, 1U);
  EXPECT_EQ(flow.nodes.at(0).where.column, 3U);
  EXPECT_EQ(flow.nodes.at(0).where.length, 4U);
  EXPECT_EQ(flow.nodes.at(0).settings_where.at("").column, 8U);
  EXPECT_EQ(flow.nodes.at(1).where.line, 2U);
  EXPECT_EQ(flow.nodes.at(1).where.column, 2U);
  EXPECT_EQ(flow.nodes.at(1).component_where.column, 2U);
  EXPECT_EQ(flow.nodes.at(1).settings_where.at("key").column, 15U);
  EXPECT_EQ(flow.nodes.at(2).where.column, 23U);
}

TEST(PipelineString, KeepsSettingsInTheirOrder) {
  const NodeConfig node = stage("grep zed=1 alpha=x=y main empty=");
  EXPECT_THAT(node.settings, ElementsAre(Pair("zed", "1"), Pair("alpha", "x=y"), Pair("", "main"), Pair("empty", "")));
  EXPECT_EQ(node.config, R"({"zed":"1","alpha":"x=y","":"main","empty":""})");
}

TEST(PipelineString, TakesQuotesOff) {
  EXPECT_THAT(stage(R"(file 'my log.txt')").settings, ElementsAre(Pair("", "my log.txt")));
  EXPECT_THAT(stage(R"(file "my log.txt")").settings, ElementsAre(Pair("", "my log.txt")));
  EXPECT_THAT(stage(R"(file pa'th'=my" "log'.'txt)").settings, ElementsAre(Pair("path", "my log.txt")));
  EXPECT_THAT(stage(R"(file my\ log.txt)").settings, ElementsAre(Pair("", "my log.txt")));
  EXPECT_THAT(stage(R"(file '')").settings, ElementsAre(Pair("", "")));
  EXPECT_EQ(stage(R"('my dir/upper.wasm')").component, "my dir/upper.wasm");
}

TEST(PipelineString, ReadsEscapesBetweenDoubleQuotesOnly) {
  EXPECT_THAT(stage(R"(s k="a\"b\\c\nd\te'f")").settings, ElementsAre(Pair("k", "a\"b\\c\nd\te'f")));
  EXPECT_THAT(stage(R"(s k='a\nb"c')").settings, ElementsAre(Pair("k", R"(a\nb"c)")));
  EXPECT_THAT(stage(R"(s k=a\nb\\\'\")").settings, ElementsAre(Pair("k", R"(anb\'")")));
}

TEST(PipelineString, GivesNoMeaningToWhatIsQuoted) {
  EXPECT_THAT(stage("file '!'").settings, ElementsAre(Pair("", "!")));
  EXPECT_THAT(stage(R"(file \!)").settings, ElementsAre(Pair("", "!")));
  EXPECT_THAT(stage("file 'a=b'").settings, ElementsAre(Pair("", "a=b")));
  EXPECT_THAT(stage(R"(file a\=b)").settings, ElementsAre(Pair("", "a=b")));
  EXPECT_THAT(stage("file '@name'").settings, ElementsAre(Pair("", "@name")));
  EXPECT_THAT(stage(R"(file \@name=x)").settings, ElementsAre(Pair("@name", "x")));
  EXPECT_THAT(stage("file user@host").settings, ElementsAre(Pair("", "user@host")));
}

TEST(PipelineString, SeparatesOnlyWhereTheMarkStandsAlone) {
  EXPECT_EQ(parsed("a\t!\nb !\r\nc").nodes.size(), 3U);
  EXPECT_THAT(stage("grep wow!").settings, ElementsAre(Pair("", "wow!")));
  EXPECT_THAT(stage("grep !x").settings, ElementsAre(Pair("", "!x")));
  EXPECT_THAT(stage("grep !!").settings, ElementsAre(Pair("", "!!")));
}

TEST(PipelineString, TakesTheFirstWordAsItIs) {
  EXPECT_EQ(stage("./key=value/upper.wasm").component, "./key=value/upper.wasm");
  EXPECT_EQ(stage("registry.example/team/upper:1.0@sha256:ab").component, "registry.example/team/upper:1.0@sha256:ab");
}

TEST(PipelineString, ReadsTheHostsKeys) {
  const NodeConfig node = stage("upper @timeout=250ms @max_memory='128 MiB' @name=Loud_1 @on_error=fail key=1");
  EXPECT_EQ(node.timeout_ns, 250 * config::ms_in_ns);
  EXPECT_EQ(node.max_memory_bytes, 128 * config::mib);
  EXPECT_EQ(node.name, "Loud_1");
  EXPECT_EQ(node.on_error.unavailable, ErrorAction::fail);
  EXPECT_THAT(node.settings, ElementsAre(Pair("key", "1")));
}

TEST(PipelineString, ReadsWhatBecomesOfFailures) {
  const NodeConfig node = stage(
      "upper @retries=5 @retry_backoff=1.5ms @on_trap=restart @restarts=7 @restart_window=2m @instances=4 "
      "@placement=parallel");
  EXPECT_EQ(node.retries, 5U);
  EXPECT_EQ(node.retry_backoff_ns, 1'500'000U);
  EXPECT_EQ(node.on_trap, TrapAction::restart);
  EXPECT_EQ(node.restarts, 7U);
  EXPECT_EQ(node.restart_window_ns, 120 * config::s_in_ns);
  EXPECT_EQ(node.instances, 4U);
  EXPECT_EQ(node.placement, config::Placement::parallel);
}

TEST(PipelineString, LeavesTheManifestsDefaultsToWhatIsNotSaid) {
  const NodeConfig node = stage("upper @name=a");
  const NodeConfig plain;
  EXPECT_EQ(node.retries, plain.retries);
  EXPECT_EQ(node.on_error.unavailable, plain.on_error.unavailable);
  EXPECT_EQ(node.on_trap, plain.on_trap);
  EXPECT_EQ(node.instances, 1U);
  EXPECT_FALSE(node.timeout_ns.has_value());
}

TEST(PipelineString, ReadsOnErrorAsAManifestDoes) {
  const NodeConfig skips = stage("upper @on_error=skip");
  EXPECT_EQ(skips.on_error.exhausted, ErrorAction::skip);
  // The same input would be invalid again, and nothing follows the last retry.
  const NodeConfig retries = stage("upper @on_error=retry");
  EXPECT_EQ(retries.on_error.internal, ErrorAction::retry);
  EXPECT_EQ(retries.on_error.invalid_input, ErrorAction::fail);
  EXPECT_EQ(retries.on_error.exhausted, ErrorAction::fail);
}

TEST(PipelineString, SendsDeadLettersToAManifest) {
  const Error error = refused("file a ! upper @on_error=dead-letter ! null");
  EXPECT_EQ(error.detail().column, 26U);
  EXPECT_THAT(error.message(), HasSubstr("no node for dead letters"));
  EXPECT_THAT(error.hint(), HasSubstr("Torvyn.toml"));
}

TEST(PipelineString, MakesEdgesOfAChainWhereSomethingIsSaidOfAStream) {
  const FlowConfig flow = parsed(
      "file a ! upper @backpressure_policy=drop-oldest @queue_depth=4 ! grep x ! null @queue_bytes=64KiB "
      "@low_watermark_ratio=0.25 @name=out");
  ASSERT_EQ(flow.edges.size(), 3U);
  std::vector<std::string> ways;
  for (const EdgeConfig& edge : flow.edges)
    ways.push_back(edge.from_node + "." + edge.from_port + " " + edge.to_node + "." + edge.to_port);
  EXPECT_THAT(ways, ElementsAre("file.output upper.input", "upper.output grep.input", "grep.output out.input"));

  EXPECT_EQ(flow.edges[0].stream.queue_depth, 4U);
  EXPECT_EQ(flow.edges[0].stream.full_policy, FullPolicy::drop_oldest);
  EXPECT_FALSE(flow.edges[0].stream.queue_bytes.has_value());
  EXPECT_EQ(flow.edges[0].where.column, 10U);
  EXPECT_EQ(flow.edges[0].from_where.column, 1U);
  EXPECT_FALSE(flow.edges[1].stream.queue_depth.has_value() || flow.edges[1].stream.full_policy.has_value());
  EXPECT_EQ(flow.edges[2].stream.queue_bytes, 64 * config::kib);
  EXPECT_EQ(flow.edges[2].stream.low_watermark_ratio, 0.25);
}

TEST(PipelineString, NamesNodesAfterTheirComponents) {
  EXPECT_THAT(names("builtin:file ! ./a/b/upper.wasm ! registry.example/team/lower:1.0 ! my.filter.wasm ! ./x.y/z"),
              ElementsAre("file", "upper", "lower", "my-filter", "z"));
}

TEST(PipelineString, NamesWhatHasNoUsableName) {
  EXPECT_THAT(names("./ ! .. ! ü.wasm ! -x ! 'a b'"), ElementsAre("stage", "stage-2", "stage-3", "x", "a-b"));
  EXPECT_EQ(names(std::string(200, 'x') + ".wasm").at(0), std::string(48, 'x'));
}

TEST(PipelineString, NumbersTheSecondOfAName) {
  EXPECT_THAT(names("file a ! upper ! ./upper.wasm ! upper ! file b"),
              ElementsAre("file", "upper", "upper-2", "upper-3", "b"));
}

TEST(PipelineString, NamesASecondFileAfterWhatItIsAbout) {
  EXPECT_THAT(names("file access.log ! upper ! file out.log"), ElementsAre("file", "upper", "out.log"));
  EXPECT_THAT(names("file a ! builtin:file append=true path=/var/log/my' 'log.txt"), ElementsAre("file", "my-log.txt"));
  EXPECT_THAT(names("file a ! file dir/a ! file ./a"), ElementsAre("file", "a", "a-2"));
  EXPECT_THAT(names("generate @name=file ! file out.log"), ElementsAre("file", "out.log"));
  EXPECT_EQ(names("file a ! file " + std::string(200, 'x')).at(1), std::string(48, 'x'));
}

TEST(PipelineString, NumbersASecondFileThatHasNoName) {
  EXPECT_THAT(names("file a ! file dir/ ! file .. ! file ! file ''"),
              ElementsAre("file", "file-2", "file-3", "file-4", "file-5"));
}

TEST(PipelineString, TakesGivenNamesBeforeItMakesOthers) {
  EXPECT_THAT(names("upper ! upper ! b @name=upper ! c @name=upper-3 ! upper-2"),
              ElementsAre("upper-2", "upper-4", "upper", "upper-3", "upper-2-2"));
}

struct BadCase {
  const char* text;
  std::uint32_t column;
  std::uint32_t caret_length;
  const char* message;  // a part of it
};

TEST(PipelineString, PointsAtWhatItCannotRead) {
  const BadCase cases[] = {
      {"", 1, 0, "the pipeline is empty"},
      {"   ", 1, 0, "the pipeline is empty"},
      {"!", 1, 1, "there is no stage before this `!`"},
      {"! a", 1, 1, "there is no stage before this `!`"},
      {"a !", 3, 1, "there is no stage after this `!`"},
      {"a ! ! b", 5, 1, "there is no stage between this `!` and the one before"},
      {"a ! !", 5, 1, "there is no stage between this `!` and the one before"},
      {"file 'a b ! stdout", 6, 1, "a quote is left open"},
      {"file key=\"a\\\"", 10, 1, "a quote is left open"},
      {"file \"a\\", 6, 1, "a quote is left open"},
      {"file a\\", 7, 1, "the backslash at the end keeps nothing"},
      {"file \"a\\qb\"", 8, 2, "this backslash means nothing"},
      {"@name=x", 1, 7, "a stage begins with its component, not with `@name=x`"},
      {"a ! @on_error=skip b", 5, 14, "a stage begins with its component"},
      {"a ! ''", 5, 2, "the component's name is empty"},
      {"a @on_eror=skip", 3, 8, "unknown key `@on_eror`, did you mean `@on_error`?"},
      {"a @grant=clokcs", 10, 6, "did you mean `clocks`?"},
      {"a @", 3, 1, "unknown key `@`"},
      {"a @=x", 3, 1, "unknown key `@`"},
      {"a @timeout", 3, 8, "`@timeout` has no value"},
      {"a @timeout=5", 12, 1, "`5` has no unit"},
      {"a @timeout=", 12, 0, "is not a duration"},
      {"a @timeout='5 q'", 12, 5, "unknown unit `q`"},
      {"a @timeout=0s", 12, 2, "`@timeout` is 0 s; it must be 0.001 µs to 24 h"},
      {"a @max_memory=64mib", 15, 5, "did you mean `MiB`?"},
      {"a @max_memory=0", 15, 1, "`@max_memory` is 0 B; it must be 1 B to 4 GiB"},
      {"a @on_error=skp", 13, 3, "`@on_error` cannot be `skp`, did you mean `skip`?"},
      {"a @on_error=Retry", 13, 5, "`@on_error` cannot be `Retry`"},
      {"a @on_trap=skip", 12, 4, "`@on_trap` cannot be `skip`"},
      {"a @retries=1001", 12, 4, "`@retries` is 1001; it must be 0 to 1000"},
      {"a @retries=-1", 12, 2, "`@retries` wants a whole number, and `-1` is none"},
      {"a @retries=3x", 12, 2, "`@retries` wants a whole number"},
      {"a @retries=99999999999999999999", 12, 20, "`@retries` wants a whole number"},
      {"a @restarts=0", 13, 1, "`@restarts` is 0; it must be 1 to 1000"},
      {"a @instances=257", 14, 3, "`@instances` is 257; it must be 1 to 256"},
      {"a @retry_backoff=10", 18, 2, "`10` has no unit"},
      {"a @dead_letter=b", 3, 12, "unknown key `@dead_letter`"},
      {"a @queue_depth=4", 3, 14, "into the first one nothing flows"},
      {"a ! b @queue_depth=0", 20, 1, "`@queue_depth` is 0; it must be 1 to 1048576"},
      {"a ! b @queue_depth", 7, 12, "`@queue_depth` has no value"},
      {"a ! b @queue_depth=1 @queue_depth=2", 22, 14, "`@queue_depth` is set twice"},
      {"a ! b @queue_dept=1", 7, 11, "did you mean `@queue_depth`?"},
      {"a ! b @backpressure_policy=drop", 28, 4, "`@backpressure_policy` cannot be `drop`"},
      {"a ! b @low_watermark_ratio=1", 28, 1, "it must be a number from 0.0 to below 1.0"},
      {"a ! b @low_watermark_ratio=nan", 28, 3, "it must be a number from 0.0 to below 1.0"},
      {"a ! b @low_watermark_ratio=0.5x", 28, 4, "it must be a number from 0.0 to below 1.0"},
      {"a @name=a.b", 9, 3, "`a.b` is not a name"},
      {"a @name=", 9, 0, "`` is not a name"},
      {"a @name=x ! b @name=x", 21, 1, "two stages are called `x`"},
      {"a @name=x @name=y", 11, 7, "`@name` is set twice"},
      {"a k=1 k=2", 7, 3, "`k` is set twice"},
      {"a one two", 7, 3, "`a` has two main settings, `one` and `two`"},
      {"a =x", 3, 2, "`=x` has no key before its `=`"},
      {"ä k=1 k=2", 8, 3, "`k` is set twice"},
  };
  for (const BadCase& bad : cases) {
    const Error error = refused(bad.text);
    EXPECT_THAT(error.message(), HasSubstr(bad.message)) << bad.text;
    EXPECT_EQ(error.detail().line, 1U) << bad.text;
    EXPECT_EQ(error.detail().column, bad.column) << bad.text << ": " << error.message();
    EXPECT_EQ(error.detail().caret_length, bad.caret_length) << bad.text << ": " << error.message();
    EXPECT_EQ(error.detail().source_line, bad.text);
  }
}

TEST(PipelineString, ShowsHowAHostsKeyIsWritten) {
  EXPECT_EQ(refused("a @retries=x").hint(), "for instance @retries=3");
  EXPECT_EQ(refused("a @restart_window=0s").hint(), "for instance @restart_window=60s");
  EXPECT_EQ(refused("a @on_error=x").hint(), "it is one of fail, skip, retry");
  EXPECT_EQ(refused("a ! b @low_watermark_ratio=2").hint(), "for instance @low_watermark_ratio=0.5");
  EXPECT_THAT(refused("a @zzz=1").hint(), HasSubstr("@on_error, @retries, @retry_backoff, @on_trap"));
}

TEST(PipelineString, PointsIntoTheRightLine) {
  const Error error = refused("file a !\n  upper k=1 k=2 !\n stdout");
  EXPECT_EQ(error.detail().line, 2U);
  EXPECT_EQ(error.detail().column, 13U);
  EXPECT_EQ(error.detail().source_line, "  upper k=1 k=2 !");
}

TEST(PipelineString, RefusesANulByte) {
  const Error error = refused(std::string_view("file a\0b", 8));
  EXPECT_EQ(error.detail().column, 7U);
}

TEST(PipelineString, TellsAPipeFromItsOwnSeparator) {
  EXPECT_THAT(refused("file a.log | ./upper.wasm | stdout").hint(), HasSubstr("separate stages by ` ! `"));
}

TEST(PipelineString, CopesWithVeryManyStages) {
  std::string text = "a";
  for (int i = 0; i < 20'000; ++i) text += " ! a k=1";
  const FlowConfig flow = parsed(text);
  ASSERT_EQ(flow.nodes.size(), 20'001U);
  EXPECT_EQ(flow.nodes.back().name, "a-20001");
  EXPECT_EQ(flow.nodes.back().where.column, text.rfind('a') + 1);
}

TEST(LooksLikePipeline, TellsItFromTheNameOfAFlow) {
  EXPECT_TRUE(looks_like_pipeline("file a ! stdout"));
  EXPECT_FALSE(looks_like_pipeline("main"));
  EXPECT_FALSE(looks_like_pipeline("my-flow_2"));
  EXPECT_TRUE(looks_like_pipeline("upper.wasm"));
  EXPECT_TRUE(looks_like_pipeline("a!b"));
  EXPECT_TRUE(looks_like_pipeline("a\tb"));
  EXPECT_FALSE(looks_like_pipeline(""));
  EXPECT_FALSE(looks_like_pipeline("upper.wasm.main"));
}

}  // namespace
}  // namespace torvyn::pipeline
