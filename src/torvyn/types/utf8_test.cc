#include "torvyn/types/utf8.h"

#include <gtest/gtest.h>

namespace torvyn {
namespace {

TEST(Utf8, GivesTheFirstCharacterAndItsBytes) {
  const auto expect = [](std::string_view text, char32_t code, std::size_t bytes) {
    const CodePoint first = first_code_point(text);
    EXPECT_EQ(first.code, code) << text;
    EXPECT_EQ(first.bytes, bytes) << text;
  };
  expect("a€", U'a', 1);
  expect("ß", U'ß', 2);
  expect("€a", U'€', 3);
  expect("😀😀", U'😀', 4);
  EXPECT_EQ(first_code_point("\xff").bytes, 0U);
}

// The edges of each length, of what is longer than it need be, of surrogates and of all there is.
TEST(Utf8, IsNothingButWhatTheStandardSays) {
  EXPECT_TRUE(is_utf8(""));
  for (const std::string_view good :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "text/plain; name=\"größe €😀\""})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const std::string_view bad : {"\x80",
                                     "\xbf",
                                     "\xc0\x80",
                                     "\xc1\xbf",
                                     "\xc2",
                                     "\xc2\x7f",
                                     "\xc2\xc0",
                                     "\xe0\x80\x80",
                                     "\xe0\x9f\xbf",
                                     "\xe2\x82",
                                     "\xed\xa0\x80",
                                     "\xed\xbf\xbf",
                                     "\xf0\x80\x80\x80",
                                     "\xf0\x8f\xbf\xbf",
                                     "\xf0\x9f\x98",
                                     "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80",
                                     "\xf8\x88\x80\x80\x80",
                                     "\xff",
                                     "text/\xff",
                                     "text\xe2\x28\xa1"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace torvyn
