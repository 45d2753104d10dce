#include "torvyn/cli/text.h"

#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

TEST(Printable, KeepsTextOfAnyLanguage) {
  EXPECT_EQ(printable("tabs\tand Grüße, 漢字, 🦀"), "tabs\tand Grüße, 漢字, 🦀");
}

TEST(Printable, WritesOutWhatSteersATerminal) {
  EXPECT_EQ(printable("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(printable("two\nlines\r"), "two\\nlines\\r");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\x9b31m");  // a control sequence in one character
  EXPECT_EQ(printable("abc\xe2\x80\xaegpj.exe"), "abc\\u{202e}gpj.exe");
  EXPECT_EQ(printable("a\u2028b"), "a\\u{2028}b");
}

TEST(Printable, WritesOutBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(printable("\xe6\xbc"), "\\xe6\\xbc");                    // cut off
}

TEST(Clipped, CutsAtCharactersAndSaysSo) {
  EXPECT_EQ(clipped("µµµµ", 4), "µµµµ");
  EXPECT_EQ(clipped("µµµµ", 3), "µµ…");
  EXPECT_EQ(clipped("abc", 1), "…");
  EXPECT_EQ(clipped("abc", 0), "");
}

TEST(Wrapped, BreaksAtBlanksAndKeepsLineEnds) {
  EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("one\n\ntwo", 7), (std::vector<std::string>{"one", "", "two"}));
  EXPECT_EQ(wrapped("unbreakable it is", 5), (std::vector<std::string>{"unbreakable", "it is"}));
}

TEST(LinesOf, GivesNoEmptyLineForTheLastLineEnd) {
  EXPECT_EQ(lines_of("a\nb\n"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(lines_of(""), (std::vector<std::string_view>{""}));
}

TEST(Aligned, PutsCellsUnderEachOtherByTheirWidth) {
  EXPECT_EQ(aligned({{"p50", "copies"}, {"0.2 µs", "-"}, {"", "4"}}),
            " p50     copies\n"
            " 0.2 µs  -\n"
            "         4\n");
}

TEST(Text, IsQuotedForShellsWhereItHasTo) {
  EXPECT_EQ(shell_quoted("/usr/bin/a-1_b.c"), "/usr/bin/a-1_b.c");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace torvyn::cli
