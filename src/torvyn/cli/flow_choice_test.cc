#include "torvyn/cli/flow_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::cli {
namespace {

using config::FlowConfig;
using testing::HasSubstr;

config::Manifest manifest_with(std::vector<std::string> flows) {
  config::Manifest manifest;
  manifest.path = "Torvyn.toml";
  for (std::string& name : flows) {
    manifest.flows.emplace_back();
    manifest.flows.back().name = std::move(name);
  }
  return manifest;
}

FlowConfig pipeline_of(std::string_view text) { return pipeline::parse_pipeline(text).value(); }

TEST(ChooseFlow, TakesTheOnlyOneOrMain) {
  const config::Manifest one = manifest_with({"nightly"});
  EXPECT_EQ(choose_flow(one, "").value()->name, "nightly");
  const config::Manifest two = manifest_with({"nightly", "main"});
  EXPECT_EQ(choose_flow(two, "").value()->name, "main");
  EXPECT_EQ(choose_flow(two, "nightly").value()->name, "nightly");
}

TEST(ChooseFlow, ListsTheFlowsWhereTheChoiceIsOpen) {
  const config::Manifest two = manifest_with({"nightly", "hourly"});
  const auto open = choose_flow(two, "");
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error().code(), ErrorCode::unknown_flow_or_node);
  EXPECT_THAT(open.error().hint(), HasSubstr("nightly, hourly"));

  const auto misspelt = choose_flow(two, "nightl");
  ASSERT_FALSE(misspelt.has_value());
  EXPECT_THAT(misspelt.error().message(), HasSubstr("did you mean `nightly`?"));

  const config::Manifest none = manifest_with({});
  EXPECT_EQ(choose_flow(none, "").error().code(), ErrorCode::unknown_flow_or_node);
}

TEST(ReplaceSource, PutsFileStdinOrGeneratorInItsPlace) {
  FlowConfig flow = pipeline_of("file a.log ! ./upper.wasm ! stdout");
  ASSERT_TRUE(replace_source(flow, "b.log", ""));
  EXPECT_EQ(flow.nodes[0].name, "file");
  EXPECT_EQ(flow.nodes[0].component, "builtin:file");
  EXPECT_EQ(flow.nodes[0].settings, (decltype(flow.nodes[0].settings){{"path", "b.log"}}));
  ASSERT_TRUE(replace_source(flow, "-", ""));
  EXPECT_EQ(flow.nodes[0].component, "builtin:stdin");
  EXPECT_TRUE(flow.nodes[0].settings.empty());
  ASSERT_TRUE(replace_source(flow, "generate count=5", ""));
  EXPECT_EQ(flow.nodes[0].component, "generate");
  EXPECT_EQ(flow.nodes[0].name, "file");
  EXPECT_EQ(flow.nodes[0].settings, (decltype(flow.nodes[0].settings){{"count", "5"}}));
  EXPECT_EQ(flow.nodes[1].component, "./upper.wasm");
}

TEST(ReplaceSource, FindsTheSourceByItsEdges) {
  FlowConfig flow = pipeline_of("null ! ./upper.wasm ! file a.log");
  flow.edges.resize(2);
  flow.edges[0].from_node = "file";
  flow.edges[0].to_node = "upper";
  flow.edges[1].from_node = "upper";
  flow.edges[1].to_node = "null";
  ASSERT_TRUE(replace_source(flow, "-", ""));
  EXPECT_EQ(flow.nodes[2].component, "builtin:stdin");
  ASSERT_TRUE(replace_sink(flow, "-", ""));
  EXPECT_EQ(flow.nodes[0].component, "builtin:stdout");
}

TEST(ReplaceSink, PassesDeadLetterNodesOver) {
  FlowConfig flow = pipeline_of("stdin ! ./upper.wasm ! file out.log ! file bad.log @name=rejected");
  flow.nodes[1].dead_letter = "rejected";
  FlowConfig chain = flow;
  ASSERT_TRUE(replace_sink(chain, "-", ""));
  EXPECT_EQ(chain.nodes[2].component, "builtin:stdout");
  EXPECT_EQ(chain.nodes[3].component, "file");

  // The same with edges, and a node more on the dead letters' way.
  flow.nodes.push_back(pipeline_of("null").nodes[0]);
  for (const auto& [from, to] : {std::pair("stdin", "upper"), {"upper", "file"}, {"rejected", "null"}}) {
    flow.edges.emplace_back();
    flow.edges.back().from_node = from;
    flow.edges.back().to_node = to;
  }
  ASSERT_TRUE(replace_sink(flow, "-", ""));
  EXPECT_EQ(flow.nodes[2].component, "builtin:stdout");
  ASSERT_TRUE(replace_source(flow, "a.log", ""));
  EXPECT_EQ(flow.nodes[0].component, "builtin:file");
}

TEST(ReplaceSink, KeepsWhatTheNodeDoesAboutFailures) {
  FlowConfig flow = pipeline_of("stdin ! ./sink.wasm @on_error=skip @retries=7 @on_trap=restart @instances=2");
  flow.nodes[1].dead_letter = "rejected";
  ASSERT_TRUE(replace_sink(flow, "-", ""));
  EXPECT_EQ(flow.nodes[1].on_error.internal, config::ErrorAction::skip);
  EXPECT_EQ(flow.nodes[1].retries, 7U);
  EXPECT_EQ(flow.nodes[1].dead_letter, "rejected");
  // What a built-in stage cannot have.
  EXPECT_EQ(flow.nodes[1].on_trap, config::TrapAction::fail);
  EXPECT_EQ(flow.nodes[1].instances, 1U);
}

TEST(ReplaceSource, WantsExactlyOneSourceAndOneStage) {
  FlowConfig single = pipeline_of("./upper.wasm");
  EXPECT_EQ(replace_source(single, "-", "").error().code(), ErrorCode::usage);
  FlowConfig flow = pipeline_of("stdin ! stdout");
  EXPECT_EQ(replace_source(flow, "generate ! null", "").error().code(), ErrorCode::usage);
  EXPECT_EQ(replace_source(flow, "generate 'x", "").error().code(), ErrorCode::pipeline_syntax);
}

TEST(ReplaceSink, TakesPathsFromTheCurrentFolderNotTheManifests) {
  FlowConfig flow = pipeline_of("stdin ! stdout");
  ASSERT_TRUE(replace_sink(flow, "out.log", "project"));
  EXPECT_EQ(flow.nodes[1].settings[0].second, std::filesystem::absolute("out.log").string());
  ASSERT_TRUE(replace_sink(flow, "out.log", "."));
  EXPECT_EQ(flow.nodes[1].settings[0].second, "out.log");
}

TEST(WritesToStdout, SeesStdoutByAllItsNames) {
  EXPECT_TRUE(writes_to_stdout(pipeline_of("stdin ! stdout")));
  EXPECT_TRUE(writes_to_stdout(pipeline_of("stdin ! builtin:stdout")));
  EXPECT_TRUE(writes_to_stdout(pipeline_of("stdin ! file /dev/stdout")));
  EXPECT_TRUE(writes_to_stdout(pipeline_of("stdin ! file path=/dev/fd/1")));
  EXPECT_FALSE(writes_to_stdout(pipeline_of("stdin ! file stdout")));
  EXPECT_FALSE(writes_to_stdout(pipeline_of("stdin ! ./stdout.wasm")));
}

}  // namespace
}  // namespace torvyn::cli
