#include "torvyn/config/json_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace torvyn::config {
namespace {

TEST(JsonString, EscapesWhatJsonDemands) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(json_string("grüße"), "\"grüße\"");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(JsonString, ReplacesWhatIsNotUtf8) { EXPECT_EQ(json_string("a\xff"), "\"a\uFFFD\""); }

TEST(JsonNumber, ReadsBackAsTheSame) {
  EXPECT_EQ(json_number(1.0), "1.0");
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(-2.5e-300), "-2.5e-300");
}

TEST(JsonObject, KeepsTheOrder) {
  const std::vector<std::pair<std::string, std::string>> settings = {{"z", "1"}, {"", "main"}, {"a", "\""}};
  EXPECT_EQ(json_object(settings), R"({"z":"1","":"main","a":"\""})");
  EXPECT_EQ(json_object({}), "{}");
}

}  // namespace
}  // namespace torvyn::config
