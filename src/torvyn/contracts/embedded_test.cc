#include "torvyn/contracts/embedded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace torvyn::contracts {
namespace {

TEST(EmbeddedFiles, AreThoseOfTheSourceTreeByteForByte) {
  ASSERT_FALSE(embedded_files().empty());
  for (const EmbeddedFile& file : embedded_files()) {
    std::stringstream text;
    text << std::ifstream(std::filesystem::path(TORVYN_TEST_SOURCE_DIR) / file.path, std::ios::binary).rdbuf();
    EXPECT_EQ(text.str(), file.text) << file.path;
  }
}

TEST(EmbeddedFiles, AreSortedSoThatAFolderIsOneRange) {
  EXPECT_TRUE(std::ranges::is_sorted(embedded_files(), {}, &EmbeddedFile::path));
  const auto wit = embedded_files("wit/");
  ASSERT_FALSE(wit.empty());
  const auto all = embedded_files();
  EXPECT_EQ(static_cast<std::ptrdiff_t>(wit.size()),
            std::ranges::count_if(all, [](const EmbeddedFile& file) { return file.path.starts_with("wit/"); }));
  EXPECT_TRUE(embedded_files("nowhere/").empty());
}

}  // namespace
}  // namespace torvyn::contracts
