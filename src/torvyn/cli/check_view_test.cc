#include "torvyn/cli/check_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "torvyn/cli/error_view.h"
#include "torvyn/cli/json_view.h"

namespace torvyn::cli {
namespace {

using testing::HasSubstr;

Error an_error() { return Error(ErrorCode::wit_syntax, "expected `)`").at_file("wit/a.wit", 3, 4); }

linker::NodeExam node(std::string name, contracts::Role role, std::string interface) {
  linker::NodeExam exam;
  exam.component = name + ".wasm";
  exam.node = std::move(name);
  exam.found = true;
  exam.is_builtin = interface.empty();
  exam.role = role;
  exam.interface = std::move(interface);
  return exam;
}

linker::FlowExam an_exam() {
  linker::FlowExam exam;
  exam.flow = "main";
  exam.nodes = {node("in", contracts::Role::source, ""),
                node("upper", contracts::Role::processor, "torvyn:streaming/processor@0.1.0"),
                node("out", contracts::Role::sink, "")};
  exam.nodes[1].capabilities.push_back({"clocks", {"wasi:clocks/wall-clock@0.2.0"}, true});
  exam.edges = {{"in", "output", "upper", {}, true}, {"upper", "output", "out", {}, true}};
  return exam;
}

TEST(DrawChecks, LinesUpNamesVerdictsAndSubjects) {
  const std::vector<Check> checks = {
      {.name = "manifest", .subject = "Torvyn.toml"},
      {.name = "wit", .subject = "wit", .errors = {an_error(), an_error()}, .warnings = {an_error()}},
      {.name = "link", .subject = "main", .skipped = "`upper` is not built"}};
  EXPECT_EQ(draw_checks(checks, Palette()),
            " manifest  ok                   Torvyn.toml\n"
            " wit       2 errors, 1 warning  wit\n"
            " link      -                    main: `upper` is not built\n");
}

TEST(DrawExam, ShowsStagesAndStreams) {
  EXPECT_EQ(draw_exam(an_exam(), Palette(), false),
            "main: ok\n"
            " node   component   role       interface\n"
            " in     in.wasm     source     builtin\n"
            " upper  upper.wasm  processor  torvyn:streaming/processor@0.1.0\n"
            " out    out.wasm    sink       builtin\n"
            " in → upper → out\n");
}

TEST(DrawExam, ShowsCapabilitiesInDetail) {
  EXPECT_THAT(draw_exam(an_exam(), Palette(), true),
              HasSubstr(" upper  granted  clocks: wasi:clocks/wall-clock@0.2.0\n"));
}

TEST(DrawExam, NamesPortsAndStartsALineForABranch) {
  linker::FlowExam exam = an_exam();
  exam.edges = {
      {"in", "left", "upper", {}, true}, {"in", "right", "out", {}, true}, {"upper", "output", "out", {}, true}};
  EXPECT_THAT(draw_exam(exam, Palette(), false), HasSubstr(" in.left → upper\n in.right → out\n upper → out\n"));
}

TEST(DrawCaution, HasACodeOfItsOwn) {
  EXPECT_THAT(draw_caution(Error(ErrorCode::deprecated_contract, "old", "use the new one"), Palette()),
              HasSubstr("warning[W0110]: old\n"));
}

TEST(CheckJson, ListsChecksWithTheirErrorsAndWarnings) {
  const std::vector<Error> errors = {an_error()};
  const std::vector<Check> checks = {{.name = "wit", .subject = "wit", .errors = errors},
                                     {.name = "link", .subject = "main", .skipped = "`upper` is not built"}};
  const auto json = nlohmann::json::parse(
      check_json({.command = "check", .exit_code = 1, .errors = errors, .cautions = errors}, checks, nullptr));
  EXPECT_EQ(json["command"], "check");
  EXPECT_EQ(json["errors"][0]["code"], "E0100");
  EXPECT_EQ(json["warnings"][0]["code"], "W0100");
  EXPECT_EQ(json["warnings"][0]["line"], 3);
  EXPECT_EQ(json["checks"][0]["name"], "wit");
  EXPECT_EQ(json["checks"][0]["ok"], false);
  EXPECT_EQ(json["checks"][0]["errors"][0]["file"], "wit/a.wit");
  EXPECT_EQ(json["checks"][1]["skipped"], "`upper` is not built");
}

TEST(LinkJson, HoldsBothSidesOfADifference) {
  linker::FlowExam exam = an_exam();
  contracts::InterfaceComparison mismatch;
  mismatch.before = "torvyn:streaming/sink@0.1.9";
  mismatch.after = "torvyn:streaming/sink@0.1.0";
  contracts::Difference& difference = mismatch.types.emplace_back();
  difference.kind = contracts::DefinitionKind::type;
  difference.interface = "torvyn:streaming/types";
  difference.name = "element-meta";
  difference.before = "record element-meta {}";
  difference.after = "record element-meta { sequence: u64 }";
  exam.nodes[1].mismatches.push_back(mismatch);
  const std::vector<linker::FlowExam> flows = {exam};
  const auto json = nlohmann::json::parse(link_json({.command = "link"}, flows));
  const auto& upper = json["flows"][0]["nodes"][1];
  EXPECT_EQ(upper["role"], "processor");
  EXPECT_EQ(upper["capabilities"][0]["name"], "clocks");
  EXPECT_EQ(upper["mismatches"][0]["differences"][0]["component"], "record element-meta {}");
  EXPECT_EQ(upper["mismatches"][0]["differences"][0]["torvyn"], "record element-meta { sequence: u64 }");
  EXPECT_EQ(json["flows"][0]["edges"][1]["to"], "out");
}

}  // namespace
}  // namespace torvyn::cli
