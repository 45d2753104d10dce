#include "torvyn/config/json_schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

namespace torvyn::config {
namespace {

using nlohmann::json;

TEST(JsonSchema, IsTheOneThatIsCheckedIn) {
  std::ifstream file(TORVYN_TEST_SOURCE_DIR "/docs/torvyn.schema.json");
  const std::string checked_in{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(checked_in == manifest_json_schema())
      << "docs/torvyn.schema.json is not that of the definitions any more: tools/config-docs writes it anew";
}

TEST(JsonSchema, DescribesSectionsAndKeys) {
  const json schema = json::parse(manifest_json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["required"], json::parse(R"(["torvyn"])"));
  EXPECT_FALSE(schema["properties"].contains("ceilings"));
  EXPECT_TRUE(schema["$defs"]["settings-file"]["properties"].contains("ceilings"));
  EXPECT_FALSE(schema["$defs"]["settings-file"]["properties"].contains("flow"));

  const json& runtime = schema["$defs"]["runtime"];
  EXPECT_EQ(runtime["additionalProperties"], false);
  const json& batch = runtime["properties"]["max_batch"];
  EXPECT_EQ(batch["type"], "integer");
  EXPECT_EQ(batch["minimum"], 1);
  EXPECT_EQ(batch["maximum"], 65'536);
  EXPECT_EQ(batch["default"], 64);
  EXPECT_EQ(batch["x-torvyn"]["environment"], "TORVYN_RUNTIME_MAX_BATCH");
  EXPECT_TRUE(runtime["properties"].contains("invocation_timeout_ms"));
  EXPECT_EQ(runtime["properties"]["fuel_per_invocation"]["x-torvyn"]["inert"], true);
  EXPECT_EQ(schema["properties"]["torvyn"]["required"], json::parse(R"(["name","version","contract_version"])"));
}

}  // namespace
}  // namespace torvyn::config
