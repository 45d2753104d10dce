#include "torvyn/contracts/language_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace torvyn::contracts {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

// A PATH of one folder, with programs that print a line.
class ToolsOnPath : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "torvyn-tools-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    if (const char* const path = std::getenv("PATH")) path_ = path;
    setenv("PATH", folder_.c_str(), 1);
    unsetenv("TORVYN_CLANG");
    unsetenv("WASI_SDK_PATH");
    unsetenv("TORVYN_GO");
  }
  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    fs::remove_all(folder_);
  }
  void put(const std::string& name, const std::string& prints) {
    const fs::path path = folder_ / name;
    std::ofstream(path) << "#!/bin/sh\necho '" << prints << "'\n";
    chmod(path.c_str(), 0755);
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(ToolsOnPath, AreMissingWithTheCommandThatInstallsThem) {
  for (const std::string_view language : {"c", "cpp", "go", "python", "javascript"}) {
    const auto checks = check_tools(language);
    ASSERT_FALSE(checks.empty());
    EXPECT_FALSE(checks.front().ok()) << language;
    EXPECT_EQ(checks.front().found, "") << language;
    EXPECT_THAT(checks.front().install, HasSubstr("install")) << language;
    EXPECT_TRUE(checks.front().needs_root) << language;
  }
}

TEST_F(ToolsOnPath, AreFoundWithTheirVersion) {
  put("go", "go version go1.26.8 linux/amd64");
  put("node", "v20.20.2");
  put("npm", "10.8.2");
  EXPECT_EQ(check_tools("go").front().found, (folder_ / "go").string() + " (1.26.8)");
  for (const ToolCheck& check : check_tools("javascript")) EXPECT_TRUE(check.ok()) << check.problem;
}

TEST_F(ToolsOnPath, AreRefusedWhereTheyAreTooOld) {
  put("go", "go version go1.19.8 linux/amd64");
  put("node", "v16.1.0");
  put("clang", "Debian clang version 14.0.6");
  EXPECT_THAT(check_tools("go").front().problem, StartsWith("go 1.24 or later"));
  EXPECT_THAT(check_tools("javascript").front().problem, StartsWith("node 18 or later"));
  EXPECT_THAT(check_tools("c").front().problem, StartsWith("clang 16 or later"));
  EXPECT_THAT(check_tools("c").front().found, HasSubstr("14.0.6"));
}

TEST_F(ToolsOnPath, AreFetchedWhereAPythonCanDoThat) {
  put("go", "go version go1.19.8 linux/amd64");
  put("python3", "Python 3.11.2");
  for (const std::string_view language : {"go", "javascript"}) {
    ASSERT_EQ(check_tools(language).size(), 1U);
    EXPECT_THAT(check_tools(language).front().found, HasSubstr("fetched by the first build"));
    EXPECT_TRUE(check_tools(language).front().ok());
  }
  put("python3", "Python 3.7.1");
  EXPECT_FALSE(check_tools("go").front().ok());
}

TEST_F(ToolsOnPath, TakesTheGoThatIsNamed) {
  put("go-next", "go version go1.30 linux/amd64");
  setenv("TORVYN_GO", (folder_ / "go-next").c_str(), 1);
  EXPECT_THAT(check_tools("go").front().found, HasSubstr("go-next (1.30)"));
  unsetenv("TORVYN_GO");
}

TEST_F(ToolsOnPath, TakesRustWithTheTarget) {
  put("cargo", "");
  put("rustc", folder_.string());
  fs::create_directories(folder_ / "lib/rustlib/wasm32-unknown-unknown/lib");
  EXPECT_TRUE(check_tools("rust").front().ok());
}

TEST(Versions, AreReadOutOfWhatToolsPrint) {
  EXPECT_EQ(first_version("Debian clang version 19.1.7 (3+b1)"), "19.1.7");
  EXPECT_EQ(first_version("go version go1.26.8 linux/amd64"), "1.26.8");
  EXPECT_EQ(first_version("v20.20.2"), "20.20.2");
  EXPECT_EQ(first_version("Python 3.11"), "3.11");
  EXPECT_EQ(first_version("release 7, in all"), "");
  EXPECT_EQ(first_version(""), "");
  EXPECT_TRUE(version_at_least("go1.24", 1, 24));
  EXPECT_TRUE(version_at_least("2.0", 1, 24));
  EXPECT_FALSE(version_at_least("1.9.99", 1, 24));
  EXPECT_FALSE(version_at_least("unknown", 0, 0));
}

TEST(Languages, AreKnownByTheirSources) {
  EXPECT_EQ(language_of_extension(".cpp"), "cpp");
  EXPECT_EQ(language_of_extension(".rs"), "rust");
  EXPECT_EQ(language_of_extension(".wasm"), "");
}

}  // namespace
}  // namespace torvyn::contracts
