#include "torvyn/cli/config_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

namespace torvyn::cli {
namespace {

using config::Configuration;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view project = R"([torvyn]
name = "x"
version = "0.1.0"
contract_version = "0.1.0"
[runtime]
max_batch = 32
fuel_per_invocation = 500
[flow.main.nodes.n]
component = "builtin:null"
config = { token = "${env:SECRET}" }
[security.grants."a.wasm"]
)";

Configuration the_configuration() {
  Result<Configuration> configuration = config::parse_configuration(
      project, {.project_file = "Torvyn.toml",
                .environment = {{"TORVYN_RUNTIME_WORKER_THREADS", "3"}, {"SECRET", "hunter2-hunter2"}},
                .assignments = {"runtime.max_log=1KiB/s"}});
  EXPECT_TRUE(configuration.has_value()) << (configuration ? "" : configuration.error().to_string());
  return configuration.value_or(Configuration{});
}

TEST(DrawConfiguration, ShowsEachValueWithItsOrigin) {
  const std::string text = draw_configuration(the_configuration().values, Palette(false));
  EXPECT_THAT(text, HasSubstr("[runtime]\n"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( max_batch +32 +Torvyn\.toml:6:13
)"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( fuel_per_invocation +500 +Torvyn\.toml:7:23, no effect in this version
)"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( worker_threads +3 +TORVYN_RUNTIME_WORKER_THREADS
)"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( max_log +"1KiB/s" +--set
)"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( max_handles +4096 +default
)"));
  EXPECT_THAT(text, testing::ContainsRegex(R"( timeout +"1s" +default, of runtime\.invocation_timeout
)"));
  EXPECT_THAT(text, HasSubstr("[security.grants.\"a.wasm\"]\n"));
}

TEST(DrawConfiguration, ShowsReferencesAsTheyWereWritten) {
  const Configuration configuration = the_configuration();
  const std::string text = draw_configuration(configuration.values, Palette(false));
  EXPECT_THAT(text, HasSubstr("${env:SECRET}"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(configuration_json(configuration.values), Not(HasSubstr("hunter2")));
}

TEST(ConfigurationJson, HasTypedValuesAndOrigins) {
  const json list = json::parse(configuration_json(the_configuration().values));
  const auto find = [&list](const std::string& path) {
    for (const json& one : list)
      if (one["path"] == path) return one;
    return json();
  };
  EXPECT_EQ(find("runtime.max_batch"), json::parse(R"({"path": "runtime.max_batch", "value": 32, "effective": true,
                           "origin": {"layer": "project", "file": "Torvyn.toml", "line": 6, "column": 13}})"));
  EXPECT_EQ(find("runtime.worker_threads")["origin"],
            json::parse(R"({"layer": "environment", "variable": "TORVYN_RUNTIME_WORKER_THREADS"})"));
  EXPECT_EQ(find("runtime.max_memory")["value"], json());
  EXPECT_EQ(find("runtime.fuel_per_invocation")["effective"], false);
  EXPECT_EQ(find("flow.main.nodes.n.config")["value"]["token"], "${env:SECRET}");
  EXPECT_EQ(find("flow.main.nodes.n.max_memory")["inherited_from"], "runtime.max_memory_per_component");
}

TEST(Warnings, CarryThePlaceOfANotice) {
  const Configuration configuration = the_configuration();
  ASSERT_FALSE(configuration.notices.empty());
  const Warning warning = warning_of(configuration.notices.front());
  EXPECT_EQ(warning.code, "W0700");
  EXPECT_EQ(draw_warning(warning, Palette(false)),
            "warning[W0700]: `runtime.fuel_per_invocation` has no effect: this version reads it and does not act on it "
            "(Torvyn.toml:7:1)\n");
}

}  // namespace
}  // namespace torvyn::cli
