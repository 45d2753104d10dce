#include "torvyn/config/capability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::config {
namespace {

using testing::HasSubstr;

Capability parsed(std::string_view text) {
  const Result<Capability> capability = parse_capability(text);
  EXPECT_TRUE(capability.has_value()) << text;
  return capability.value_or(Capability{});
}

TEST(Capability, IsANameAndMayHaveAScope) {
  EXPECT_EQ(parsed("clocks"), (Capability{"clocks", ""}));
  EXPECT_EQ(parsed("environment:HOME"), (Capability{"environment", "HOME"}));
  EXPECT_EQ(parsed("tcp-connect:10.0.0.0/8:443"), (Capability{"tcp-connect", "10.0.0.0/8:443"}));
  for (const std::string_view name : capability_names()) EXPECT_EQ(parsed(name).name, name);
}

TEST(Capability, ReadsWasisSpelling) {
  EXPECT_EQ(parsed("wasi:filesystem/read:/data/input"), (Capability{"filesystem-read", "/data/input"}));
  EXPECT_EQ(parsed("wasi:clocks"), (Capability{"clocks", ""}));
}

TEST(Capability, HasToBeOneThatThereIs) {
  for (const char* text : {"", "clock", "Clocks", "wasi:", "wasi:nowhere", "wasi:filesystem", ":x", "clocks "}) {
    const Result<Capability> capability = parse_capability(text);
    ASSERT_FALSE(capability.has_value()) << text;
    EXPECT_EQ(capability.error().code(), ErrorCode::out_of_range) << text;
    EXPECT_THAT(capability.error().hint(), HasSubstr("filesystem-read")) << text;
  }
  EXPECT_THAT(parse_capability("clock").error().message(), HasSubstr("did you mean `clocks`?"));
  EXPECT_THAT(parse_capability("wasi:filesystem/reed:/x").error().message(),
              HasSubstr("did you mean `wasi:filesystem/read`?"));
}

TEST(Capability, HasNoEmptyScope) { EXPECT_THAT(parse_capability("clocks:").error().message(), HasSubstr("no scope")); }

TEST(Capability, IncludesItselfAndNarrowerScopes) {
  const auto allows = [](std::string_view allowed, std::string_view asked) {
    return includes(parsed(allowed), parsed(asked));
  };
  EXPECT_TRUE(allows("clocks", "clocks"));
  EXPECT_TRUE(allows("environment", "environment:HOME"));
  EXPECT_TRUE(allows("environment:HOME", "environment:HOME"));
  EXPECT_TRUE(allows("filesystem-read:/data", "filesystem-read:/data/input"));
  EXPECT_TRUE(allows("filesystem-read:/data/", "filesystem-read:/data"));
  EXPECT_TRUE(allows("filesystem-read:/", "filesystem-read:/data"));

  EXPECT_FALSE(allows("clocks", "random"));
  EXPECT_FALSE(allows("environment:HOME", "environment"));
  EXPECT_FALSE(allows("environment:HOME", "environment:HOMEPAGE"));
  EXPECT_FALSE(allows("filesystem-read:/data", "filesystem-read"));
  EXPECT_FALSE(allows("filesystem-read:/data", "filesystem-read:/database"));
  EXPECT_FALSE(allows("filesystem-read:/data", "filesystem-read:/data/../etc"));
  EXPECT_FALSE(allows("filesystem-read:/data", "filesystem-read:data"));
  EXPECT_FALSE(allows("filesystem-read:/data", "filesystem-write:/data"));
}

}  // namespace
}  // namespace torvyn::config
