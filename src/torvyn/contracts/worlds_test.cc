#include "torvyn/contracts/worlds.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "torvyn/contracts/wit.h"

namespace torvyn::contracts {
namespace {

nlohmann::json model() {
  const auto text = wit_model(builtin_packages());
  EXPECT_TRUE(text.has_value()) << text.error().to_string();
  return text ? nlohmann::json::parse(*text) : nlohmann::json{};
}

// "torvyn:streaming/processor@0.1.0" of a name and the package it is in.
std::string full_name(const nlohmann::json& wit, const nlohmann::json& item) {
  const auto package = wit.at("packages").at(item.at("package").get<std::size_t>()).at("name").get<std::string>();
  const InterfaceName split = split_interface_name(package);
  return std::string(split.name) + "/" + item.at("name").get<std::string>() + "@" + std::string(split.version);
}

TEST(Worlds, AreThoseOfTheWitPackages) {
  const auto wit = model();
  std::set<std::string> in_wit;
  for (const auto& world : wit.at("worlds")) in_wit.insert(full_name(wit, world));
  std::set<std::string> in_table;
  for (const World& world : worlds()) in_table.insert(world.full_name());
  EXPECT_EQ(in_table, in_wit);
}

TEST(Worlds, ExportTheInterfaceOfTheirRoleAndLifecycleWhereTheTableSaysSo) {
  const auto wit = model();
  for (const auto& world : wit.at("worlds")) {
    const World* const entry = find_world(full_name(wit, world));
    ASSERT_NE(entry, nullptr);
    bool has_lifecycle = false;
    const StageInterface* stage = nullptr;
    for (const auto& [key, item] : world.at("exports").items()) {
      const auto& interface = wit.at("interfaces").at(item.at("interface").at("id").get<std::size_t>());
      const std::string name = full_name(wit, interface);
      if (name == "torvyn:streaming/lifecycle@0.1.0") has_lifecycle = true;
      if (const auto* const found = find_stage_interface(split_interface_name(name).name)) {
        EXPECT_EQ(split_interface_name(name).version, found->version);
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
