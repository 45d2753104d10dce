#include "torvyn/config/names.h"

#include <gtest/gtest.h>

#include <string>

namespace torvyn::config {
namespace {

TEST(IsName, TakesLettersDigitsHyphensAndUnderscores) {
  for (const char* name : {"a", "upper-2", "Upper_Case", "_x", "9", "trailing-"}) EXPECT_TRUE(is_name(name)) << name;
  for (const char* name : {"", "-a", "a.b", "a b", "ü", "a/b", "a\n"}) EXPECT_FALSE(is_name(name)) << name;
  EXPECT_TRUE(is_name(std::string(64, 'a')));
  EXPECT_FALSE(is_name(std::string(65, 'a')));
}

TEST(IsProjectName, TakesLowercaseDigitsAndHyphens) {
  for (const char* name : {"a", "my-pipeline", "2fast"}) EXPECT_TRUE(is_project_name(name)) << name;
  for (const char* name : {"", "-a", "a-", "My", "a_b", "a.b"}) EXPECT_FALSE(is_project_name(name)) << name;
  EXPECT_FALSE(is_project_name(std::string(65, 'a')));
}

TEST(IsSemver, FollowsTheSpecification) {
  for (const char* version :
       {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.--",
        "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0+001", "1.0.0-rc.0a"}) {
    EXPECT_TRUE(is_semver(version)) << version;
  }
  for (const char* version :
       {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.03", "1.2.x", "v1.2.3", "1..3", "1.2.3-", "1.2.3-a..b",
        "1.2.3-01", "1.2.3-a.", "1.2.3+", "1.2.3+a+b", "1.2.3-ä", " 1.2.3", "-1.2.3"}) {
    EXPECT_FALSE(is_semver(version)) << version;
  }
}

TEST(Names, TellContentTypes) {
  for (const char* text : {"text/plain", "application/*", "application/vnd.api+json", "x/y"})
    EXPECT_TRUE(is_content_type(text)) << text;
  for (const char* text : {"", "json", "/", "text/", "/plain", "*/*", "text/plain; charset=utf-8", "a/b/c", "a /b"})
    EXPECT_FALSE(is_content_type(text)) << text;
}

TEST(Names, TellAddressesAndThoseOfThisMachine) {
  for (const char* text : {"127.0.0.1:80", "127.1.2.3:0", "localhost:65535", "[::1]:80"}) {
    EXPECT_TRUE(is_address(text)) << text;
    EXPECT_TRUE(is_loopback(text)) << text;
  }
  for (const char* text : {"0.0.0.0:80", "[::]:80", "example.org:443", "127.0.0.1.example.org:80", "127.example:1"}) {
    EXPECT_TRUE(is_address(text)) << text;
    EXPECT_FALSE(is_loopback(text)) << text;
  }
  for (const char* text :
       {"", ":", ":80", "a:", "a", "a:65536", "a:999999", "a:-1", "a:1x", "::1:80", "[]:80", "a b:1"})
    EXPECT_FALSE(is_address(text)) << text;
}

}  // namespace
}  // namespace torvyn::config
