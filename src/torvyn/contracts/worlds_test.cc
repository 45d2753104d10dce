#include "torvyn/contracts/worlds.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "torvyn/contracts/wit_model.h"

namespace torvyn::contracts {
namespace {

WitModel model() {
  Result<WitModel> read = read_wit(builtin_packages());
  EXPECT_TRUE(read.has_value()) << read.error().to_string();
  return read ? *std::move(read) : WitModel{};
}

TEST(Worlds, AreThoseOfTheWitPackages) {
  std::set<std::string> in_wit;
  for (const WitWorld& world : model().worlds) in_wit.insert(world.full_name());
  std::set<std::string> in_table;
  for (const World& world : worlds()) in_table.insert(world.full_name());
  EXPECT_EQ(in_table, in_wit);
}

TEST(Worlds, ExportTheInterfaceOfTheirRoleAndLifecycleWhereTheTableSaysSo) {
  for (const WitWorld& world : model().worlds) {
    const World* const entry = find_world(world.full_name());
    ASSERT_NE(entry, nullptr);
    bool has_lifecycle = false;
    const StageInterface* stage = nullptr;
    for (const WitItem& item : world.exports) {
      if (item.name == "torvyn:streaming/lifecycle@0.1.0") has_lifecycle = true;
      if (const auto* const found = find_stage_interface(split_interface_name(item.name).name)) {
        EXPECT_EQ(split_interface_name(item.name).version, found->version);
        stage = found;
      }
    }
    EXPECT_EQ(has_lifecycle, entry->has_lifecycle) << entry->name;
    ASSERT_NE(stage, nullptr) << entry->name;
    EXPECT_EQ(stage->role, entry->role) << entry->name;
    EXPECT_EQ(stage->contract, entry->contract) << entry->name;
  }
}

TEST(Worlds, AreFoundByShortAndFullName) {
  const World* const world = find_world("managed-transform");
  ASSERT_NE(world, nullptr);
  EXPECT_EQ(find_world("torvyn:streaming/managed-transform"), world);
  EXPECT_EQ(find_world("torvyn:streaming/managed-transform@0.1.0"), world);
  EXPECT_EQ(find_world("torvyn:streaming/managed-transform@0.2.0"), nullptr);
  EXPECT_EQ(find_world("managed_transform"), nullptr);
  EXPECT_EQ(world->header_name(), "managed_transform");
}

TEST(Versions, AreCompatibleWithinAMinorBeforeOneAndWithinAMajorAfterIt) {
  EXPECT_TRUE(compatible_versions("0.1.3", "0.1.0"));
  EXPECT_FALSE(compatible_versions("0.2.0", "0.1.0"));
  EXPECT_TRUE(compatible_versions("1.4.0", "1.0.2"));
  EXPECT_FALSE(compatible_versions("2.0.0", "1.9.0"));
  EXPECT_FALSE(compatible_versions("1.0.0", ""));
}

TEST(StageInterfaces, SayRoleAndContract) {
  const StageInterface* const router = find_stage_interface("torvyn:batching/batch-router");
  ASSERT_NE(router, nullptr);
  EXPECT_EQ(router->role, Role::router);
  EXPECT_EQ(router->contract, Contract::batch);
  EXPECT_EQ(find_stage_interface("torvyn:streaming/lifecycle"), nullptr);
  EXPECT_EQ(find_stage_interface("torvyn:streaming/processor@0.1.0"), nullptr) << "names here carry no version";
}

TEST(InterfaceName, IsSplitAtTheVersion) {
  EXPECT_EQ(split_interface_name("a:b/c@1.2.3").name, "a:b/c");
  EXPECT_EQ(split_interface_name("a:b/c@1.2.3").version, "1.2.3");
  EXPECT_EQ(split_interface_name("run").name, "run");
  EXPECT_EQ(split_interface_name("run").version, "");
}

}  // namespace
}  // namespace torvyn::contracts
