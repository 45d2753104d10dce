#include "torvyn/pipeline/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
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
using testing::IsEmpty;

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

Result<Graph> check(const FlowConfig& flow) {
  std::vector<RoledNode> nodes;
  for (const NodeConfig& node : flow.nodes) nodes.push_back({&node, role_of(node.name)});
  return check_graph(flow, nodes);
}

Graph checked(const FlowConfig& flow) {
  Result<Graph> graph = check(flow);
  EXPECT_TRUE(graph.has_value()) << (graph ? "" : graph.error().to_string());
  return graph ? *std::move(graph) : Graph{};
}

std::vector<std::size_t> order_of(const FlowConfig& flow) { return checked(flow).order; }

// "source.output → sink", for each edge.
std::vector<std::string> edges_of(const FlowConfig& flow) {
  const Graph graph = checked(flow);
  std::vector<std::string> edges;
  for (const GraphEdge& edge : graph.edges) {
    edges.push_back(flow.nodes[edge.from].name + "." + graph.ports[edge.from].at(edge.port) + " → " +
                    flow.nodes[edge.to].name);
  }
  return edges;
}

// The same flow, whose node `sender` sends what is invalid to `receiver`.
FlowConfig with_dead_letters(FlowConfig flow, std::string_view sender, std::string_view receiver) {
  for (NodeConfig& node : flow.nodes) {
    if (node.name != sender) continue;
    node.dead_letter = receiver;
    node.on_error.invalid_input = config::ErrorAction::dead_letter;
  }
  return flow;
}

Error refused(const FlowConfig& flow, ErrorCode code = ErrorCode::graph_invalid) {
  const Result<Graph> graph = check(flow);
  EXPECT_FALSE(graph.has_value());
  if (graph) return Error(ErrorCode::internal_error, "was accepted");
  EXPECT_EQ(graph.error().code(), code) << graph.error().to_string();
  EXPECT_NE(graph.error().message(), "");
  return graph.error();
}

TEST(CheckGraph, TakesNodesWithoutEdgesInFileOrder) {
  EXPECT_THAT(order_of(flow_of({"source", "a", "filter", "aggregator", "router", "sink"})),
              ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(order_of(flow_of({"source", "sink"})), ElementsAre(0, 1));
}

TEST(CheckGraph, FollowsTheEdges) {
  EXPECT_THAT(order_of(flow_of({"sink", "b", "source", "a"}, {{"b", "sink"}, {"source", "a"}, {"a", "b"}})),
              ElementsAre(2, 3, 1, 0));
}

TEST(CheckGraph, PutsEachNodeBehindThoseItReceivesFrom) {
  // A diamond, written from its end to its beginning.
  EXPECT_THAT(order_of(flow_of(
                  {"sink", "join", "right", "left", "source"},
                  {{"join", "sink"}, {"left", "join"}, {"right", "join"}, {"source", "left"}, {"source", "right"}})),
              ElementsAre(4, 2, 3, 1, 0));
  // Both a way through `a` and one around it.
  EXPECT_THAT(order_of(flow_of({"source", "sink", "a"}, {{"source", "sink"}, {"source", "a"}, {"a", "sink"}})),
              ElementsAre(0, 2, 1));
}

TEST(CheckGraph, FollowsAChainToItsEndBeforeTheNext) {
  EXPECT_THAT(order_of(flow_of({"source", "a", "b", "sink-a", "sink-b"},
                               {{"source", "a"}, {"source", "b"}, {"a", "sink-a"}, {"b", "sink-b"}})),
              ElementsAre(0, 1, 3, 2, 4));
  EXPECT_THAT(order_of(flow_of({"source-1", "source-2", "a", "b", "sink"},
                               {{"source-1", "a"}, {"source-2", "b"}, {"a", "sink"}, {"b", "sink"}})),
              ElementsAre(0, 2, 1, 3, 4));
}

TEST(CheckGraph, TakesTheFirstOfTheFileWhereSeveralCouldBeNext) {
  // The edges name them the other way round.
  EXPECT_THAT(order_of(flow_of({"source", "sink-1", "sink-2", "sink-3"},
                               {{"source", "sink-3"}, {"source", "sink-2"}, {"source", "sink-1"}})),
              ElementsAre(0, 1, 2, 3));
}

TEST(CheckGraph, TakesSeveralPipelinesThatDoNotTouch) {
  EXPECT_THAT(order_of(flow_of({"source", "source-2", "sink", "sink-2"}, {{"source-2", "sink-2"}, {"source", "sink"}})),
              ElementsAre(0, 2, 1, 3));
}

TEST(CheckGraph, GivesTheEdgesAsWritten) {
  const FlowConfig flow = flow_of({"source-1", "source-2", "sink"}, {{"source-2", "sink"}, {"source-1", "sink"}});
  EXPECT_THAT(edges_of(flow), ElementsAre("source-2.output → sink", "source-1.output → sink"));
  const Graph graph = checked(flow);
  EXPECT_EQ(graph.edges.at(0).config, &flow.edges[0]);
  EXPECT_EQ(graph.edges.at(1).config, &flow.edges[1]);
}

TEST(CheckGraph, GivesTheEdgesOfAChainThatWasNotWritten) {
  const FlowConfig flow = flow_of({"source", "a", "sink"});
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → a", "a.output → sink"));
  for (const GraphEdge& edge : checked(flow).edges) EXPECT_EQ(edge.config, nullptr);
}

TEST(CheckGraph, GivesEachNodeThePortsThatEdgesName) {
  FlowConfig flow = flow_of({"source", "router", "sink-1", "sink-2", "sink-3"},
                            {{"source", "router"}, {"router", "sink-1"}, {"router", "sink-2"}, {"router", "sink-3"}});
  flow.edges[1].from_port = "slow";
  flow.edges[2].from_port = "fast";
  flow.edges[3].from_port = "slow";
  EXPECT_THAT(checked(flow).ports,
              ElementsAre(ElementsAre("output"), ElementsAre("slow", "fast"), IsEmpty(), IsEmpty(), IsEmpty()));
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → router", "router.slow → sink-1", "router.fast → sink-2",
                                          "router.slow → sink-3"));
}

TEST(CheckGraph, SendsDeadLettersByAPortOfTheirOwn) {
  const FlowConfig flow = with_dead_letters(
      flow_of({"source", "a", "sink", "sink-bad"}, {{"source", "a"}, {"a", "sink"}}), "a", "sink-bad");
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → a", "a.output → sink", "a.dead-letter → sink-bad"));
  const Graph graph = checked(flow);
  EXPECT_THAT(graph.dead_letter_port, ElementsAre(std::nullopt, 1U, std::nullopt, std::nullopt));
  EXPECT_THAT(graph.order, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(graph.edges.at(2).config, nullptr);
}

TEST(CheckGraph, LetsASinkHaveADeadLetterNode) {
  const FlowConfig flow = with_dead_letters(flow_of({"source", "sink-bad", "sink"}), "sink", "sink-bad");
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → sink", "sink.dead-letter → sink-bad"));
  EXPECT_EQ(checked(flow).dead_letter_port.at(2), 0U);
  EXPECT_THAT(order_of(flow), ElementsAre(0, 2, 1));
}

TEST(CheckGraph, LeavesDeadLetterNodesOutOfAChainThatWasNotWritten) {
  FlowConfig flow = with_dead_letters(flow_of({"source", "a", "sink-bad", "b", "sink"}), "a", "sink-bad");
  flow = with_dead_letters(std::move(flow), "b", "sink-bad");
  EXPECT_THAT(implied_chain(flow), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → a", "a.output → b", "b.output → sink",
                                          "a.dead-letter → sink-bad", "b.dead-letter → sink-bad"));
}

TEST(CheckGraph, LetsDeadLettersGoWhereOtherElementsGoToo) {
  const FlowConfig flow =
      with_dead_letters(flow_of({"source", "a", "sink"}, {{"source", "a"}, {"a", "sink"}}), "a", "sink");
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → a", "a.output → sink", "a.dead-letter → sink"));
}

TEST(CheckGraph, LetsDeadLettersPassOtherNodesOnTheirWayToASink) {
  const FlowConfig flow = with_dead_letters(
      flow_of({"source", "a", "sink", "wrap", "sink-bad"}, {{"source", "a"}, {"a", "sink"}, {"wrap", "sink-bad"}}), "a",
      "wrap");
  EXPECT_THAT(order_of(flow), ElementsAre(0, 1, 2, 3, 4));
}

TEST(CheckGraph, WantsADeadLetterNodeForTheAction) {
  FlowConfig flow = flow_of({"source", "a", "sink"});
  config::ErrorPolicy& policy = flow.nodes[1].on_error;
  for (config::ErrorAction* action :
       {&policy.invalid_input, &policy.unavailable, &policy.internal, &policy.deadline_exceeded, &policy.exhausted}) {
    policy = {};
    *action = config::ErrorAction::dead_letter;
    const Error error = refused(flow);
    EXPECT_EQ(error.message(), "`a` sends elements to its dead-letter node, and has none");
    EXPECT_EQ(error.hint(), "add dead_letter = \"NODE\" to [flow.main.nodes.a]");
  }
}

TEST(CheckGraph, NamesTheDeadLetterNodeThatWasMeant) {
  const FlowConfig flow = with_dead_letters(flow_of({"source", "a", "sink", "sink-bad"}), "a", "sink-bat");
  EXPECT_EQ(refused(flow, ErrorCode::unknown_flow_or_node).message(),
            "flow `main` has no node `sink-bat`, did you mean `sink-bad`?");
}

TEST(CheckGraph, WantsNoSourceWhereDeadLettersAreSentOrReceived) {
  constexpr std::string_view no_sender = "`source` is a source: it is given no element to send to a dead-letter node";
  FlowConfig flow = flow_of({"source", "sink", "sink-bad"});
  flow.nodes[0].dead_letter = "sink-bad";
  EXPECT_EQ(refused(flow).message(), no_sender);
  flow = flow_of({"source", "sink"});
  flow.nodes[0].on_error.internal = config::ErrorAction::dead_letter;
  EXPECT_EQ(refused(flow).message(), no_sender);
  flow = with_dead_letters(flow_of({"source", "a", "sink", "source-bad"}), "a", "source-bad");
  EXPECT_EQ(refused(flow).message(), "`source-bad` is a source and cannot receive what `a` sends away");
}

TEST(CheckGraph, WantsASinkWhereDeadLettersEnd) {
  const FlowConfig flow = with_dead_letters(flow_of({"source", "a", "sink", "wrap"}), "a", "wrap");
  EXPECT_EQ(refused(flow).message(), "`wrap` is a processor and stands last; a pipeline ends with a sink");
}

TEST(CheckGraph, TakesADeadLetterWayForNoOutput) {
  const FlowConfig flow = with_dead_letters(
      flow_of({"source", "a", "sink", "sink-bad"}, {{"source", "a"}, {"source", "sink"}}), "a", "sink-bad");
  const Error error = refused(flow);
  EXPECT_EQ(error.message(), "`a` is a processor and stands last; a pipeline ends with a sink");
  EXPECT_EQ(error.hint(), "add an edge that leads on from it: from = \"a\"");
}

TEST(CheckGraph, SaysThatTheLastSinkIsADeadLetterNode) {
  const Error error = refused(with_dead_letters(flow_of({"source", "a", "sink"}), "a", "sink"));
  EXPECT_EQ(error.message(), "`a` is a processor and stands last; a pipeline ends with a sink");
  EXPECT_THAT(error.hint(), HasSubstr("left out of the chain"));
}

TEST(CheckGraph, KeepsARoutersPortsApartFromItsDeadLetters) {
  FlowConfig flow =
      with_dead_letters(flow_of({"source", "router", "sink", "sink-bad"}, {{"source", "router"}, {"router", "sink"}}),
                        "router", "sink-bad");
  flow.edges[1].from_port = "dead-letter";
  EXPECT_EQ(refused(flow).message(), "port `dead-letter` of `router` leads to its dead-letter node, and to no other");
  flow.nodes[1].dead_letter = "";
  flow.nodes[1].on_error = {};
  flow.edges.push_back(flow.edges[1]);
  flow.edges[2].to_node = "sink-bad";
  EXPECT_THAT(edges_of(flow),
              ElementsAre("source.output → router", "router.dead-letter → sink", "router.dead-letter → sink-bad"));
  EXPECT_EQ(checked(flow).dead_letter_port.at(1), std::nullopt);
}

TEST(CheckGraph, FindsRolesByNameInAnyOrder) {
  const FlowConfig flow = flow_of({"x", "y"});
  const std::vector<RoledNode> nodes = {{&flow.nodes[1], Role::sink}, {&flow.nodes[0], Role::source}};
  EXPECT_TRUE(check_graph(flow, nodes).has_value());
}

TEST(CheckGraph, SaysThatARoleIsMissing) {
  const FlowConfig flow = flow_of({"x", "y"});
  const Result<Graph> graph = check_graph(flow, {{&flow.nodes[0], Role::source}});
  ASSERT_FALSE(graph.has_value());
  EXPECT_EQ(graph.error().code(), ErrorCode::internal_error);
  EXPECT_THAT(graph.error().message(), HasSubstr("`y`"));
}

TEST(CheckGraph, WantsNodes) { EXPECT_EQ(refused(flow_of({})).message(), "flow `main` has no nodes"); }

TEST(CheckGraph, WantsNamesThatDiffer) {
  EXPECT_EQ(refused(flow_of({"source", "sink", "sink"})).message(), "two nodes are called `sink`");
}

TEST(CheckGraph, NamesTheNodeThatWasMeant) {
  const FlowConfig flow = flow_of({"source", "upper", "sink"}, {{"source", "uper"}, {"upper", "sink"}});
  EXPECT_EQ(refused(flow, ErrorCode::unknown_flow_or_node).message(),
            "flow `main` has no node `uper`, did you mean `upper`?");
  const Error far = refused(flow_of({"source", "sink"}, {{"elsewhere", "sink"}}), ErrorCode::unknown_flow_or_node);
  EXPECT_EQ(far.message(), "flow `main` has no node `elsewhere`");
  EXPECT_EQ(far.hint(), "its nodes are `sink`, `source`");
}

TEST(CheckGraph, ListsOnlyTheFirstOfManyNodes) {
  std::vector<std::string> names;
  for (int i = 10; i < 99; ++i) names.push_back("node-" + std::to_string(i));
  const Error error = refused(flow_of(names, {{"elsewhere", "node-10"}}), ErrorCode::unknown_flow_or_node);
  EXPECT_THAT(error.hint(), HasSubstr("`node-17`, …"));
}

TEST(CheckGraph, KnowsThePortsOfNodes) {
  FlowConfig flow = flow_of({"source", "upper", "sink"}, {{"source", "upper"}, {"upper", "sink"}});
  flow.edges[1].from_port = "errors";
  EXPECT_EQ(refused(flow, ErrorCode::unknown_port).message(),
            "`upper` is a processor and has no port `errors` to send from");
  flow.edges[1].from_port = "output";
  flow.edges[1].to_port = "left";
  EXPECT_EQ(refused(flow, ErrorCode::unknown_port).message(), "`sink` has no port `left` to receive at");
}

TEST(CheckGraph, LetsARouterNameItsPorts) {
  FlowConfig flow = flow_of({"source", "router", "sink"}, {{"source", "router"}, {"router", "sink"}});
  flow.edges[1].from_port = "errors";
  EXPECT_THAT(order_of(flow), ElementsAre(0, 1, 2));
}

TEST(CheckGraph, RefusesANodeNoEdgeNames) {
  EXPECT_EQ(refused(flow_of({"source", "lost", "sink"}, {{"source", "sink"}})).message(),
            "no edge of flow `main` names node `lost`");
}

TEST(CheckGraph, RefusesTheSameEdgeTwice) {
  FlowConfig flow = flow_of({"source", "sink"}, {{"source", "sink"}, {"source", "sink"}});
  EXPECT_EQ(refused(flow).message(), "the edge from `source` to `sink` is there twice");
  flow.edges[0].where.line = 7;
  EXPECT_EQ(refused(flow).message(), "the edge from `source` to `sink` is there twice; the other one is in line 7");
}

TEST(CheckGraph, LetsTwoPortsLeadToOneNode) {
  FlowConfig flow =
      flow_of({"source", "router", "sink"}, {{"source", "router"}, {"router", "sink"}, {"router", "sink"}});
  flow.edges[1].from_port = "a";
  flow.edges[2].from_port = "b";
  EXPECT_THAT(edges_of(flow), ElementsAre("source.output → router", "router.a → sink", "router.b → sink"));
}

TEST(CheckGraph, ShowsThePathOfACycle) {
  EXPECT_EQ(refused(flow_of({"a", "b"}, {{"a", "b"}, {"b", "a"}})).message(), "the edges make a cycle: a → b → a");
  EXPECT_EQ(refused(flow_of({"a"}, {{"a", "a"}})).message(), "the edges make a cycle: a → a");
  EXPECT_EQ(
      refused(flow_of({"source", "sink", "x", "y", "z"}, {{"source", "sink"}, {"x", "z"}, {"z", "y"}, {"y", "x"}}))
          .message(),
      "the edges make a cycle: x → z → y → x");
}

TEST(CheckGraph, ShowsACycleWithoutTheNodesBehindIt) {
  EXPECT_EQ(refused(flow_of({"sink", "source", "a", "b"}, {{"source", "b"}, {"a", "b"}, {"b", "a"}, {"b", "sink"}}))
                .message(),
            "the edges make a cycle: a → b → a");
}

TEST(CheckGraph, CountsDeadLetterWaysIntoCycles) {
  FlowConfig flow =
      with_dead_letters(flow_of({"source", "a", "b", "sink"}, {{"source", "a"}, {"a", "b"}, {"b", "sink"}}), "b", "a");
  Error error = refused(flow);
  EXPECT_EQ(error.message(), "the edges make a cycle: a → b → a");
  EXPECT_EQ(error.hint(), "name another node as `dead_letter` of `b`: `a` leads back to it");
  error = refused(with_dead_letters(flow_of({"source", "sink", "a"}, {{"source", "sink"}}), "a", "a"));
  EXPECT_EQ(error.message(), "the edges make a cycle: a → a");
  // Without edges each is left out of the chain for the other.
  flow = with_dead_letters(with_dead_letters(flow_of({"sink-1", "sink-2"}), "sink-1", "sink-2"), "sink-2", "sink-1");
  EXPECT_EQ(refused(flow).message(), "the edges make a cycle: sink-1 → sink-2 → sink-1");
}

TEST(CheckGraph, ShortensThePathOfALongCycle) {
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

// The names on the path of a cycle's message.
std::vector<std::string> path_of(std::string_view message) {
  constexpr std::string_view arrow = " → ";
  std::vector<std::string> path;
  message.remove_prefix(message.find(": ") + 2);
  for (std::size_t end = message.find(arrow); end != std::string_view::npos; end = message.find(arrow)) {
    path.emplace_back(message.substr(0, end));
    message.remove_prefix(end + arrow.size());
  }
  path.emplace_back(message);
  return path;
}

// Between a source and a sink that reach all others, so that only cycles can be wrong.
TEST(CheckGraph, OrdersAnyGraphOrShowsACycleOfIt) {
  std::mt19937 random(1);
  int ordered = 0;
  constexpr int graphs = 400;
  for (int graph = 0; graph < graphs; ++graph) {
    const std::size_t middle_count = 2 + random() % 8;
    std::set<std::pair<std::string, std::string>> edges;
    std::vector<std::string> names = {"sink", "source"};
    for (std::size_t i = 0; i < middle_count; ++i) {
      names.push_back("n" + std::to_string(i));
      edges.emplace("source", names.back());
      edges.emplace(names.back(), "sink");
    }
    for (std::size_t i = 0; i < middle_count; ++i) {
      edges.emplace(names[2 + random() % middle_count], names[2 + random() % middle_count]);
    }
    std::ranges::shuffle(names, random);
    const FlowConfig flow = flow_of(names, {edges.begin(), edges.end()});
    const Result<Graph> result = check(flow);
    if (!result) {
      ASSERT_THAT(result.error().message(), HasSubstr("make a cycle: "));
      const std::vector<std::string> path = path_of(result.error().message());
      ASSERT_GE(path.size(), 2U);
      EXPECT_EQ(path.front(), path.back());
      for (std::size_t i = 1; i < path.size(); ++i) EXPECT_TRUE(edges.contains({path[i - 1], path[i]}));
      continue;
    }
    ++ordered;
    std::vector<std::size_t> positions(names.size(), names.size());
    for (std::size_t i = 0; i < result->order.size(); ++i) positions.at(result->order[i]) = i;
    EXPECT_THAT(positions, testing::Each(testing::Lt(names.size())));
    for (const GraphEdge& edge : result->edges) EXPECT_LT(positions[edge.from], positions[edge.to]);
    EXPECT_EQ(result->edges.size(), edges.size());
  }
  // Both outcomes were seen often.
  EXPECT_GT(ordered, graphs / 10);
  EXPECT_LT(ordered, graphs - graphs / 10);
}

TEST(CheckGraph, WantsASourceFirst) {
  const Error processor = refused(flow_of({"a", "sink"}));
  EXPECT_EQ(processor.message(), "`a` is a processor and stands first; a pipeline begins with a source");
  EXPECT_EQ(processor.hint(), "put a source before it: `file PATH`, `stdin` or `generate`");
  const Error sink = refused(flow_of({"sink", "a", "sink-2"}));
  EXPECT_EQ(sink.message(), "`sink` is a sink and stands first; a pipeline begins with a source");
  EXPECT_THAT(sink.hint(), HasSubstr("put a source in its place"));
  EXPECT_EQ(refused(flow_of({"aggregator", "sink"})).message(),
            "`aggregator` is an aggregator and stands first; a pipeline begins with a source");
}

TEST(CheckGraph, WantsEveryNodeReachedFromASource) {
  const Error error = refused(flow_of({"source", "sink", "a", "sink-2"}, {{"source", "sink"}, {"a", "sink-2"}}));
  EXPECT_EQ(error.message(), "`a` is a processor and stands first; a pipeline begins with a source");
  EXPECT_EQ(error.hint(), "add an edge that leads to it: to = \"a\"");
}

TEST(CheckGraph, WantsASinkLast) {
  const Error processor = refused(flow_of({"source", "upper"}));
  EXPECT_EQ(processor.message(), "`upper` is a processor and stands last; a pipeline ends with a sink");
  EXPECT_EQ(processor.hint(), "put a sink after it: `stdout`, `file PATH` or `null`");
  const Error source = refused(flow_of({"source", "source-2"}));
  EXPECT_EQ(source.message(), "`source-2` is a source and stands last; a pipeline ends with a sink");
  EXPECT_THAT(source.hint(), HasSubstr("put a sink in its place"));
}

TEST(CheckGraph, WantsNoSourceOrSinkBetween) {
  const Error source = refused(flow_of({"source", "source-2", "sink"}));
  EXPECT_EQ(source.message(),
            "`source-2` is a source and stands between `source` and `sink`; a source can only stand first");
  EXPECT_EQ(source.hint(), "move it to the beginning, or put a processor, filter or aggregator in its place");
  const Error sink = refused(flow_of({"source", "sink", "sink-2"}));
  EXPECT_EQ(sink.message(), "`sink` is a sink and stands between `source` and `sink-2`; a sink can only stand last");
  EXPECT_EQ(sink.hint(), "move it to the end, or put a processor, filter or aggregator in its place");
  EXPECT_EQ(refused(flow_of({"source-1", "source-2", "sink", "sink-2"},
                            {{"source-1", "sink"}, {"source-2", "sink"}, {"sink", "sink-2"}}))
                .message(),
            "`sink` is a sink and stands between `source-1` and `sink-2`; a sink can only stand last");
}

TEST(CheckGraph, WantsMoreThanOneStage) {
  EXPECT_EQ(refused(flow_of({"source"})).message(),
            "`source` is a source and stands alone; a pipeline ends with a sink");
  EXPECT_EQ(refused(flow_of({"sink"})).message(), "`sink` is a sink and stands alone; a pipeline begins with a source");
  EXPECT_EQ(refused(flow_of({"upper"})).message(),
            "`upper` is a processor and stands alone; a pipeline begins with a source");
}

TEST(CheckGraph, CopesWithAChainOfVeryManyNodes) {
  std::vector<std::string> names = {"source"};
  std::vector<std::pair<std::string, std::string>> edges;
  for (int i = 0; i < 50'000; ++i) names.push_back("n" + std::to_string(i));
  names.emplace_back("sink");
  for (std::size_t i = 1; i < names.size(); ++i) edges.emplace_back(names[i - 1], names[i]);
  EXPECT_EQ(order_of(flow_of(names, edges)).size(), names.size());
}

TEST(CheckGraph, CopesWithVeryManyPorts) {
  FlowConfig flow = flow_of({"source", "router", "sink"}, {{"source", "router"}});
  for (int i = 0; i < 50'000; ++i) {
    EdgeConfig edge;
    edge.from_node = "router";
    edge.from_port = "p" + std::to_string(i);
    edge.to_node = "sink";
    flow.edges.push_back(std::move(edge));
  }
  EXPECT_EQ(checked(flow).ports.at(1).size(), 50'000U);
}

TEST(CheckGraph, ChecksRolesInTheOrderOfTheEdges) {
  EXPECT_EQ(refused(flow_of({"source", "sink"}, {{"sink", "source"}})).message(),
            "`sink` is a sink and stands first; a pipeline begins with a source");
}

TEST(CheckGraph, PointsIntoThePipelineString) {
  const Result<FlowConfig> flow = parse_pipeline("source ! sink k=1 ! sink");
  ASSERT_TRUE(flow.has_value());
  const Error error = refused(*flow);
  EXPECT_EQ(error.detail().file, pipeline_file);
  EXPECT_EQ(error.detail().column, 10U);
  EXPECT_EQ(error.detail().caret_length, 4U);
  EXPECT_EQ(error.detail().source_line, "source ! sink k=1 ! sink");
}

constexpr std::string_view manifest_text = R"([torvyn]
name = "x"
version = "0.1.0"
contract_version = "0.1.0"
[flow.main.nodes.source]
component = "c"
[flow.main.nodes.sink]
component = "c"
dead_letter = "snik"
[[flow.main.edges]]
from = "source"
to = "sink"
[[flow.main.edges]]
from = "source"
to = "snik"
)";

TEST(CheckGraph, PointsIntoTheManifest) {
  const Result<config::Manifest> manifest = config::parse_manifest(manifest_text, "Torvyn.toml");
  ASSERT_TRUE(manifest.has_value());
  FlowConfig flow = manifest->flows.at(0);
  const Error edge = refused(flow, ErrorCode::unknown_flow_or_node);
  EXPECT_EQ(edge.detail().line, 15U);
  EXPECT_EQ(edge.detail().column, 6U);
  EXPECT_EQ(edge.detail().source_line, "to = \"snik\"");
  flow.edges.pop_back();
  const Error dead_letter = refused(flow, ErrorCode::unknown_flow_or_node);
  EXPECT_EQ(dead_letter.detail().line, 9U);
  EXPECT_EQ(dead_letter.detail().column, 15U);
  EXPECT_EQ(dead_letter.detail().source_line, "dead_letter = \"snik\"");
  flow.edges.push_back(flow.edges[0]);
  flow.edges[1].where = manifest->flows[0].edges[1].where;
  const Error twice = refused(flow);
  EXPECT_EQ(twice.detail().line, 13U);
  EXPECT_THAT(twice.message(), HasSubstr("in line 10"));
}

}  // namespace
}  // namespace torvyn::pipeline
