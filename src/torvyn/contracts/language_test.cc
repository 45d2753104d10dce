#include "torvyn/contracts/language.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LanguageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-language-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name) const {
    std::ofstream(folder_ / name) << "x";
    return folder_ / name;
  }
  Result<Language> detect(std::vector<fs::path> sources) const { return detect_language(sources); }

  fs::path folder_;
};

TEST_F(LanguageTest, IsKnownByItsNameBothWays) {
  for (const Language language : languages()) EXPECT_EQ(find_language(language_name(language)), language);
  EXPECT_EQ(find_language("cobol"), std::nullopt);
  EXPECT_EQ(language_title(Language::cpp), "C++");
}

TEST_F(LanguageTest, IsToldByAFilesEnding) {
  const std::pair<const char*, Language> files[] = {
      {"a.c", Language::c},          {"a.cc", Language::cpp},        {"a.cpp", Language::cpp},
      {"a.cxx", Language::cpp},      {"a.rs", Language::rust},       {"a.go", Language::go},
      {"a.py", Language::python},    {"a.js", Language::javascript}, {"a.mjs", Language::javascript},
      {"a.ts", Language::javascript}};
  for (const auto& [name, language] : files) EXPECT_EQ(detect({write(name)}).value(), language) << name;
  for (const char* const name : {"a", "a.h", "a.txt", ".c", "a.wasm"})
    EXPECT_EQ(language_of_file(name), std::nullopt) << name;
}

TEST_F(LanguageTest, IsToldByAProjectFileBeforeItsNeighbours) {
  write("build.rs");
  write("tool.py");
  write("Cargo.toml");
  EXPECT_EQ(detect({folder_}).value(), Language::rust);
}

TEST_F(LanguageTest, TakesCBesideCppForCpp) {
  write("a.c");
  write("b.cpp");
  write("notes.txt");
  EXPECT_EQ(detect({folder_}).value(), Language::cpp);
}

TEST_F(LanguageTest, RefusesAFolderOfSeveral) {
  write("a.c");
  write("b.py");
  const auto language = detect({folder_});
  ASSERT_FALSE(language);
  EXPECT_EQ(language.error().code(), ErrorCode::usage);
  EXPECT_THAT(language.error().message(), HasSubstr("holds C and Python"));
}

TEST_F(LanguageTest, SaysWhichEndingsAreKnown) {
  EXPECT_THAT(detect({folder_}).error().hint(), HasSubstr(".rs"));
  EXPECT_THAT(detect({write("a.txt")}).error().hint(), HasSubstr(".py"));
  EXPECT_EQ(detect({folder_ / "none.c"}).error().code(), ErrorCode::io_failed);
}

}  // namespace
}  // namespace torvyn::contracts
