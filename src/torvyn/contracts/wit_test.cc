#include "torvyn/contracts/wit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace torvyn::contracts {
namespace {

using testing::HasSubstr;

TEST(BuiltinPackages, AreTheFilesInWitByteForByte) {
  ASSERT_FALSE(builtin_packages().empty());
  for (const WitFile& file : builtin_packages()) {
    std::ifstream in(std::filesystem::path(TORVYN_TEST_SOURCE_DIR) / file.path);
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_EQ(file.text, text.str()) << file.path;
  }
  std::size_t on_disk = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(TORVYN_TEST_SOURCE_DIR) / "wit")) {
    on_disk += entry.path().extension() == ".wit";
  }
  EXPECT_EQ(builtin_packages().size(), on_disk) << "list the new file in src/torvyn/contracts/CMakeLists.txt";
}

TEST(WitModel, PlacesASyntaxErrorInItsFile) {
  const std::vector<WitFile> files = {{"a", "a/first.wit", "package a:a;\n"},
                                      {"a", "a/second.wit", "interface i {\n  f: func(;\n}\n"}};
  const auto model = wit_model(files);
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code(), ErrorCode::wit_syntax);
  EXPECT_EQ(model.error().detail().file, "a/second.wit");
  EXPECT_EQ(model.error().detail().line, 2U);
  EXPECT_EQ(model.error().detail().column, 11U);
}

TEST(WitModel, PlacesAnUnknownPackageInItsFile) {
  const std::vector<WitFile> files = {{"a", "a.wit", "package a:a;\ninterface i {\n  use b:b/types.{t};\n}\n"}};
  const auto model = wit_model(files);
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code(), ErrorCode::wit_unresolved);
  EXPECT_EQ(model.error().detail().file, "a.wit");
  EXPECT_EQ(model.error().detail().line, 3U);
  EXPECT_THAT(model.error().message(), HasSubstr("b:b"));
}

TEST(WitModel, PlacesAnUnknownNameInItsFile) {
  const std::vector<WitFile> files = {{"a", "a.wit", "package a:a;\ninterface i {\n  f: func() -> nothing;\n}\n"}};
  const auto model = wit_model(files);
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code(), ErrorCode::wit_unresolved);
  EXPECT_EQ(model.error().detail().line, 3U);
  EXPECT_EQ(model.error().detail().column, 16U);
}

TEST(WitModel, TakesPackagesInAnyOrder) {
  const std::vector<WitFile> files = {{"b", "b.wit", "package b:b;\nworld w {\n  import a:a/i;\n}\n"},
                                      {"a", "a.wit", "package a:a;\ninterface i {}\n"}};
  const auto model = wit_model(files);
  ASSERT_TRUE(model.has_value()) << model.error().to_string();
  EXPECT_THAT(*model, HasSubstr("\"name\":\"b:b\""));
}

TEST(WitModel, RefusesTextThatIsNotUtf8) {
  const std::vector<WitFile> files = {{"a", "a.wit", "package a:a; // \xff\n"}};
  const auto model = wit_model(files);
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code(), ErrorCode::wit_syntax);
}

}  // namespace
}  // namespace torvyn::contracts
