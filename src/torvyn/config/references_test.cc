#include "torvyn/config/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "torvyn/config/manifest.h"

namespace torvyn::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::optional<std::string> lookup(std::string_view name) {
  static const std::map<std::string_view, std::string> variables = {
      {"TOKEN", "s3cret"}, {"EMPTY", ""}, {"QUOTES", "a\"b\\c\nd"}, {"AGAIN", "${env:TOKEN}"}, {"BAD", "\xff\xfe"}};
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

NodeConfig node_with(const std::string& config) {
  const Result<Manifest> manifest = parse_manifest(
      "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n[flow.main.nodes.n]\ncomponent = "
      "\"c\"\nconfig = " +
          config + "\n",
      "Torvyn.toml");
  EXPECT_TRUE(manifest.has_value()) << config;
  return manifest ? manifest->flows.at(0).nodes.at(0) : NodeConfig{};
}

class References : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-references-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  NodeConfig filled(const std::string& config) {
    NodeConfig node = node_with(config);
    const auto references = fill_references(node, folder_, lookup);
    EXPECT_TRUE(references.has_value()) << (references ? "" : references.error().to_string());
    return node;
  }
  Error refused(const std::string& config) {
    NodeConfig node = node_with(config);
    const auto references = fill_references(node, folder_, lookup);
    EXPECT_FALSE(references.has_value()) << config;
    return references ? Error(ErrorCode::internal_error, "was filled in") : references.error();
  }

  std::filesystem::path folder_;
};

TEST_F(References, AreFilledInEverywhere) {
  const NodeConfig node = filled(
      R"({ token = "${env:TOKEN}", url = "http://u:${env:TOKEN}@h/${env:EMPTY}", n = 5, deep = { list = ["${env:TOKEN}", 1] } })");
  EXPECT_EQ(node.config, R"({"token":"s3cret","url":"http://u:s3cret@h/","n":5,"deep":{"list":["s3cret",1]}})");
  EXPECT_THAT(node.settings, ElementsAre(Pair("token", "s3cret"), Pair("url", "http://u:s3cret@h/"), Pair("n", "5"),
                                         Pair("deep", R"({"list":["s3cret",1]})")));
  EXPECT_EQ(filled(R"("token=${env:TOKEN}")").config, "token=s3cret");
}

TEST_F(References, KeepWhatTheyStandForInOnePiece) {
  const NodeConfig node = filled(R"({ a = "${env:QUOTES}" })");
  EXPECT_EQ(node.config, R"({"a":"a\"b\\c\nd"})");
  EXPECT_THAT(node.settings, ElementsAre(Pair("a", "a\"b\\c\nd")));
  EXPECT_EQ(filled(R"({ a = "${env:AGAIN}" })").settings[0].second, "${env:TOKEN}");
}

TEST_F(References, OfFilesLoseTheirLastLineEnd) {
  std::ofstream(folder_ / "token") << "from-a-file\n";
  std::ofstream(folder_ / "two lines") << "a\nb\r\n";
  EXPECT_EQ(filled(R"("${file:token}")").config, "from-a-file");
  EXPECT_EQ(filled(R"("${file:two lines}")").config, "a\nb");
  EXPECT_EQ(filled("\"${file:" + (folder_ / "token").string() + "}\"").config, "from-a-file");
}

TEST_F(References, LeaveOtherDollarsAlone) {
  for (const char* text : {"$", "$$", "cost $5", "${other:X}", "${}", "${", "$env:TOKEN", "a$"}) {
    EXPECT_EQ(filled("'" + std::string(text) + "'").config, text);
    EXPECT_EQ(filled("{ a = '" + std::string(text) + "' }").settings[0].second, text);
  }
  EXPECT_EQ(filled("'$${env:TOKEN}'").config, "${env:TOKEN}");
  EXPECT_EQ(filled("'$$${env:TOKEN}'").config, "$${env:TOKEN}");
}

TEST_F(References, ThatCannotBeFilledInAreErrorsAtTheSetting) {
  std::ofstream(folder_ / "binary") << "\xff\xfe";
  std::ofstream(folder_ / "huge") << std::string(reference_bytes_max + 1, 'x');
  const std::pair<const char*, const char*> cases[] = {
      {"${env:ABSENT}", "`${env:ABSENT}` cannot be filled in: the variable is not set"},
      {"${file:absent}", "`${file:absent}` cannot be filled in: cannot read"},
      {"${file:.}", "cannot be filled in"},
      {"${file:huge}", "more than 1 MiB"},
      {"${file:binary}", "is not UTF-8"},
      {"${env:BAD}", "is not UTF-8"},
      {"${env:}", "names nothing"},
      {"${env:TOKEN", "has no closing brace"},
  };
  for (const auto& [text, message] : cases) {
    Error error = refused("{ first = 1, second = '" + std::string(text) + "' }");
    EXPECT_EQ(error.code(), ErrorCode::reference_unfilled) << text;
    EXPECT_THAT(error.message(), HasSubstr(message)) << text;
    EXPECT_NE(error.hint(), "") << text;
    EXPECT_EQ(error.detail().file, "Torvyn.toml") << text;
    EXPECT_EQ(error.detail().line, 7U) << text;
    EXPECT_EQ(error.detail().column, 23U) << text;
    error = refused("'" + std::string(text) + "'");
    EXPECT_EQ(error.detail().column, 10U) << text;
  }
}

TEST_F(References, AreToldWithTheirValues) {
  NodeConfig node = node_with(R"({ a = "${env:TOKEN}", b = "${env:TOKEN}${env:EMPTY}" })");
  const auto references = fill_references(node, folder_, lookup);
  ASSERT_TRUE(references.has_value());
  ASSERT_EQ(references->size(), 2U);
  EXPECT_EQ((*references)[0].reference, "${env:TOKEN}");
  EXPECT_EQ((*references)[0].value, "s3cret");
}

TEST(Masked, PutsReferencesInThePlaceOfTheirValues) {
  const std::vector<FilledReference> filled = {
      {"${env:SHORT}", "abc"}, {"${env:A}", "secret"}, {"${env:B}", "secret-longer"}, {"${env:NONE}", ""}};
  EXPECT_EQ(masked("secret, secret-longer and abc", filled), "${env:A}, ${env:B} and abc");
  EXPECT_EQ(masked("", filled), "");
  Error error(ErrorCode::io_failed, "cannot read `/secret/x`", "look at secret");
  error.detail().guest_lines = {"I was told secret-longer"};
  const Error shown = masked(error, filled);
  EXPECT_EQ(shown.message(), "cannot read `/${env:A}/x`");
  EXPECT_EQ(shown.hint(), "look at ${env:A}");
  EXPECT_EQ(shown.detail().guest_lines[0], "I was told ${env:B}");
}

TEST(Masked, EndsWhereAReferenceHoldsItsOwnValue) {
  const std::vector<FilledReference> filled = {{"${env:aaaa}", "aaaa"}};
  EXPECT_EQ(masked("aaaaaaaa", filled), "${env:aaaa}${env:aaaa}");
}

}  // namespace
}  // namespace torvyn::config
