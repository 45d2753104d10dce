#include "torvyn/linker/grants.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <vector>

namespace torvyn::linker {
namespace {

config::NodeConfig node_requiring(std::vector<config::Capability> required) {
  config::NodeConfig node;
  node.component = "dir/fetch.wasm";
  node.required = std::move(required);
  return node;
}

TEST(OpensImport, KnowsWhichRightsShareAnImport) {
  const std::array<std::string_view, 2> granted{"filesystem-write", "udp"};
  EXPECT_TRUE(opens_import(granted, "filesystem-read"));
  EXPECT_TRUE(opens_import(granted, "tcp-connect"));
  EXPECT_TRUE(opens_import(granted, "udp"));
  EXPECT_FALSE(opens_import(granted, "clocks"));
  EXPECT_FALSE(opens_import({}, "filesystem-read"));
}

TEST(CheckGrants, RefusesAComponentWithoutWhatItRequires) {
  const config::NodeConfig node = node_requiring({{"clocks", ""}, {"environment", "HOME"}});
  const std::vector<config::Capability> some{{"clocks", ""}, {"environment", "LANG"}};
  const Status refused = check_grants(node, {}, some, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::capability_not_granted);
  EXPECT_NE(refused.error().message().find("environment:HOME"), std::string::npos);
  EXPECT_NE(refused.error().detail().hint.find(R"([security.grants."fetch.wasm"])"), std::string::npos);
  const std::vector<config::Capability> all{{"clocks", ""}, {"environment", ""}};
  EXPECT_TRUE(check_grants(node, {}, all, false));
}

TEST(CheckGrants, OfScopesAskForAnyWhereNoneIsRequired) {
  const std::vector<config::Capability> grants{{"environment", "LANG"}};
  EXPECT_TRUE(check_grants(node_requiring({{"environment", ""}}), {}, grants, false));
}

TEST(CheckGrants, RefusesEveryUngrantedImportWhereTheyAreStrict) {
  engine::ComponentInfo info;
  info.imports = {{.name = "torvyn:streaming/types@0.1.0", .kind = "instance", .items = {}},
                  {.name = "wasi:io/poll@0.2.0", .kind = "instance", .items = {}},
                  {.name = "wasi:filesystem/types@0.2.0", .kind = "instance", .items = {}}};
  EXPECT_TRUE(check_grants(node_requiring({}), info, {}, false));
  const Status refused = check_grants(node_requiring({}), info, {}, true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("wasi:filesystem/types"), std::string::npos);
  const std::vector<config::Capability> grants{{"filesystem-write", "/data"}};
  EXPECT_TRUE(check_grants(node_requiring({}), info, grants, true));
}

}  // namespace
}  // namespace torvyn::linker
