#include "torvyn/linker/linker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace torvyn::linker {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;
using contracts::Contract;
using contracts::Role;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view components_directory = TORVYN_TEST_COMPONENTS_DIR;
constexpr const char* route = "../tests/components/route.wasm";

class LinkFlow : public testing::Test {
 protected:
  static engine::Engine& engine() {
    static const std::unique_ptr<engine::Engine> engine = [] {
      Result<std::unique_ptr<engine::Engine>> made =
          engine::WasmEngine::create({.max_instances = 1, .cache_directory = {}, .events = nullptr});
      if (!made) {
        ADD_FAILURE() << made.error().to_string();
        std::abort();
      }
      return *std::move(made);
    }();
    return *engine;
  }

  // "tap" a source, "drain" a sink, "pipe" both.
  static BuiltinCatalog builtins() {
    return {.find = [](std::string_view name) -> std::optional<BuiltinRoles> {
              if (name == "tap") return BuiltinRoles{.source = true, .sink = false};
              if (name == "drain") return BuiltinRoles{.source = false, .sink = true};
              if (name == "pipe") return BuiltinRoles{.source = true, .sink = true};
              return std::nullopt;
            },
            .names = {"tap", "drain", "pipe"}};
  }

  // A chain of `stages`, written in one line a stage of "Torvyn.toml"; nodes are called n0, n1, …
  FlowConfig& chain(const std::vector<std::string>& stages) {
    flow_ = {};
    flow_.name = "main";
    for (const std::string& component : stages) {
      NodeConfig node;
      node.name = "n" + std::to_string(flow_.nodes.size());
      node.component = component;
      const auto line = static_cast<std::uint32_t>(10 + flow_.nodes.size());
      node.where = {.file = "Torvyn.toml", .line = line, .column = 1, .length = 1, .text = nullptr};
      node.component_where = {.file = "Torvyn.toml", .line = line, .column = 13, .length = 1, .text = nullptr};
      flow_.nodes.push_back(std::move(node));
    }
    return flow_;
  }

  static EdgeConfig edge(std::string from, std::string to, std::string port = "output") {
    EdgeConfig edge;
    edge.from_node = std::move(from);
    edge.from_port = std::move(port);
    edge.to_node = std::move(to);
    return edge;
  }

  Result<LinkedFlow> link() { return link_flow(flow_, engine(), builtins(), components_directory); }
  LinkedFlow linked() {
    Result<LinkedFlow> flow = link();
    if (!flow) ADD_FAILURE() << flow.error().to_string();
    return flow ? *std::move(flow) : LinkedFlow{};
  }
  Error error() {
    Result<LinkedFlow> flow = link();
    if (!flow) return std::move(flow).error();
    ADD_FAILURE() << "it was linked";
    return {ErrorCode::internal_error, "none"};
  }

  static std::vector<Role> roles_of(const LinkedFlow& flow) {
    std::vector<Role> roles;
    for (const LinkedNode& node : flow.nodes) roles.push_back(node.role);
    return roles;
  }

  // "n0.output → n1", for each edge.
  static std::vector<std::string> edges_of(const LinkedFlow& flow) {
    std::vector<std::string> edges;
    for (const LinkedEdge& edge : flow.edges) {
      const LinkedNode& from = flow.nodes.at(edge.from);
      edges.push_back(from.config->name + "." + from.ports.at(edge.port) + " → " + flow.nodes.at(edge.to).config->name);
    }
    return edges;
  }

  FlowConfig flow_;
};

TEST_F(LinkFlow, FindsBuiltinsByNameAndComponentsByPath) {
  chain({"tap", "upper.wasm", "builtin:drain"});
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::processor, Role::sink));
  EXPECT_EQ(flow.nodes[0].component, nullptr);
  ASSERT_NE(flow.nodes[1].component, nullptr);
  EXPECT_EQ(flow.nodes[1].contract, Contract::element);
  EXPECT_EQ(flow.nodes[2].component, nullptr);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(flow.nodes[i].config, &flow_.nodes[i]);
}

TEST_F(LinkFlow, AnAbsolutePathNeedsNoBaseDirectory) {
  chain({"tap", std::string(components_directory) + "/upper.wasm", "drain"});
  EXPECT_TRUE(link_flow(flow_, engine(), builtins(), {}));
}

TEST_F(LinkFlow, ComponentsTakeTheirContractWithThem) {
  chain({"hello-source-batch.wasm", "upper-batch.wasm", "grep.wasm", "word-count.wasm", "count-sink-batch.wasm"});
  flow_.nodes[2].config = "ERR";
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::processor, Role::filter, Role::aggregator, Role::sink));
  std::vector<Contract> contracts;
  for (const LinkedNode& node : flow.nodes) contracts.push_back(node.contract);
  EXPECT_THAT(contracts,
              ElementsAre(Contract::batch, Contract::batch, Contract::element, Contract::batch, Contract::batch));
}

TEST_F(LinkFlow, AStageThatCouldBeBothIsWhatItsPlaceAsksFor) {
  chain({"pipe", "upper.wasm", "pipe"});
  EXPECT_THAT(roles_of(linked()), ElementsAre(Role::source, Role::processor, Role::sink));
}

TEST_F(LinkFlow, EdgesDecideThePlaceAndTheOrder) {
  chain({"pipe", "upper.wasm", "pipe"});  // written from the sink to the source
  flow_.edges = {edge("n2", "n1"), edge("n1", "n0")};
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::processor, Role::sink));
  EXPECT_EQ(flow.nodes[0].config->name, "n2");
  EXPECT_EQ(flow.nodes[2].config->name, "n0");
}

TEST_F(LinkFlow, AChainHasAStreamBetweenEachTwoOfItsNodes) {
  chain({"tap", "upper.wasm", "drain"});
  const LinkedFlow flow = linked();
  EXPECT_THAT(edges_of(flow), ElementsAre("n0.output → n1", "n1.output → n2"));
  for (const LinkedEdge& edge : flow.edges) EXPECT_EQ(edge.stream, nullptr);
  EXPECT_THAT(flow.nodes.back().ports, IsEmpty());
}

TEST_F(LinkFlow, EdgesTakeTheirStreamsWithThem) {
  chain({"drain", "tap", "drain"});
  flow_.edges = {edge("n1", "n0"), edge("n1", "n2")};
  const LinkedFlow flow = linked();
  EXPECT_EQ(flow.nodes[0].config->name, "n1");
  EXPECT_THAT(edges_of(flow), ElementsAre("n1.output → n0", "n1.output → n2"));
  ASSERT_EQ(flow.edges.size(), 2U);
  EXPECT_EQ(flow.edges[0].stream, &flow_.edges[0].stream);
  EXPECT_EQ(flow.edges[1].stream, &flow_.edges[1].stream);
}

TEST_F(LinkFlow, ARoutersPortsAreThoseItsEdgesName) {
  chain({"tap", route, "drain", "drain"});
  flow_.edges = {edge("n0", "n1"), edge("n1", "n2", "errors"), edge("n1", "n3", "rest"), edge("n1", "n2", "rest")};
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::router, Role::sink, Role::sink));
  EXPECT_THAT(flow.nodes[1].ports, ElementsAre("errors", "rest"));
  EXPECT_THAT(edges_of(flow), ElementsAre("n0.output → n1", "n1.errors → n2", "n1.rest → n3", "n1.rest → n2"));
}

TEST_F(LinkFlow, ANodeThatOnlyGetsDeadLettersIsASink) {
  chain({"tap", "upper.wasm", "pipe", "drain"});  // "pipe" could be a source as well
  flow_.nodes[1].dead_letter = "n2";
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::processor, Role::sink, Role::sink));
  EXPECT_THAT(edges_of(flow), ElementsAre("n0.output → n1", "n1.output → n3", "n1.dead-letter → n2"));
  EXPECT_THAT(flow.nodes[1].ports, ElementsAre("output", "dead-letter"));
  EXPECT_EQ(flow.nodes[1].dead_letter_port, 1U);
  EXPECT_EQ(flow.nodes[2].dead_letter_port, std::nullopt);
  EXPECT_EQ(flow.edges.back().stream, nullptr);
}

TEST_F(LinkFlow, ASinkKeepsItsRoleWhereItSendsDeadLetters) {
  chain({"tap", "drain", "pipe"});
  flow_.edges = {edge("n0", "n2")};
  flow_.nodes[2].dead_letter = "n1";
  const LinkedFlow flow = linked();
  EXPECT_THAT(roles_of(flow), ElementsAre(Role::source, Role::sink, Role::sink));
  EXPECT_THAT(edges_of(flow), ElementsAre("n0.output → n2", "n2.dead-letter → n1"));
}

TEST_F(LinkFlow, StagesThatKeepNoStateMayHaveSeveralInstances) {
  chain({"tap", "upper.wasm", "grep.wasm", route, "drain"});
  for (const std::size_t node : {1U, 2U, 3U}) flow_.nodes[node].instances = 4;
  EXPECT_THAT(roles_of(linked()), ElementsAre(Role::source, Role::processor, Role::filter, Role::router, Role::sink));
}

TEST_F(LinkFlow, SeveralInstancesOfAStageThatMayKeepStateAreE0203) {
  const struct {
    std::size_t node;
    const char* role;
  } cases[] = {{0, "a source"}, {1, "an aggregator"}, {2, "a sink"}};
  for (const auto& [node, role] : cases) {
    chain({"hello-source.wasm", "word-count.wasm", "count-sink.wasm"});
    flow_.nodes[node].instances = 2;
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::graph_invalid) << role;
    EXPECT_THAT(failure.message(), HasSubstr("has 2 instances"));
    EXPECT_THAT(failure.message(), EndsWith(role));
    EXPECT_THAT(failure.hint(), HasSubstr("leave `instances` out"));
    EXPECT_EQ(failure.detail().node, flow_.nodes[node].name);
    EXPECT_EQ(failure.detail().line, 10U + node);
  }
}

TEST_F(LinkFlow, AParallelSourceIsE0203) {
  for (const char* source : {"tap", "hello-source.wasm"}) {
    chain({source, "upper.wasm", "drain"});
    for (config::NodeConfig& node : flow_.nodes) node.placement = config::Placement::parallel;
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::graph_invalid);
    EXPECT_EQ(failure.detail().node, "n0");
    EXPECT_EQ(failure.detail().line, 10U);
    flow_.nodes[0].placement = config::Placement::flow;
    EXPECT_TRUE(link()) << "every other stage may be, built-in ones too";
  }
}

TEST_F(LinkFlow, WhatOnlyComponentsHaveIsE0203OfABuiltinStage) {
  const struct {
    const char* name;
    void (*set)(NodeConfig&);
  } cases[] = {{"on_trap", [](NodeConfig& node) { node.on_trap = config::TrapAction::restart; }},
               {"restarts", [](NodeConfig& node) { node.restarts = 5; }},
               {"restart_window", [](NodeConfig& node) { node.restart_window_ns = 1; }},
               {"instances", [](NodeConfig& node) { node.instances = 2; }}};
  for (const auto& [name, set] : cases) {
    chain({"tap", "upper.wasm", "drain"});
    set(flow_.nodes[1]);
    EXPECT_TRUE(link()) << name << " of a component";
    set(flow_.nodes[2]);
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::graph_invalid) << name;
    EXPECT_EQ(failure.message(), "`" + std::string(name) + "` is for components; `drain` is a built-in stage");
    EXPECT_THAT(failure.hint(), HasSubstr("leave it out"));
    EXPECT_EQ(failure.detail().node, "n2");
    EXPECT_EQ(failure.detail().line, 12U);
  }
}

TEST_F(LinkFlow, BuiltinStagesRetryAndSkipLikeOthers) {
  chain({"tap", "drain"});
  flow_.nodes[1].on_error.internal = config::ErrorAction::retry;
  flow_.nodes[1].retries = 9;
  flow_.nodes[1].retry_backoff_ns = 1;
  EXPECT_TRUE(link());
}

TEST_F(LinkFlow, OneComponentInTwoNodesIsLoadedOnce) {
  chain({"tap", "upper.wasm", "upper.wasm", "drain"});
  const LinkedFlow flow = linked();
  ASSERT_EQ(flow.nodes.size(), 4U);
  EXPECT_EQ(flow.nodes[1].component, flow.nodes[2].component);
}

TEST_F(LinkFlow, AnUnknownNameIsE0210WithTheNearestBuiltin) {
  for (const char* name : {"dran", "builtin:dran"}) {
    chain({"tap", name});
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::component_not_found);
    EXPECT_THAT(failure.message(), HasSubstr("`" + std::string(name) + "`"));
    EXPECT_THAT(failure.message(), HasSubstr("`drain`")) << name;
    EXPECT_EQ(failure.detail().node, "n1");
    EXPECT_EQ(failure.detail().flow, "main");
    EXPECT_EQ(failure.detail().file, "Torvyn.toml");
    EXPECT_EQ(failure.detail().line, 11U);
    EXPECT_EQ(failure.detail().column, 13U);
  }
  chain({"tap", "nothing-like-it", "drain"});
  EXPECT_THAT(error().hint(), HasSubstr("path of a component"));
}

TEST_F(LinkFlow, AMissingFileIsE0210WithItsPath) {
  for (const char* path : {"./dran", "none.wasm"}) {
    chain({"tap", path, "drain"});
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::component_not_found) << path;
    EXPECT_THAT(failure.message(), HasSubstr(std::string(components_directory) + "/" + path));
    EXPECT_EQ(failure.detail().node, "n1");
    EXPECT_EQ(failure.detail().line, 11U);
  }
}

TEST_F(LinkFlow, AFolderIsE0004AndATextE0104) {
  chain({"tap", ".", "drain"});
  EXPECT_EQ(error().code(), ErrorCode::io_failed);
  chain({"tap", TORVYN_TEST_SOURCE_DIR "/CMakeLists.txt", "drain"});
  const Error failure = error();
  EXPECT_EQ(failure.code(), ErrorCode::not_a_component);
  EXPECT_EQ(failure.detail().node, "n1");
}

TEST_F(LinkFlow, ComponentsThatFitNoFlowAreRefusedWithTheirNode) {
  const struct {
    const char* component;
    ErrorCode code;
  } cases[] = {{"../tests/components/no-interface.wasm", ErrorCode::no_torvyn_interface},
               {"../tests/components/other-version.wasm", ErrorCode::version_incompatible},
               {"../tests/components/missing-import.wasm", ErrorCode::import_not_provided}};
  for (const auto& [component, code] : cases) {
    chain({"tap", component, "drain"});
    const Error failure = error();
    EXPECT_EQ(failure.code(), code) << failure.to_string();
    EXPECT_EQ(failure.detail().node, "n1");
    EXPECT_EQ(failure.detail().line, 11U);
  }
}

TEST_F(LinkFlow, SettingsForAComponentWithoutLifecycleAreE0206) {
  chain({"tap", "upper.wasm", "drain"});
  flow_.nodes[1].config = R"({"loud": "very"})";
  const Error failure = error();
  EXPECT_EQ(failure.code(), ErrorCode::settings_without_lifecycle);
  EXPECT_THAT(failure.message(), HasSubstr("`upper.wasm` takes no settings"));
  EXPECT_EQ(failure.detail().node, "n1");
}

TEST_F(LinkFlow, TheSameComponentMayNotSmuggleSettingsInByItsSecondNode) {
  chain({"tap", "upper.wasm", "upper.wasm", "drain"});
  flow_.nodes[2].config = "very loud";
  const Error failure = error();
  EXPECT_EQ(failure.code(), ErrorCode::settings_without_lifecycle);
  EXPECT_EQ(failure.detail().node, "n2");
}

TEST_F(LinkFlow, StagesInTheWrongPlaceAreE0203) {
  const std::vector<std::vector<std::string>> wrong{
      {"upper.wasm", "drain"},                          // no source
      {"tap", "upper.wasm"},                            // no sink
      {"drain", "upper.wasm", "tap"},                   // back to front
      {"tap", "count-sink.wasm", "drain"},              // a sink in between
      {"tap", "hello-source.wasm", "drain"},            // a source in between
      {"count-sink.wasm", "upper.wasm", "drain"},       // a sink first
      {"hello-source.wasm", "hello-source-batch.wasm"}  // a source last
  };
  for (const auto& stages : wrong) {
    chain(stages);
    const Error failure = error();
    EXPECT_EQ(failure.code(), ErrorCode::graph_invalid) << stages[0] << ": " << failure.to_string();
    EXPECT_EQ(failure.detail().file, "Torvyn.toml") << failure.to_string();
  }
}

TEST_F(LinkFlow, AFlowWithoutNodesIsE0203) {
  chain({});
  EXPECT_EQ(error().code(), ErrorCode::graph_invalid);
}

TEST_F(LinkFlow, AnEdgeToANodeThatIsNotThereIsE0207AndAnUnknownPortE0204) {
  chain({"tap", "drain"});
  flow_.edges = {edge("n0", "n7")};
  EXPECT_EQ(error().code(), ErrorCode::unknown_flow_or_node);
  flow_.edges = {edge("n0", "n1", "errors")};
  EXPECT_EQ(error().code(), ErrorCode::unknown_port);
}

}  // namespace
}  // namespace torvyn::linker
