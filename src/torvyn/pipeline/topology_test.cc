#include "torvyn/pipeline/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/manifest.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::pipeline {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;
using testing::ElementsAre;
using testing::HasSubstr;

// The role a node's name speaks of: "source", "sink-2", …; a processor otherwise.
Role role_of(std::string_view name) {
  for (const Role role : {Role::source, Role::filter, Role::router, Role::aggregator, Role::sink}) {
    if (name.starts_with(contracts::role_name(role))) return role;
  }
  return Role::processor;
}

FlowConfig flow_of(const std::vector<std::string>& names,
                   const std::vector<std::pair<std::string, std::string>>& edges = {}) {
  FlowConfig flow;
  for (const std::string& name : names) {
    NodeConfig node;
    node.name = name;
    flow.nodes.push_back(std::move(node));
  }
  for (const auto& [from, to] : edges) {
    EdgeConfig edge;
    edge.from_node = from;
    edge.to_node = to;
    flow.edges.push_back(std::move(edge));
  }
  return flow;
}

Result<Chain> check(const FlowConfig& flow) {
  std::vector<RoledNode> nodes;
  for (const NodeConfig& node : flow.nodes) nodes.push_back({&node, role_of(node.name)});
  return check_chain(flow, nodes);
}

std::vector<std::size_t> order_of(const FlowConfig& flow) {
  const Result<Chain> chain = check(flow);
  EXPECT_TRUE(chain.has_value()) << (chain ? "" : chain.error().to_string());
  return chain ? chain->order : std::vector<std::size_t>{};
}

Error refused(const FlowConfig& flow, ErrorCode code = ErrorCode::graph_invalid) {
  const Result<Chain> chain = check(flow);
  EXPECT_FALSE(chain.has_value());
  if (chain) return Error(ErrorCode::internal_error, "was accepted");
  EXPECT_EQ(chain.error().code(), code) << chain.error().to_string();
  EXPECT_NE(chain.error().message(), "");
  return chain.error();
}

TEST(CheckChain, TakesNodesWithoutEdgesInFileOrder) {
  EXPECT_THAT(order_of(flow_of({"source", "a", "filter", "aggregator", "router", "sink"})),
              ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(order_of(flow_of({"source", "sink"})), ElementsAre(0, 1));
}

TEST(CheckChain, FollowsTheEdges) {
  EXPECT_THAT(order_of(flow_of({"sink", "b", "source", "a"}, {{"b", "sink"}, {"source", "a"}, {"a", "b"}})),
              ElementsAre(2, 3, 1, 0));
}

TEST(CheckChain, FindsRolesByNameInAnyOrder) {
  const FlowConfig flow = flow_of({"x", "y"});
  const std::vector<RoledNode> nodes = {{&flow.nodes[1], Role::sink}, {&flow.nodes[0], Role::source}};
  EXPECT_TRUE(check_chain(flow, nodes).has_value());
}

TEST(CheckChain, SaysThatARoleIsMissing) {
  const FlowConfig flow = flow_of({"x", "y"});
  const Result<Chain> chain = check_chain(flow, {{&flow.nodes[0], Role::source}});
  ASSERT_FALSE(chain.has_value());
  EXPECT_EQ(chain.error().code(), ErrorCode::internal_error);
  EXPECT_THAT(chain.error().message(), HasSubstr("`y`"));
}

TEST(CheckChain, WantsNodes) { EXPECT_EQ(refused(flow_of({})).message(), "flow `main` has no nodes"); }

TEST(CheckChain, WantsNamesThatDiffer) {
  EXPECT_EQ(refused(flow_of({"source", "sink", "sink"})).message(), "two nodes are called `sink`");
}

TEST(CheckChain, NamesTheNodeThatWasMeant) {
  const FlowConfig flow = flow_of({"source", "upper", "sink"}, {{"source", "uper"}, {"upper", "sink"}});
  EXPECT_EQ(refused(flow, ErrorCode::unknown_flow_or_node).message(),
            "flow `main` has no node `uper`, did you mean `upper`?");
  const Error far = refused(flow_of({"source", "sink"}, {{"elsewhere", "sink"}}), ErrorCode::unknown_flow_or_node);
  EXPECT_EQ(far.message(), "flow `main` has no node `elsewhere`");
  EXPECT_EQ(far.hint(), "its nodes are `sink`, `source`");
}

TEST(CheckChain, ListsOnlyTheFirstOfManyNodes) {
  std::vector<std::string> names;
  for (int i = 10; i < 99; ++i) names.push_back("node-" + std::to_string(i));
  const Error error = refused(flow_of(names, {{"elsewhere", "node-10"}}), ErrorCode::unknown_flow_or_node);
  EXPECT_THAT(error.hint(), HasSubstr("`node-17`, …"));
}

TEST(CheckChain, KnowsThePortsOfNodes) {
  FlowConfig flow = flow_of({"source", "upper", "sink"}, {{"source", "upper"}, {"upper", "sink"}});
  flow.edges[1].from_port = "errors";
  EXPECT_EQ(refused(flow, ErrorCode::unknown_port).message(),
            "`upper` is a processor and has no port `errors` to send from");
  flow.edges[1].from_port = "output";
  flow.edges[1].to_port = "left";
  EXPECT_EQ(refused(flow, ErrorCode::unknown_port).message(), "`sink` has no port `left` to receive at");
}

TEST(CheckChain, LetsARouterNameItsPorts) {
  FlowConfig flow = flow_of({"source", "router", "sink"}, {{"source", "router"}, {"router", "sink"}});
  flow.edges[1].from_port = "errors";
  EXPECT_THAT(order_of(flow), ElementsAre(0, 1, 2));
}

TEST(CheckChain, RefusesANodeNoEdgeNames) {
  EXPECT_EQ(refused(flow_of({"source", "lost", "sink"}, {{"source", "sink"}})).message(),
            "no edge of flow `main` names node `lost`");
}

TEST(CheckChain, RefusesASecondOutputOrInput) {
  EXPECT_EQ(refused(flow_of({"source", "sink-1", "sink-2"}, {{"source", "sink-1"}, {"source", "sink-2"}})).message(),
            "`source` has two outputs, to `sink-1` and `sink-2`");
  EXPECT_EQ(refused(flow_of({"source-1", "source-2", "sink"}, {{"source-1", "sink"}, {"source-2", "sink"}})).message(),
            "`sink` has two inputs, from `source-1` and `source-2`");
  EXPECT_EQ(refused(flow_of({"source", "sink"}, {{"source", "sink"}, {"source", "sink"}})).message(),
            "`source` has two outputs, to `sink` and `sink`");
}

TEST(CheckChain, ShowsThePathOfACycle) {
  EXPECT_EQ(refused(flow_of({"a", "b"}, {{"a", "b"}, {"b", "a"}})).message(), "the edges make a cycle: a → b → a");
  EXPECT_EQ(refused(flow_of({"a"}, {{"a", "a"}})).message(), "the edges make a cycle: a → a");
  EXPECT_EQ(
      refused(flow_of({"source", "sink", "x", "y", "z"}, {{"source", "sink"}, {"x", "z"}, {"z", "y"}, {"y", "x"}}))
          .message(),
      "the edges make a cycle: x → z → y → x");
}

TEST(CheckChain, ShortensThePathOfALongCycle) {
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::string>> edges;
  for (int i = 0; i < 1'000; ++i) {
    names.push_back("n" + std::to_string(i));
    edges.emplace_back("n" + std::to_string(i), "n" + std::to_string((i + 1) % 1'000));
  }
  const std::string message = refused(flow_of(names, edges)).message();
  EXPECT_THAT(message, HasSubstr("n0 → n1 → "));
  EXPECT_THAT(message, HasSubstr(" → … → n0"));
  EXPECT_LT(message.size(), 200U);
}

TEST(CheckChain, RefusesTwoChains) {
  const Error error =
      refused(flow_of({"source", "sink", "source-2", "sink-2"}, {{"source", "sink"}, {"source-2", "sink-2"}}));
  EXPECT_EQ(error.message(), "`source-2` is not reached from `source`: no edge leads to it");
}

TEST(CheckChain, WantsASourceFirst) {
  const Error sink = refused(flow_of({"sink", "a", "sink-2"}));
  EXPECT_EQ(sink.message(), "`sink` is a sink and stands first; a pipeline begins with a source");
  EXPECT_EQ(sink.hint(), "put a source before it: `file PATH`, `stdin` or `generate`");
  EXPECT_EQ(refused(flow_of({"aggregator", "sink"})).message(),
            "`aggregator` is an aggregator and stands first; a pipeline begins with a source");
}

TEST(CheckChain, WantsASinkLast) {
  const Error processor = refused(flow_of({"source", "upper"}));
  EXPECT_EQ(processor.message(), "`upper` is a processor and stands last; a pipeline ends with a sink");
  EXPECT_EQ(processor.hint(), "put a sink after it: `stdout`, `file PATH` or `null`");
  const Error source = refused(flow_of({"source", "source-2"}));
  EXPECT_EQ(source.message(), "`source-2` is a source and stands last; a pipeline ends with a sink");
  EXPECT_THAT(source.hint(), HasSubstr("put a sink in its place"));
}

TEST(CheckChain, WantsNoSourceOrSinkBetween) {
  const Error source = refused(flow_of({"source", "source-2", "sink"}));
  EXPECT_EQ(source.message(),
            "`source-2` is a source and stands between `source` and `sink`; a source can only stand first");
  EXPECT_EQ(source.hint(), "move it to the beginning, or put a processor, filter or aggregator in its place");
  const Error sink = refused(flow_of({"source", "sink", "sink-2"}));
  EXPECT_EQ(sink.message(), "`sink` is a sink and stands between `source` and `sink-2`; a sink can only stand last");
  EXPECT_EQ(sink.hint(), "move it to the end, or put a processor, filter or aggregator in its place");
}

TEST(CheckChain, WantsMoreThanOneStage) {
  EXPECT_EQ(refused(flow_of({"source"})).message(),
            "`source` is a source and stands alone; a pipeline ends with a sink");
  EXPECT_EQ(refused(flow_of({"sink"})).message(), "`sink` is a sink and stands alone; a pipeline begins with a source");
  EXPECT_EQ(refused(flow_of({"upper"})).message(),
            "`upper` is a processor and stands alone; a pipeline begins with a source");
}

TEST(CheckChain, ChecksRolesInTheOrderOfTheEdges) {
  EXPECT_EQ(refused(flow_of({"source", "sink"}, {{"sink", "source"}})).message(),
            "`sink` is a sink and stands first; a pipeline begins with a source");
}

TEST(CheckChain, PointsIntoThePipelineString) {
  const Result<FlowConfig> flow = parse_pipeline("source ! sink k=1 ! sink");
  ASSERT_TRUE(flow.has_value());
  const Error error = refused(*flow);
  EXPECT_EQ(error.detail().file, pipeline_file);
  EXPECT_EQ(error.detail().column, 10U);
  EXPECT_EQ(error.detail().caret_length, 4U);
  EXPECT_EQ(error.detail().source_line, "source ! sink k=1 ! sink");
}

TEST(CheckChain, PointsIntoTheManifest) {
  const Result<config::Manifest> manifest = config::parse_manifest(R"([torvyn]
name = "x"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main.nodes.source]
component = "c"
[flow.main.nodes.sink]
component = "c"
[[flow.main.edges]]
from = "source"
to = "snik"
)",
                                                                   "Torvyn.toml");
  ASSERT_TRUE(manifest.has_value());
  const Error error = refused(manifest->flows[0], ErrorCode::unknown_flow_or_node);
  EXPECT_EQ(error.detail().line, 11U);
  EXPECT_EQ(error.detail().column, 6U);
  EXPECT_EQ(error.detail().source_line, "to = \"snik\"");
}

}  // namespace
}  // namespace torvyn::pipeline
