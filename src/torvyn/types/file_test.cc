#include "torvyn/types/file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>

namespace torvyn {
namespace {

class File : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "torvyn-file-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  std::filesystem::path folder_;
};

TEST_F(File, ReadsBackWhatWasReplaced) {
  ASSERT_TRUE(replace_file(folder_ / "a", {bytes("one "), bytes("two")}));
  ASSERT_TRUE(replace_file(folder_ / "a", {bytes("three")}));
  const auto read = read_file(folder_ / "a");
  ASSERT_TRUE(read);
  EXPECT_EQ(std::string(read->begin(), read->end()), "three");
}

TEST_F(File, ReadsFilesThatSayTheyAreEmpty) {
  const auto read = read_file("/proc/self/status");
  ASSERT_TRUE(read);
  EXPECT_GT(read->size(), 100U);
}

TEST_F(File, SaysWhichFileCouldNotBeReadAndWhy) {
  const auto missing = read_file(folder_ / "none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::io_failed);
  EXPECT_NE(missing.error().message().find((folder_ / "none").string()), std::string::npos);
  EXPECT_NE(missing.error().message().find("No such file"), std::string::npos);
  const auto folder = read_file(folder_);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message().find("directory"), std::string::npos);
}

TEST_F(File, LeavesNothingBehindWhenAReplacementFails) {
  std::filesystem::create_directory(folder_ / "taken");
  std::filesystem::create_directory(folder_ / "taken" / "inside");
  EXPECT_FALSE(replace_file(folder_ / "taken", {bytes("x")}));
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++entries;
  EXPECT_EQ(entries, 1);
}

TEST_F(File, NeverShowsAReaderHalfAReplacement) {
  const std::string a(200'000, 'a');
  const std::string b(200'000, 'b');
  ASSERT_TRUE(replace_file(folder_ / "f", {bytes(a)}));
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(replace_file(folder_ / "f", {bytes(i % 2 == 0 ? b : a)}));
  });
  for (int i = 0; i < 50; ++i) {
    const auto read = read_file(folder_ / "f");
    ASSERT_TRUE(read);
    const std::string text(read->begin(), read->end());
    EXPECT_TRUE(text == a || text == b);
  }
  writer.join();
}

}  // namespace
}  // namespace torvyn
