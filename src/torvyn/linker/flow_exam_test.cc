#include "torvyn/linker/flow_exam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <utility>

namespace torvyn::linker {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;
using contracts::Role;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view components_directory = TORVYN_TEST_COMPONENTS_DIR;

class ExamineFlow : public testing::Test {
 protected:
  static engine::Engine& engine() {
    static const std::unique_ptr<engine::Engine> engine = [] {
      Result<std::unique_ptr<engine::Engine>> made =
          engine::WasmEngine::create({.max_instances = 0, .cache_directory = {}, .events = nullptr});
      if (!made) std::abort();
      return *std::move(made);
    }();
    return *engine;
  }

  // Nodes are called by their component's file, without folder and ending.
  FlowConfig& chain(const std::vector<std::string>& stages) {
    flow_ = {};
    for (const std::string& component : stages) {
      NodeConfig node;
      node.name = std::filesystem::path(component).stem();
      node.component = component;
      const auto line = static_cast<std::uint32_t>(10 + flow_.nodes.size());
      node.where = {.file = "Torvyn.toml", .line = line, .column = 1, .length = 1, .text = nullptr};
      flow_.nodes.push_back(std::move(node));
    }
    return flow_;
  }

  FlowExam examine() {
    static const BuiltinCatalog builtins{.find = [](std::string_view name) -> std::optional<BuiltinRoles> {
                                           if (name == "tap") return BuiltinRoles{.source = true, .sink = false};
                                           if (name == "drain") return BuiltinRoles{.source = false, .sink = true};
                                           return std::nullopt;
                                         },
                                         .names = {"tap", "drain"}};
    static const contracts::ContractValidator validator = [] {
      Result<contracts::ContractValidator> made = contracts::ContractValidator::create();
      if (!made) std::abort();
      return *std::move(made);
    }();
    ExamRequest request{.base_directory = components_directory,
                        .builtins = &builtins,
                        .validator = &validator,
                        .terms = [this](const NodeConfig& node) { return terms_[node.name]; },
                        .strict_imports = strict_imports_};
    return examine_flow(flow_, engine(), request);
  }

  static std::vector<std::string> codes(const std::vector<Error>& errors) {
    std::vector<std::string> texts;
    for (const Error& error : errors) texts.push_back(code_string(error.code()) + " " + error.detail().node);
    return texts;
  }

  FlowConfig flow_;
  std::map<std::string, Terms> terms_;
  bool strict_imports_ = false;
};

TEST_F(ExamineFlow, TellsRolesInterfacesAndEdges) {
  chain({"tap", "upper.wasm", "count-sink-batch.wasm"});
  const FlowExam exam = examine();
  EXPECT_TRUE(exam.ok());
  EXPECT_THAT(exam.warnings, IsEmpty());
  ASSERT_THAT(exam.nodes, SizeIs(3));
  EXPECT_TRUE(exam.nodes[0].is_builtin);
  EXPECT_EQ(exam.nodes[1].role, Role::processor);
  EXPECT_EQ(exam.nodes[1].interface, "torvyn:streaming/processor@0.1.0");
  EXPECT_EQ(exam.nodes[2].role, Role::sink);
  EXPECT_EQ(exam.nodes[2].contract, contracts::Contract::batch);
  ASSERT_THAT(exam.edges, SizeIs(2));
  EXPECT_EQ(exam.edges[1].from, "upper");
  EXPECT_EQ(exam.edges[1].port, "output");
  EXPECT_EQ(exam.edges[1].to, "count-sink-batch");
}

TEST_F(ExamineFlow, FindsWhatIsWrongWithEveryNode) {
  chain({"tap", "nowhere.wasm", "../tests/components/drifted-transform.wasm", "../tests/components/missing-import.wasm",
         "../tests/components/drifted-sink.wasm"});
  flow_.nodes[2].config = "{}";  // it has no lifecycle
  const FlowExam exam = examine();
  EXPECT_THAT(codes(exam.errors), ElementsAre("E0210 nowhere", "E0200 drifted-transform", "E0200 drifted-transform",
                                              "E0206 drifted-transform", "E0205 missing-import", "E0200 drifted-sink"));
  EXPECT_EQ(exam.errors[0].detail().line, 11U);
  EXPECT_FALSE(exam.nodes[1].found);
  EXPECT_THAT(exam.nodes[2].mismatches, testing::Not(IsEmpty()));
}

TEST_F(ExamineFlow, ShowsBothSidesOfAType) {
  chain({"tap", "../tests/components/drifted-sink.wasm"});
  const FlowExam exam = examine();
  ASSERT_THAT(exam.errors, SizeIs(1));
  EXPECT_THAT(exam.errors[0].message(), HasSubstr("the component has:\n    record element-meta"));
  EXPECT_THAT(exam.errors[0].message(), HasSubstr("this Torvyn has:\n    record element-meta"));
}

TEST_F(ExamineFlow, ChecksTheShapeThoughANodeIsNotThere) {
  chain({"tap", "nowhere.wasm", "drain"});
  EdgeConfig edge;
  edge.from_node = "tap";
  edge.to_node = "drian";
  flow_.edges.push_back(edge);
  const FlowExam exam = examine();
  EXPECT_THAT(codes(exam.errors), Contains(testing::StartsWith("E0210")));
  EXPECT_THAT(codes(exam.errors), Contains(testing::StartsWith("E0207")));
  EXPECT_THAT(exam.edges, IsEmpty());
}

TEST_F(ExamineFlow, RefusesAnEdgeThatCarriesNothingItsReceiverAccepts) {
  chain({"tap", "upper.wasm", "count-sink.wasm"});
  terms_["upper"].produces = {"text/plain; charset=utf-8"};
  terms_["count-sink"].accepts = {"application/json"};
  const FlowExam exam = examine();
  EXPECT_THAT(codes(exam.errors), ElementsAre("E0200 count-sink"));
  EXPECT_THAT(exam.errors[0].message(), HasSubstr("accepts application/json"));
  EXPECT_FALSE(exam.edges[1].fits);
}

TEST_F(ExamineFlow, WarnsOfAContentTypeThatIsNotAccepted) {
  chain({"tap", "upper.wasm", "count-sink.wasm"});
  terms_["upper"].produces = {"text/csv", "application/xml"};
  terms_["count-sink"].accepts = {"text/*"};
  const FlowExam exam = examine();
  EXPECT_THAT(exam.errors, IsEmpty());
  EXPECT_THAT(codes(exam.warnings), ElementsAre("E0200 count-sink"));
  EXPECT_THAT(exam.warnings[0].message(), HasSubstr("application/xml does not fit"));
  EXPECT_TRUE(exam.edges[1].fits);
}

TEST_F(ExamineFlow, LooksThroughARouterForContentTypes) {
  chain({"tap", "upper.wasm", "../tests/components/route.wasm", "count-sink.wasm"});
  terms_["upper"].produces = {"text/csv"};
  terms_["count-sink"].accepts = {"image/png"};
  EXPECT_THAT(codes(examine().errors), ElementsAre("E0200 count-sink"));
}

TEST_F(ExamineFlow, GroupsImportsByTheCapabilityTheyBelongTo) {
  chain({"tap", "../tests/components/wasi-upper.wasm", "drain"});
  terms_["wasi-upper"].granted = {"clocks"};
  const FlowExam exam = examine();
  EXPECT_TRUE(exam.ok());
  EXPECT_THAT(exam.warnings, IsEmpty()) << "nothing is declared";
  bool clocks = false;
  bool stdio = false;
  for (const NeededCapability& needed : exam.nodes[1].capabilities) {
    EXPECT_THAT(needed.imports, testing::Not(IsEmpty()));
    clocks = clocks || (needed.name == "clocks" && needed.granted);
    stdio = stdio || (needed.name == "stdio" && !needed.granted);
  }
  EXPECT_TRUE(clocks);
  EXPECT_TRUE(stdio);
}

TEST_F(ExamineFlow, HoldsImportsAgainstWhatIsDeclaredAndThatAgainstWhatIsGranted) {
  chain({"tap", "../tests/components/wasi-upper.wasm", "drain"});
  terms_["wasi-upper"].declared = {"clocks", "http-client"};
  terms_["wasi-upper"].granted = {"clocks"};
  const FlowExam exam = examine();
  EXPECT_TRUE(exam.ok());
  std::string undeclared;
  std::string not_granted;
  for (const Error& warning : exam.warnings)
    (warning.code() == ErrorCode::undeclared_capability ? undeclared : not_granted) += warning.message() + "\n";
  EXPECT_THAT(undeclared, HasSubstr("the capability `stdio`"));
  EXPECT_THAT(undeclared, testing::Not(HasSubstr("`clocks`,")));
  EXPECT_THAT(not_granted, HasSubstr("it needs the capability `http-client`, and nothing grants it"));
}

TEST_F(ExamineFlow, RefusesWhatIsNotGrantedWhereImportsAreStrict) {
  chain({"tap", "../tests/components/wasi-upper.wasm", "drain"});
  strict_imports_ = true;
  const FlowExam exam = examine();
  EXPECT_THAT(codes(exam.errors), Contains("E0202 wasi-upper"));
}

TEST(ContentTypes, FitByTheirPartsWithoutParameters) {
  EXPECT_TRUE(content_type_fits("text/plain", "text/plain"));
  EXPECT_TRUE(content_type_fits("Text/Plain; charset=utf-8", "text/*"));
  EXPECT_TRUE(content_type_fits("text/plain", "*/*"));
  EXPECT_TRUE(content_type_fits("text/plain", "*"));
  EXPECT_FALSE(content_type_fits("text/plain", "text/csv"));
  EXPECT_FALSE(content_type_fits("text/plain", "application/*"));
}

}  // namespace
}  // namespace torvyn::linker
