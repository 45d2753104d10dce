#include "torvyn/config/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace torvyn::config {
namespace {

constexpr std::array<std::string_view, 6> keys = {"component", "config",     "on_error",
                                                  "timeout",   "max_memory", "max_batch"};

TEST(Nearest, FindsOneInsertionDeletionOrReplacement) {
  EXPECT_EQ(nearest("componnet", keys), "component");
  EXPECT_EQ(nearest("componennt", keys), "component");
  EXPECT_EQ(nearest("confg", keys), "config");
  EXPECT_EQ(nearest("on-error", keys), "on_error");
}

TEST(Nearest, CountsASwapOfNeighboursAsOneEdit) {
  // As two replacements, `abcd` would be as near, and come first.
  constexpr std::array<std::string_view, 2> names = {"abxx", "bacd"};
  EXPECT_EQ(nearest("abcd", names), "bacd");
}

TEST(Nearest, GivesTheExactNameBeforeAllOthers) { EXPECT_EQ(nearest("config", keys), "config"); }

TEST(Nearest, GivesTiesToTheEarlier) {
  constexpr std::array<std::string_view, 2> names = {"cat", "car"};
  EXPECT_EQ(nearest("cab", names), "cat");
}

TEST(Nearest, StopsAtAThirdOfTheLengthOrTwo) {
  EXPECT_EQ(nearest("tmout", keys), "timeout");          // 2 edits of 5 letters
  EXPECT_EQ(nearest("tmut", keys), "");                  // 3 of 4
  EXPECT_EQ(nearest("max_memry_", keys), "max_memory");  // 2 of 10
  constexpr std::array<std::string_view, 1> names = {"component_init_timeout"};
  EXPECT_EQ(nearest("component_int_timout_s", names), "component_init_timeout");  // 4 of 22
  EXPECT_EQ(nearest("something_else_entirely", names), "");
}

TEST(Nearest, NeverReplacesAllOfIt) {
  constexpr std::array<std::string_view, 2> names = {"x", "in"};
  EXPECT_EQ(nearest("y", names), "");
  EXPECT_EQ(nearest("ab", names), "");
  EXPECT_EQ(nearest("is", names), "in");
}

TEST(Nearest, GivesNothingForNothing) {
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest("config", {}), "");
  constexpr std::array<std::string_view, 1> names = {""};
  EXPECT_EQ(nearest("ab", names), "");
}

TEST(Nearest, HoldsItsBoundsForLongTexts) {
  const std::string longest(64, 'a');
  const std::string reachable(64 + 21, 'a');
  const std::string too_long(65, 'a');
  const std::array<std::string_view, 2> names = {reachable, "b"};
  EXPECT_EQ(nearest(longest, names), reachable);
  EXPECT_EQ(nearest(too_long, names), "");
  const std::string unreachable(10'000, 'a');
  const std::array<std::string_view, 1> far = {unreachable};
  EXPECT_EQ(nearest(longest, far), "");
}

TEST(DidYouMeanFile, NamesWhatStandsBesideIt) {
  std::string folder = (std::filesystem::temp_directory_path() / "torvyn-nearest-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::filesystem::path path = folder;
  std::ofstream(path / "upper.wasm") << "";
  EXPECT_EQ(did_you_mean_file(path / "uper.wasm"), ", did you mean `upper.wasm`?");
  EXPECT_EQ(did_you_mean_file(path / "something-else.wasm"), "");
  EXPECT_EQ(did_you_mean_file(path / "nowhere" / "upper.wasm"), "");
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace torvyn::config
