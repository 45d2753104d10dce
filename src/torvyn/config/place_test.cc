#include "torvyn/config/place.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace torvyn::config {
namespace {

SourceLocation at(std::string text, std::uint32_t line, std::uint32_t column, std::uint32_t length) {
  return {"x.toml", line, column, length, std::make_shared<const std::string>(std::move(text))};
}

Error sample() { return Error(ErrorCode::unknown_key, "m"); }

TEST(Placed, GivesTheLineWithoutItsEnd) {
  const Error error = placed(sample(), at("one\r\ntwo\nthree", 1, 2, 2));
  EXPECT_EQ(error.detail().file, "x.toml");
  EXPECT_EQ(error.detail().line, 1U);
  EXPECT_EQ(error.detail().column, 2U);
  EXPECT_EQ(error.detail().source_line, "one");
  EXPECT_EQ(error.detail().caret_length, 2U);
  EXPECT_EQ(placed(sample(), at("one\ntwo\nthree", 3, 1, 1)).detail().source_line, "three");
}

TEST(Placed, UnderlinesUpToTheEndOfTheLine) {
  EXPECT_EQ(placed(sample(), at("one\ntwo", 1, 2, 6)).detail().caret_length, 2U);
  EXPECT_EQ(placed(sample(), at("one\ntwo", 1, 4, 6)).detail().caret_length, 0U);
  EXPECT_EQ(placed(sample(), at("one\ntwo", 1, 9, 6)).detail().caret_length, 0U);
}

TEST(Placed, LivesWithALineThatIsNotThere) { EXPECT_EQ(placed(sample(), at("one", 2, 1, 1)).detail().source_line, ""); }

TEST(Placed, KeepsThePlaceThatIsKnown) {
  const Error error = placed(sample().at_file("first.toml", 7, 8), at("one", 1, 1, 1));
  EXPECT_EQ(error.detail().file, "first.toml");
  EXPECT_EQ(error.detail().line, 7U);
  EXPECT_EQ(error.detail().source_line, "");
}

TEST(Placed, DoesNothingForWhatIsWrittenNowhere) {
  EXPECT_EQ(placed(sample(), SourceLocation{}).to_string(), "E0701: m");
}

TEST(Placed, ManagesWithoutTheText) {
  const Error error = placed(sample(), SourceLocation{"x.toml", 3, 4, 5, nullptr});
  EXPECT_EQ(error.to_string(), "E0701: m (x.toml:3:4)");
  EXPECT_EQ(error.detail().caret_length, 0U);
}

}  // namespace
}  // namespace torvyn::config
