#include "torvyn/engine/component_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace torvyn::engine {
namespace {

using contracts::Contract;
using contracts::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A description as the bridge gives it, of a component that exports these instances.
std::string exporting(const std::vector<std::string>& names) {
  std::string json = R"({"imports":[],"exports":[)";
  for (const std::string& name : names) {
    if (!json.ends_with('[')) json += ',';
    json += R"({"name":")" + name + R"(","kind":"instance","items":[]})";
  }
  return json + "]}";
}

// A component that exports these, which must be a stage.
Result<ComponentInfo> stage_exporting(const std::vector<std::string>& names) {
  TORVYN_LET(ComponentInfo info, read_component_info(exporting(names)));
  TORVYN_TRY(check_stage(info));
  return info;
}

ComponentInfo info_of(const std::vector<std::string>& exports) {
  Result<ComponentInfo> info = stage_exporting(exports);
  if (!info) {
    ADD_FAILURE() << info.error().to_string();
    return {};
  }
  return *std::move(info);
}

TEST(ComponentInfo, EveryStageInterfaceGivesItsRoleAndContract) {
  const struct {
    const char* interface;
    Role role;
    Contract contract;
  } cases[] = {
      {"torvyn:streaming/source@0.1.0", Role::source, Contract::element},
      {"torvyn:streaming/processor@0.1.0", Role::processor, Contract::element},
      {"torvyn:streaming/sink@0.1.0", Role::sink, Contract::element},
      {"torvyn:filtering/filter@0.1.0", Role::filter, Contract::element},
      {"torvyn:filtering/router@0.1.0", Role::router, Contract::element},
      {"torvyn:aggregation/aggregator@0.1.0", Role::aggregator, Contract::element},
      {"torvyn:batching/batch-source@0.1.0", Role::source, Contract::batch},
      {"torvyn:batching/batch-processor@0.1.0", Role::processor, Contract::batch},
      {"torvyn:batching/batch-router@0.1.0", Role::router, Contract::batch},
      {"torvyn:batching/batch-aggregator@0.1.0", Role::aggregator, Contract::batch},
      {"torvyn:batching/batch-sink@0.1.0", Role::sink, Contract::batch},
  };
  for (const auto& [interface, role, contract] : cases) {
    const ComponentInfo info = info_of({interface});
    ASSERT_EQ(info.stages.size(), 1U) << interface;
    EXPECT_EQ(info.stages[0].role, role) << interface;
    EXPECT_EQ(info.stages[0].contract, contract) << interface;
    EXPECT_EQ(info.stages[0].interface, interface);
    EXPECT_EQ(info.find_stage(role), info.stages.data()) << interface;
  }
}

TEST(ComponentInfo, TheBatchFormIsPreferredWhereBothAreThere) {
  const ComponentInfo info = info_of({"torvyn:streaming/processor@0.1.0", "torvyn:batching/batch-processor@0.1.0"});
  ASSERT_EQ(info.stages.size(), 2U);
  ASSERT_NE(info.find_stage(Role::processor), nullptr);
  EXPECT_EQ(info.find_stage(Role::processor)->contract, Contract::batch);
}

TEST(ComponentInfo, KnowsWhichRolesAComponentDoesNotPlay) {
  const ComponentInfo info = info_of({"torvyn:streaming/processor@0.1.0", "torvyn:streaming/sink@0.1.0"});
  EXPECT_NE(info.find_stage(Role::sink), nullptr);
  EXPECT_EQ(info.find_stage(Role::source), nullptr);
}

TEST(ComponentInfo, FindsLifecycleAndAcksBesideTheStage) {
  const ComponentInfo bare = info_of({"torvyn:streaming/source@0.1.0"});
  EXPECT_FALSE(bare.has_lifecycle);
  EXPECT_FALSE(bare.has_acks);
  const ComponentInfo full =
      info_of({"torvyn:acks/acks@0.1.0", "torvyn:streaming/lifecycle@0.1.0", "torvyn:streaming/source@0.1.0"});
  EXPECT_TRUE(full.has_lifecycle);
  EXPECT_TRUE(full.has_acks);
}

TEST(ComponentInfo, ReadsImportsWithTheirItems) {
  const Result<ComponentInfo> info = read_component_info(
      R"({"imports":[{"name":"torvyn:streaming/types@0.1.0","kind":"instance","items":["buffer","mutable-buffer"]},
                     {"name":"tick","kind":"function"}],
          "exports":[{"name":"torvyn:streaming/sink@0.1.0","kind":"instance","items":["push","complete"]}]})");
  ASSERT_TRUE(info) << info.error().to_string();
  ASSERT_EQ(info->imports.size(), 2U);
  EXPECT_EQ(info->imports[0].name, "torvyn:streaming/types@0.1.0");
  EXPECT_EQ(info->imports[0].kind, "instance");
  EXPECT_THAT(info->imports[0].items, ElementsAre("buffer", "mutable-buffer"));
  EXPECT_EQ(info->imports[1].kind, "function");
  EXPECT_THAT(info->imports[1].items, ElementsAre());
  ASSERT_EQ(info->exports.size(), 1U);
  EXPECT_THAT(info->exports[0].items, ElementsAre("push", "complete"));
}

TEST(ComponentInfo, APatchVersionOfTheContractIsTheSameContract) {
  EXPECT_EQ(info_of({"torvyn:streaming/processor@0.1.7"}).stages.at(0).role, Role::processor);
}

TEST(ComponentInfo, AnotherMinorVersionIsE0201AndSaysBoth) {
  for (const std::string version : {"0.2.0", "0.10.0", "1.1.0"}) {
    const std::string name = "torvyn:streaming/processor@" + version;
    const Result<ComponentInfo> info = stage_exporting({name});
    ASSERT_FALSE(info) << version;
    EXPECT_EQ(info.error().code(), ErrorCode::version_incompatible) << version;
    EXPECT_THAT(info.error().message(), HasSubstr("`" + name + "`"));
    EXPECT_THAT(info.error().message(), HasSubstr("speaks version 0.1.0, and " + version + " is not compatible"));
    EXPECT_THAT(info.error().hint(), HasSubstr("torvyn:streaming/processor@0.1.0"));
  }
}

TEST(ComponentInfo, AnInterfaceWithoutAVersionIsE0201Too) {
  const Result<ComponentInfo> info = stage_exporting({"torvyn:streaming/processor"});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code(), ErrorCode::version_incompatible);
  EXPECT_THAT(info.error().message(), HasSubstr("and no version is not compatible"));
}

TEST(ComponentInfo, OneInterfaceOfThisVersionIsEnough) {
  const ComponentInfo info = info_of({"torvyn:streaming/processor@0.2.0", "torvyn:streaming/processor@0.1.0"});
  ASSERT_EQ(info.stages.size(), 1U);
  EXPECT_EQ(info.stages[0].interface, "torvyn:streaming/processor@0.1.0");
}

TEST(ComponentInfo, NoTorvynInterfaceIsE0102NamingWhatItExports) {
  const Result<ComponentInfo> info = stage_exporting({"wasi:cli/run@0.2.0", "test:worlds/greeting@1.0.0"});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code(), ErrorCode::no_torvyn_interface);
  EXPECT_THAT(info.error().message(), HasSubstr("`wasi:cli/run@0.2.0`, `test:worlds/greeting@1.0.0`"));
  EXPECT_THAT(info.error().hint(), HasSubstr("torvyn:streaming/{source,processor,sink}"));

  const Result<ComponentInfo> nothing = stage_exporting({});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code(), ErrorCode::no_torvyn_interface);
  EXPECT_THAT(nothing.error().message(), HasSubstr("it exports nothing"));
}

TEST(ComponentInfo, LifecycleAloneMakesNoStage) {
  const Result<ComponentInfo> info = stage_exporting({"torvyn:streaming/lifecycle@0.1.0"});
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code(), ErrorCode::no_torvyn_interface);
}

TEST(ComponentInfo, AHundredExportsAreNotAllListed) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("test:many/i" + std::to_string(i));
  const Result<ComponentInfo> info = stage_exporting(names);
  ASSERT_FALSE(info);
  EXPECT_THAT(info.error().message(), HasSubstr("`test:many/i7`"));
  EXPECT_THAT(info.error().message(), Not(HasSubstr("i8")));
  EXPECT_THAT(info.error().message(), HasSubstr("100 in all"));
}

TEST(ComponentInfo, ReadsAComponentThatIsNoStage) {
  const Result<ComponentInfo> info = read_component_info(exporting({"wasi:cli/run@0.2.0"}));
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->stages.empty());
  EXPECT_EQ(info->exports.at(0).name, "wasi:cli/run@0.2.0");
}

TEST(ComponentInfo, ADescriptionThatIsNoJsonIsOurOwnDefect) {
  for (const char* text : {"", "{", "[]", "\"component\""}) {
    const Result<ComponentInfo> info = read_component_info(text);
    ASSERT_FALSE(info) << text;
    EXPECT_EQ(info.error().code(), ErrorCode::internal_error) << text;
  }
}

TEST(ComponentInfo, ImportsOfWasiNameTheirCapability) {
  EXPECT_EQ(capability_of_import("wasi:filesystem/types@0.2.0"), "filesystem-read");
  EXPECT_EQ(capability_of_import("wasi:sockets/ip-name-lookup@0.2.0"), "name-lookup");
  EXPECT_EQ(capability_of_import("wasi:sockets/udp-create-socket@0.2.0"), "udp");
  EXPECT_EQ(capability_of_import("wasi:sockets/tcp@0.2.0"), "tcp-connect");
  EXPECT_EQ(capability_of_import("wasi:http/outgoing-handler@0.2.0"), "http-client");
  EXPECT_EQ(capability_of_import("wasi:clocks/wall-clock@0.2.0"), "clocks");
  EXPECT_EQ(capability_of_import("wasi:random/random@0.2.0"), "random");
  EXPECT_EQ(capability_of_import("wasi:cli/environment@0.2.0"), "environment");
  EXPECT_EQ(capability_of_import("wasi:cli/stdout@0.2.0"), "stdio");
  EXPECT_EQ(capability_of_import("wasi:cli/terminal-input@0.2.0"), "stdio");
  EXPECT_EQ(capability_of_import("wasi:io/poll@0.2.0"), "");
  EXPECT_EQ(capability_of_import("torvyn:streaming/types@0.1.0"), "");
}

TEST(ComponentInfo, WhatCanPollOrReachSocketsOrHttpMayBlock) {
  const auto may_block = [](const std::string& import) {
    const Result<ComponentInfo> info =
        read_component_info(R"({"imports":[{"name":"torvyn:streaming/types@0.1.0"},{"name":")" + import + R"("}]})");
    EXPECT_TRUE(info) << import;
    return info && info->may_block;
  };
  for (const char* import :
       {"wasi:io/poll@0.2.0", "wasi:io/poll@0.2.12", "wasi:sockets/tcp@0.2.0", "wasi:http/outgoing-handler@0.2.0"})
    EXPECT_TRUE(may_block(import)) << import;
  for (const char* import : {"wasi:io/streams@0.2.0", "wasi:io/polling@0.2.0", "wasi:clocks/monotonic-clock@0.2.0",
                             "wasi:cli/stdout@0.2.0", "wasi:filesystem/types@0.2.0", "test:wasi:io/poll@0.2.0"})
    EXPECT_FALSE(may_block(import)) << import;
}

}  // namespace
}  // namespace torvyn::engine
