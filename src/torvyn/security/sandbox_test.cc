#include "torvyn/security/sandbox.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torvyn::security {
namespace {

using config::Capability;

std::optional<std::string> lookup(std::string_view name) {
  if (name == "HOME") return "/root";
  if (name == "LANG") return "C";
  return std::nullopt;
}

Result<Sandbox> sandbox_of(const std::vector<Capability>& grants) {
  return make_sandbox(grants, testing::TempDir(), lookup);
}

TEST(Sandbox, OfNoGrantsAllowsNothing) {
  const Result<Sandbox> sandbox = sandbox_of({});
  ASSERT_TRUE(sandbox);
  EXPECT_FALSE(sandbox->clocks);
  EXPECT_FALSE(sandbox->random);
  EXPECT_TRUE(sandbox->folders.empty());
  EXPECT_TRUE(sandbox->environment.empty());
  for (const std::string_view name : config::capability_names()) EXPECT_FALSE(sandbox->allows(name)) << name;
}

TEST(Sandbox, AsItIsMadeIsWhatTheDefaultGrantsGive) {
  const Sandbox made;
  const Result<Sandbox> granted = sandbox_of(config::SecurityConfig{}.default_grants);
  ASSERT_TRUE(granted);
  EXPECT_EQ(made.grants, granted->grants);
  EXPECT_EQ(made.clocks, granted->clocks);
  EXPECT_EQ(made.random, granted->random);
}

TEST(Sandbox, OpensAFolderAsItIsWritten) {
  std::filesystem::create_directories(std::filesystem::path(testing::TempDir()) / "sandbox-in");
  const Result<Sandbox> sandbox = sandbox_of({{"filesystem-read", "sandbox-in"}});
  ASSERT_TRUE(sandbox) << sandbox.error().to_string();
  EXPECT_EQ(sandbox->folders,
            (std::vector<Folder>{{"sandbox-in", std::filesystem::path(testing::TempDir()) / "sandbox-in", false}}));
  EXPECT_TRUE(sandbox->may_wait());
}

TEST(Sandbox, OpensAFolderOnceAndWritableWhereBothAreGranted) {
  for (const auto& grants : {std::vector<Capability>{{"filesystem-read", "/tmp"}, {"filesystem-write", "/tmp"}},
                             std::vector<Capability>{{"filesystem-write", "/tmp"}, {"filesystem-read", "/tmp"}}}) {
    const Result<Sandbox> sandbox = sandbox_of(grants);
    ASSERT_TRUE(sandbox);
    EXPECT_EQ(sandbox->folders, (std::vector<Folder>{{"/tmp", "/tmp", true}}));
  }
}

TEST(Sandbox, RefusesAFolderThatIsNone) {
  const Result<Sandbox> sandbox = sandbox_of({{"filesystem-read", "/dev/null"}});
  ASSERT_FALSE(sandbox);
  EXPECT_EQ(sandbox.error().code(), ErrorCode::io_failed);
}

TEST(Sandbox, HasTheNamedVariablesThatAreSet) {
  const Result<Sandbox> sandbox = sandbox_of({{"environment", "HOME,NOT_SET"}, {"environment", "LANG,HOME"}});
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(sandbox->environment, (std::vector<Variable>{{"HOME", "/root"}, {"LANG", "C"}}));
}

TEST(Sandbox, RefusesAnEnvironmentWithoutNames) {
  for (const char* scope : {"", "HOME,", ",HOME"}) {
    const Result<Sandbox> sandbox = sandbox_of({{"environment", scope}});
    ASSERT_FALSE(sandbox) << scope;
    EXPECT_EQ(sandbox.error().code(), ErrorCode::out_of_range);
  }
}

TEST(Sandbox, AnswersForNarrowerScopesAndForTheNameAlone) {
  const Result<Sandbox> sandbox = sandbox_of({{"filesystem-read", "/tmp"}});
  ASSERT_TRUE(sandbox);
  EXPECT_TRUE(sandbox->allows("filesystem-read"));
  EXPECT_TRUE(sandbox->allows("filesystem-read:/tmp/inner"));
  EXPECT_TRUE(sandbox->allows("wasi:filesystem/read:/tmp"));
  EXPECT_FALSE(sandbox->allows("filesystem-read:/etc"));
  EXPECT_FALSE(sandbox->allows("filesystem-write"));
  EXPECT_FALSE(sandbox->allows("no such thing"));
}

TEST(Sandbox, DoesNotAllowWhatAGrantDoesNotOpen) {
  const Result<Sandbox> sandbox = sandbox_of({{"custom-metrics", ""}, {"logging", ""}});
  ASSERT_TRUE(sandbox);
  EXPECT_FALSE(sandbox->allows("custom-metrics"));
  EXPECT_TRUE(sandbox->allows("logging"));
}

TEST(GrantsOf, AreTheDefaultsThoseOfTheComponentAndTheNodesOwn) {
  config::SecurityConfig security;
  security.default_grants = {{"clocks", ""}};
  security.grants = {
      {.component = "fetch", .capabilities = {{"random", ""}}, .where = {}},
      {.component = "fetch.wasm", .capabilities = {{"clocks", ""}, {"environment", "HOME"}}, .where = {}},
      {.component = "other", .capabilities = {{"udp", ""}}, .where = {}}};
  config::NodeConfig node;
  node.component = "build/fetch.wasm";
  node.grants = {{"stdio", ""}};
  EXPECT_EQ(grants_of(security, node, ""),
            (std::vector<Capability>{{"clocks", ""}, {"environment", "HOME"}, {"stdio", ""}}));
  EXPECT_EQ(grants_of(security, node, "fetch"),
            (std::vector<Capability>{{"clocks", ""}, {"random", ""}, {"environment", "HOME"}, {"stdio", ""}}));
}

}  // namespace
}  // namespace torvyn::security
