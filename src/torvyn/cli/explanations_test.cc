#include "torvyn/cli/explanations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "torvyn/cli/text.h"
#include "torvyn/config/manifest.h"
#include "torvyn/types/error_codes.h"

namespace torvyn::cli {
namespace {

// The paragraphs that are lines of a manifest, from one with a [table] on.
std::string snippet_of(std::string_view page) {
  std::string snippet;
  while (!page.empty()) {
    const std::size_t end = std::min(page.find("\n\n"), page.size());
    if (page.starts_with("[")) snippet.append(page.substr(0, end)).append("\n");
    page.remove_prefix(std::min(end + 2, page.size()));
  }
  return snippet;
}

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

// A page that tells of a key that was renamed, or shows what the manifest refuses, is worse than none. Nor are its lines
// broken on a terminal of 80 columns.
TEST(Explain, ShowsManifestsThatCanBeRead) {
  int snippets = 0;
#define TORVYN_TRY_SNIPPETS(number, name, known_title)                                                         \
  if (const std::string snippet = snippet_of(explain(code_string(ErrorCode::name))->page); !snippet.empty()) { \
    const auto manifest = config::parse_manifest(project + snippet, "Torvyn.toml");                            \
    EXPECT_TRUE(manifest.has_value()) << code_string(ErrorCode::name) << ": " << manifest.error().to_string(); \
    for (const std::string_view line : lines_of(snippet)) EXPECT_LE(line.size(), 80U) << line;                 \
    ++snippets;                                                                                                \
  }
  const std::string project = "[torvyn]\nname = \"a\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n";
  TORVYN_ERROR_CODES(TORVYN_TRY_SNIPPETS)
#undef TORVYN_TRY_SNIPPETS
  EXPECT_GE(snippets, 9);
}

// All sources but tests, and but the pages themselves, which name every code.
std::string all_sources() {
  namespace fs = std::filesystem;
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(TORVYN_TEST_SOURCE_DIR) / "src" / "torvyn")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".cc" || name.starts_with("explanation") || name.ends_with("_test.cc")) continue;
    std::ostringstream content;
    content << std::ifstream(entry.path()).rdbuf();
    text += content.str();
  }
  return text;
}

bool is_emitted(const std::string& sources, const std::string& name) {
  const std::string use = "ErrorCode::" + name;
  for (std::size_t at = sources.find(use); at != std::string::npos; at = sources.find(use, at + 1)) {
    const char after = sources[at + use.size()];
    if (after != '_' && std::isalnum(static_cast<unsigned char>(after)) == 0) return true;
  }
  return false;
}

TEST(Explain, ShowsHowWhatIsEmittedLooks) {
  const std::string sources = all_sources();
  int emitted = 0;
#define TORVYN_EXPECT_EXAMPLE(number, name, known_title)                  \
  if (is_emitted(sources, #name)) {                                       \
    const std::string code = code_string(ErrorCode::name);                \
    EXPECT_TRUE(explain(code)->example.contains("error[" + code + "]: ")) \
        << "add it to explanation_examples.cc: " << code;                 \
    ++emitted;                                                            \
  }
  TORVYN_ERROR_CODES(TORVYN_EXPECT_EXAMPLE)
#undef TORVYN_EXPECT_EXAMPLE
  EXPECT_GE(emitted, 35);
}

TEST(Explain, HasAPageForEveryWarning) {
  const std::string sources = all_sources();
  const std::regex quoted_code("\"(W[0-9]{4})\"");
  std::set<std::string> codes;
  for (std::sregex_iterator found(sources.begin(), sources.end(), quoted_code), end; found != end; ++found)
    codes.insert((*found)[1].str());
  EXPECT_GE(codes.size(), 3U);
  for (const std::string& code : codes) {
    const auto page = explain(code);
    ASSERT_TRUE(page.has_value()) << "add it to warning_pages: " << code;
    EXPECT_TRUE(page->example.starts_with("warning[" + code + "]: ")) << "add it to explanation_examples.cc: " << code;
  }
}

TEST(Explain, KnowsItsOwnList) {
  for (const std::string& code : explained_codes()) EXPECT_EQ(explain(code)->code, code);
  EXPECT_GE(explained_codes().size(), 57U);
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
