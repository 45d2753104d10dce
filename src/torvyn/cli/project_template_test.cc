#include "torvyn/cli/project_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace torvyn::cli {
namespace {

namespace fs = std::filesystem;
using contracts::EmbeddedFile;
using contracts::Language;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr std::array files = std::to_array<EmbeddedFile>({
    {"sdk/go/torvyn.go", "package torvyn\n"},
    {"templates/c/common/README.md", "# {{name}} in {{language}}\n"},
    {"templates/c/transform/Torvyn.toml", "{{contract_version}}\n# {{#example}}\nflow\n# {{/example}}\nlast"},
    {"templates/c/transform/data/in.txt", "x\n"},
    {"templates/c/transform/src/__name_snake__.c", "{{name_pascal}} {{unknown}}\n"},
    {"templates/common/README.md", "common\n"},
    {"templates/common/dot-gitignore", "target/\n"},
    {"templates/go/filter/go.mod", "module {{name}}\n"},
    {"wit/torvyn-acks/acks.wit", "package torvyn:acks;\n"},
});

NewProject project() {
  return {.name = "my-shout",
          .language = Language::c,
          .template_name = "transform",
          .contract_version = "0.1.0",
          .example = true};
}

auto file(std::string_view path, std::string_view text) {
  return AllOf(Field(&ProjectFile::path, path), Field(&ProjectFile::text, text));
}

class ProjectTemplate : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-init-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string read(const fs::path& name) const {
    std::stringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  std::set<std::string> all() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      found.insert(entry.path().lexically_relative(folder_).string());
    return found;
  }

  fs::path folder_;
};

TEST_F(ProjectTemplate, FillsInNamesAndLaysTemplatesOverEachOther) {
  EXPECT_THAT(render_project(project(), files),
              ElementsAre(file(".gitignore", "target/\n"), file("README.md", "# my-shout in c\n"),
                          file("Torvyn.toml", "0.1.0\nflow\nlast"), file("data/in.txt", "x\n"),
                          file("src/my_shout.c", "MyShout {{unknown}}\n"),
                          file("wit/deps/torvyn-acks/acks.wit", "package torvyn:acks;\n")));
}

TEST_F(ProjectTemplate, LeavesTheExampleOut) {
  NewProject bare = project();
  bare.example = false;
  const auto rendered = render_project(bare, files);
  EXPECT_THAT(rendered, testing::Contains(file("Torvyn.toml", "0.1.0\nlast")));
  EXPECT_THAT(rendered, testing::Not(testing::Contains(Field(&ProjectFile::path, "data/in.txt"))));
}

TEST_F(ProjectTemplate, PutsTheSdkIntoAProjectThatNeedsItThere) {
  NewProject go = project();
  go.language = Language::go;
  go.template_name = "filter";
  const auto rendered = render_project(go, files);
  EXPECT_THAT(rendered, testing::Contains(file("sdk/torvyn/torvyn.go", "package torvyn\n")));
}

TEST_F(ProjectTemplate, TakesNamesThatEveryLanguageCanUse) {
  for (const char* const name : {"a", "shout", "my-2nd-filter"}) EXPECT_TRUE(check_project_name(name)) << name;
  for (const char* const name : {"", "Shout", "my_filter", "-x", "x-", "2nd", "a b", "../x", "torvyn", "import"}) {
    const Status status = check_project_name(name);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code(), ErrorCode::usage);
    EXPECT_FALSE(status.error().hint().empty());
  }
}

TEST_F(ProjectTemplate, NamesTheNearestTemplateAndWhatALanguageHas) {
  EXPECT_TRUE(check_template("transform", Language::c, files));
  EXPECT_THAT(check_template("tranform", Language::c, files).error().message(), HasSubstr("did you mean `transform`?"));
  const Status other = check_template("filter", Language::c, files);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), HasSubstr("no template `filter` for C"));
  EXPECT_EQ(other.error().hint(), "C has transform");
}

TEST_F(ProjectTemplate, MakesTheFolderWithOrdinaryPermissions) {
  const std::array made = {ProjectFile{"src/a.c", "a"}, ProjectFile{"b", "b"}};
  ASSERT_TRUE(write_project(folder_ / "deep" / "new", made, false));
  EXPECT_EQ(all(), (std::set<std::string>{"deep", "deep/new", "deep/new/b", "deep/new/src", "deep/new/src/a.c"}));
  fs::create_directory(folder_ / "ordinary");
  EXPECT_EQ(fs::status(folder_ / "deep/new").permissions(), fs::status(folder_ / "ordinary").permissions());
}

TEST_F(ProjectTemplate, LeavesAFolderThatIsNotEmptyAlone) {
  write("notes.txt", "mine");
  const std::array made = {ProjectFile{"a", "a"}};
  const Status status = write_project(folder_, made, false);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::directory_not_empty);
  EXPECT_EQ(all(), std::set<std::string>{"notes.txt"});
}

TEST_F(ProjectTemplate, WritesIntoAFolderThatHoldsARepositoryAlone) {
  fs::create_directory(folder_ / ".git");
  const std::array made = {ProjectFile{"a", "a"}};
  ASSERT_TRUE(write_project(folder_, made, false));
  EXPECT_EQ(all(), (std::set<std::string>{".git", "a"}));
}

TEST_F(ProjectTemplate, ReplacesByForceAndKeepsTheRest) {
  write("a", "old");
  write("notes.txt", "mine");
  const std::array made = {ProjectFile{"a", "new"}, ProjectFile{"c/d", "d"}};
  ASSERT_TRUE(write_project(folder_, made, true));
  EXPECT_EQ(read("a"), "new");
  EXPECT_EQ(all(), (std::set<std::string>{"a", "c", "c/d", "notes.txt"}));
}

TEST_F(ProjectTemplate, TakesEverythingBackWhereAFileCannotBeWritten) {
  write("a", "old");
  write("z", "a file where a folder should be");
  const std::array made = {ProjectFile{"a", "new"}, ProjectFile{"n/b", "b"}, ProjectFile{"z/c", "c"}};
  const Status status = write_project(folder_, made, true);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::io_failed);
  EXPECT_EQ(read("a"), "old");
  EXPECT_EQ(all(), (std::set<std::string>{"a", "z"}));
}

}  // namespace
}  // namespace torvyn::cli
