#include "torvyn/cli/explanations.h"

#include <gtest/gtest.h>

#include "torvyn/types/error_codes.h"

namespace torvyn::cli {
namespace {

TEST(Explain, HasAPageForEveryErrorCode){
#define TORVYN_EXPECT_PAGE(number, name, known_title)                                   \
  {                                                                                     \
    const auto page = explain(code_string(ErrorCode::name));                            \
    ASSERT_TRUE(page.has_value()) << code_string(ErrorCode::name);                      \
    EXPECT_EQ(page->code, code_string(ErrorCode::name));                                \
    EXPECT_EQ(page->title, known_title);                                                \
    EXPECT_TRUE(page->page.ends_with('.')) << page->code;                               \
    EXPECT_GT(page->page.size(), 60U) << page->code;                                    \
    EXPECT_FALSE(page->page.contains("\n ")) << page->code;                             \
    EXPECT_FALSE(page->page.contains('!') && number != 1 && number != 5) << page->code; \
  }
    TORVYN_ERROR_CODES(TORVYN_EXPECT_PAGE)
#undef TORVYN_EXPECT_PAGE
}

TEST(Explain, TakesCodesAsPeopleWriteThem) {
  for (const char* code : {"E0203", "e0203", "0203", "203"}) {
    const auto page = explain(code);
    ASSERT_TRUE(page.has_value()) << code;
    EXPECT_EQ(page->code, "E0203");
  }
  EXPECT_EQ(explain("W0300")->code, "W0300");
  EXPECT_EQ(explain("w300")->code, "W0300");
}

TEST(Explain, KnowsNoOtherCodes) {
  for (const char* code : {"", "E", "E9999", "W0203", "203x", "-203", "E 203", "00203", "99999999"})
    EXPECT_FALSE(explain(code).has_value()) << code;
}

}  // namespace
}  // namespace torvyn::cli
