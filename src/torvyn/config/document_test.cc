#include "torvyn/config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace torvyn::config {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

Document parsed(std::string_view text) {
  Result<Document> document = parse_document(text, Source{.name = "x.toml"});
  EXPECT_TRUE(document.has_value()) << (document ? "" : document.error().to_string());
  return document ? *std::move(document) : Document{};
}

Error refused(std::string_view text) {
  const Result<Document> document = parse_document(text, Source{.name = "x.toml"});
  EXPECT_FALSE(document.has_value());
  return document ? Error(ErrorCode::internal_error, "was read") : document.error();
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(Document, KeepsKeysInFileOrder) {
  const Document document = parsed("[z]\nb = 1\na = 2\n[m.y]\n[m.x]\n[a]\n");
  std::vector<std::string> keys;
  for (const Entry& entry : document.root.entries) keys.push_back(entry.key);
  EXPECT_THAT(keys, ElementsAre("z", "m", "a"));
  EXPECT_EQ(document.root.find("z")->entries[0].key, "b");
  EXPECT_EQ(document.root.find("m")->entries[0].key, "y");
}

TEST(Document, ReadsEveryKindOfValue) {
  const Document document = parsed(
      "t = 'x'\ni = -5\nf = 1.5\nb = true\nd = 1979-05-27\nl = [1, 'a']\nq = { k = 1 }\nc = 07:32:00\nz = "
      "1979-05-27T07:32:00Z\n");
  const Value& root = document.root;
  EXPECT_EQ(root.find("t")->kind, Value::Kind::text);
  EXPECT_EQ(root.find("t")->text, "x");
  EXPECT_EQ(root.find("i")->integer, -5);
  EXPECT_EQ(root.find("f")->number, 1.5);
  EXPECT_TRUE(root.find("b")->boolean);
  EXPECT_EQ(root.find("d")->kind, Value::Kind::date);
  EXPECT_EQ(root.find("d")->text, "1979-05-27");
  EXPECT_EQ(root.find("c")->text, "07:32:00");
  EXPECT_EQ(root.find("z")->text, "1979-05-27T07:32:00Z");
  ASSERT_EQ(root.find("l")->items.size(), 2U);
  EXPECT_EQ(root.find("l")->items[1].text, "a");
  EXPECT_EQ(root.find("q")->find("k")->integer, 1);
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Document, CountsColumnsInBytes) {
  const Document document = parsed("o = { 'ä€😀' = 'ü', b = 'ö', cc = 1 }\n");
  const std::vector<Entry>& entries = document.root.entries[0].value.entries;
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].place.column, 7U);
  EXPECT_EQ(entries[0].place.length, 11U);
  EXPECT_EQ(entries[0].value.place.column, 21U);
  EXPECT_EQ(entries[0].value.place.length, 4U);
  EXPECT_EQ(entries[1].place.column, 27U);
  EXPECT_EQ(entries[2].place.column, 37U);
  EXPECT_EQ(entries[2].place.length, 2U);
}

TEST(Document, DoesNotCountTheByteOrderMark) {
  const Document document = parsed(
      "\xEF\xBB\xBF"
      "ab = 1\n");
  EXPECT_EQ(document.root.entries[0].key, "ab");
  EXPECT_EQ(document.root.entries[0].place.column, 1U);
}

TEST(Document, PutsSyntaxErrorsWhereTheyAre) {
  const Error error = refused("a = 1\r\n  b == 2\r\n");
  EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(error.detail().file, "x.toml");
  EXPECT_EQ(error.detail().line, 2U);
  EXPECT_EQ(error.detail().column, 6U);
  EXPECT_EQ(error.detail().source_line, "  b == 2");
  EXPECT_THAT(error.message(), StartsWith("this is not TOML: "));
}

TEST(Document, SaysInWhatTheSyntaxErrorIs) {
  EXPECT_EQ(refused("name = foo").message(), "this is not TOML: expected 'false', saw 'fo' (in boolean)");
  EXPECT_EQ(refused("a = \"\xff\"").message(), "this is not TOML: encountered invalid utf-8 sequence");
}

TEST(Document, HelpsWithTheCommonMistakes) {
  EXPECT_EQ(refused("name = upper").hint(), "text stands in quotes, as in name = \"upper\"");
  EXPECT_EQ(refused("name = foo").hint(), "text stands in quotes, as in name = \"upper\"");
  EXPECT_THAT(refused("name = 'upper\n").hint(), StartsWith("close the quote"));
  EXPECT_EQ(refused("[x]\n[x]\n").hint(), "each key and each [section] is written once");
  EXPECT_EQ(refused("a = 1\na = 2\n").hint(), "each key and each [section] is written once");
}

TEST(Document, RefusesWhatIsNoToml) {
  for (const char* text : {"a",
                           "a = ",
                           "= 1",
                           "a = 'x",
                           "a = \"x",
                           "a = '''x",
                           "[x",
                           "[[x]",
                           "[x]]",
                           "a = [1,",
                           "a = { b = 1",
                           "a = 1 b = 2",
                           "a = 1\na = 2",
                           "[x]\n[x]",
                           "[[x]]\n[x]",
                           "a = 01",
                           "a = 99999999999999999999",
                           "a = \"\\q\"",
                           "a.b = 1\na = 2",
                           "a = \"\x01\"",
                           "\xff\xfe"}) {
    const Error error = refused(text);
    EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml) << text;
    EXPECT_GE(error.detail().line, 1U) << text;
    EXPECT_GE(error.detail().column, 1U) << text;
  }
  EXPECT_EQ(refused(std::string_view("a = 1\0", 6)).code(), ErrorCode::manifest_not_toml);
}

// toml++ 3.3 asserts that they are there.
TEST(Document, RefusesHeadersThatDoNotBeginWithAKey) {
  for (const char* text :
       {"[=]", "[#]", "[/x]", "[[$x]]", "[\x01]", "[\n]", "[[\n]]", "[,", "[[=", "[.a]", "[[[a]]]"}) {
    const Error error = refused(text);
    EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml) << text;
    EXPECT_THAT(error.message(), StartsWith("this is not TOML: ")) << text;
    EXPECT_EQ(error.detail().line, 1U) << text;
    EXPECT_GE(error.detail().column, 2U) << text << error.message();
  }
}

// toml++ 3.3 has undefined behaviour here; the sanitizers see whether we have.
TEST(Document, TakesLettersBeyondAsciiWhereBlanksMayStand) {
  EXPECT_EQ(parsed("a = \"\"\"x\\\n  ä\"\"\"").root.find("a")->text, "xä");
  EXPECT_EQ(parsed("a = 1 # ä").root.find("a")->integer, 1);
  for (const char* text :
       {"ä = 1", "aä = 1", "[aä]", "a = ä", "a = 1ä", "a ä = 1", "a = \"\"\"\\ä\"\"\"", "a = [1, ä]"}) {
    EXPECT_EQ(refused(text).code(), ErrorCode::manifest_not_toml) << text;
  }
}

// toml++ 3.3 asserts that a time after a date and a blank has two digits at least.
TEST(Document, MakesAnErrorOfAFailedAssertionInTheParser) {
  const Error error = refused("a = 1979-05-27 5\n");
  EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(error.to_string(), "E0002: this is not TOML, in a way that the parser cannot place (x.toml)");
}

TEST(Document, BoundsTheNestingOfValues) {
  parsed("a = " + repeated("[", 30) + repeated("]", 30));
  EXPECT_EQ(refused("a = " + repeated("[", 100'000)).message(), "values are nested more than 32 deep");
  EXPECT_EQ(refused("a = " + repeated("{a=", 100'000)).message(), "values are nested more than 32 deep");
}

// toml++ 3.3 overflows the stack where nobody counts.
TEST(Document, BoundsThePartsOfAKey) {
  parsed(repeated("a.", key_parts_max - 1) + "a = 1");
  const Error error = refused("x = 1\n" + repeated("a.", key_parts_max) + "a = 1");
  EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(error.message(), "a key has more than 32 parts");
  EXPECT_EQ(error.detail().line, 2U);
  EXPECT_EQ(error.detail().column, 2U * key_parts_max);
  for (const std::string_view part : {"a.", "'a'.", "\"a\" . ", "a\t."}) {
    const std::string deep = repeated(part, 200'000) + "a";
    EXPECT_EQ(refused(deep + " = 1").message(), error.message()) << part;
    EXPECT_EQ(refused("[" + deep + "]").message(), error.message()) << part;
    EXPECT_EQ(refused("x = { " + deep + " = 1 }").message(), error.message()) << part;
  }
  // Behind strings of every form, which hide nothing.
  for (const char* before :
       {"x = ''\n", "x = \"\\\"\"\n", "x = '''\n'a\n''''\n", "x = \"\"\"\n\\\"\"\"\"\"\"\n", "x = ''''''\n", "# '\n"}) {
    EXPECT_EQ(refused(before + repeated("a.", 200'000) + "a = 1").message(), error.message()) << before;
  }
}

TEST(Document, DoesNotCountDotsThatAreNoPartsOfAKey) {
  const std::string dots = repeated(".", 200);
  parsed("a = '" + dots + "'\nb = \"\\\"" + dots + "\"\nc = '''\n" + dots + "\n" + dots + "'''\nd = \"\"\"\n\"" + dots +
         "\"\"\"\n# " + dots + "\ne = [" + repeated("1.5, ", 200) + "]\n'" + dots + "' = 1\n");
}

TEST(Document, TakesLongLinesInItsStride) {
  // Each place of a long line must not cost a walk from its start.
  std::string text = "a = { ";
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + " = 'ä', ";
  text += "z = 1 }";
  const Document document = parsed(text);
  const std::vector<Entry>& entries = document.root.entries[0].value.entries;
  ASSERT_EQ(entries.size(), 100'001U);
  EXPECT_EQ(entries.back().key, "z");
  EXPECT_EQ(entries.back().place.column, text.rfind('z') + 1);
}

}  // namespace
}  // namespace torvyn::config
