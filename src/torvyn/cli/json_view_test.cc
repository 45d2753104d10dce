#include "torvyn/cli/json_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace torvyn::cli {
namespace {

using nlohmann::json;
using observability::Fate;
using observability::FlowReport;
using observability::FlowState;

TEST(RunJson, HasTheNamesThatWerePromised) {
  FlowReport report;
  report.name = "main";
  report.state = FlowState::completed;
  report.fates.pulled = 5;
  report.fates.fates[static_cast<std::size_t>(Fate::delivered)] = 5;
  report.stages.resize(1);
  report.stages[0].node = "upper";
  report.stages[0].copies[0] = {.copies = 5, .bytes = 50};
  report.stages[0].copies[1] = {.copies = 5, .bytes = 60};
  report.streams.resize(1);
  report.streams[0] = {.from = "upper.output", .to = "out.input", .transferred = 5, .dropped = 2, .depth_max = 4};
  report.restarts = 3;
  report.p99_ns = 700;
  const json run = json::parse(run_json({.command = "run"}, report));

  EXPECT_EQ(run["command"], "run");
  EXPECT_EQ(run["exit_code"], 0);
  EXPECT_EQ(run["errors"], json::array());
  EXPECT_EQ(run["warnings"], json::array());
  for (const char* key : {"name", "state", "duration_ns", "pulled", "delivered", "filtered", "absorbed", "skipped",
                          "dropped", "dead_lettered", "failed", "cancelled", "created", "restarts", "p50_ns", "p99_ns"})
    EXPECT_TRUE(run["flow"].contains(key)) << key;
  EXPECT_EQ(run["flow"]["delivered"], 5);
  EXPECT_EQ(run["flow"]["state"], "completed");
  EXPECT_EQ(run["copies"], 10);
  EXPECT_EQ(run["bytes_copied"], 110);
  for (const char* key :
       {"node",     "component", "role",          "path",       "elements_in", "elements_out", "errors",
        "restarts", "swaps",     "swap_pause_ns", "state_lost", "rests",       "rested_ns",    "instances",
        "parallel", "copies",    "bytes_copied",  "time_ns",    "p50_ns",      "p99_ns"})
    EXPECT_TRUE(run["stages"][0].contains(key)) << key;
  for (const char* key :
       {"from", "to", "transferred", "dropped", "peak_depth", "backpressure_events", "backpressure_ns"})
    EXPECT_TRUE(run["streams"][0].contains(key)) << key;
  EXPECT_EQ(run["flow"]["restarts"], 3);
  EXPECT_EQ(run["flow"]["p99_ns"], 700);
  EXPECT_EQ(run["stages"][0]["instances"], 1);
  EXPECT_EQ(run["streams"][0]["dropped"], 2);
  EXPECT_EQ(run["streams"][0]["peak_depth"], 4);
  EXPECT_EQ(run["stages"][0]["copies"], 10);
  EXPECT_EQ(run["stages"][0]["copies_by_kind"]["guest_read"]["bytes"], 60);
  EXPECT_EQ(run["streams"].size(), 1U);
  EXPECT_EQ(run["pools"].size(), 4U);
}

TEST(RunsJson, SaysOfEachFlowWhatRunJsonSaysOfOne) {
  std::vector<FlowReport> reports(2);
  reports[0].name = "orders";
  reports[1].name = "returns";
  reports[1].state = FlowState::cancelled;
  const json runs = json::parse(runs_json({.command = "run", .exit_code = 1}, reports));
  EXPECT_EQ(runs["exit_code"], 1);
  EXPECT_FALSE(runs.contains("flow"));
  ASSERT_EQ(runs["flows"].size(), 2U);
  EXPECT_EQ(runs["flows"][0]["flow"]["name"], "orders");
  EXPECT_EQ(runs["flows"][1]["flow"]["state"], "cancelled");
  json one = json::parse(run_json({.command = "run"}, reports[0]));
  for (const char* key : {"command", "exit_code", "errors", "warnings"}) one.erase(key);
  EXPECT_EQ(runs["flows"][0], one);
  EXPECT_EQ(json::parse(runs_json({.command = "run"}, {}))["flows"], json::array());
}

TEST(RunJson, IsOneLineWhateverGuestsSaid) {
  Error error(ErrorCode::component_trapped, "bytes \xff and\nlines");
  error.detail().node = "upper";
  error.detail().element = 7;
  const std::vector<Warning> warnings = {{"W0300", "upper", "it keeps handles"}};
  const std::string text =
      run_json({.command = "run", .exit_code = 1, .errors = {&error, 1}, .warnings = warnings}, {});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const json run = json::parse(text);
  EXPECT_EQ(run["errors"][0]["code"], "E0420");
  EXPECT_EQ(run["errors"][0]["message"], "bytes \ufffd and\nlines");
  EXPECT_EQ(run["errors"][0]["node"], "upper");
  EXPECT_EQ(run["errors"][0]["element"], 7);
  EXPECT_FALSE(run["errors"][0].contains("file"));
  EXPECT_EQ(run["warnings"][0]["code"], "W0300");
  EXPECT_EQ(run["warnings"][0]["node"], "upper");
}

TEST(HeadJson, PlacesAnErrorInItsFile) {
  Error error = Error(ErrorCode::unknown_key, "unknown key", "remove it").at_file("Torvyn.toml", 14, 1);
  const json head = json::parse(head_json({.command = "run", .exit_code = 1, .errors = {&error, 1}}));
  EXPECT_EQ(head["errors"][0]["file"], "Torvyn.toml");
  EXPECT_EQ(head["errors"][0]["line"], 14);
  EXPECT_EQ(head["errors"][0]["column"], 1);
  EXPECT_EQ(head["errors"][0]["hint"], "remove it");
  EXPECT_FALSE(head["errors"][0].contains("node"));
}

TEST(InspectJson, GroupsNothingAndNamesCapabilities) {
  Inspection inspection;
  inspection.file = "upper.wasm";
  inspection.info.imports = {{"wasi:clocks/monotonic-clock@0.2.0", "instance", {"now"}},
                             {"torvyn:streaming/types@0.1.0", "instance", {}}};
  inspection.info.stages = {
      {contracts::Role::processor, contracts::Contract::batch, "torvyn:batching/processor@0.1.0"}};
  const json object = json::parse(inspect_json({.command = "inspect"}, inspection));
  EXPECT_EQ(object["stages"][0]["role"], "processor");
  EXPECT_EQ(object["stages"][0]["contract"], "batch");
  EXPECT_EQ(object["imports"][0]["capability"], "clocks");
  EXPECT_FALSE(object["imports"][1].contains("capability"));
}

TEST(BuildJson, ListsWhatWasBuilt) {
  const std::vector<BuiltComponent> built = {{.name = "upper",
                                              .language = "c",
                                              .component = "upper.wasm",
                                              .world = "torvyn:streaming/transform@0.1.0",
                                              .path = "typed",
                                              .size_bytes = 7,
                                              .up_to_date = true}};
  const json object = json::parse(build_json({.command = "build"}, built));
  EXPECT_EQ(object["components"][0]["name"], "upper");
  EXPECT_EQ(object["components"][0]["language"], "c");
  EXPECT_EQ(object["components"][0]["component"], "upper.wasm");
  EXPECT_EQ(object["components"][0]["up_to_date"], true);
}

}  // namespace
}  // namespace torvyn::cli
