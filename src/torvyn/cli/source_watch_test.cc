#include "torvyn/cli/source_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace torvyn::cli {
namespace {

namespace fs = std::filesystem;

class SourceWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-watch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    write("a.c", "1");
    auto watch = SourceWatch::make();
    ASSERT_TRUE(watch);
    watch_.emplace(*std::move(watch));
    const std::vector<fs::path> files = {folder_ / "a.c"};
    ASSERT_TRUE(watch_->add(files));
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& name, std::string_view text) const { std::ofstream(folder_ / name) << text; }

  fs::path folder_;
  std::optional<SourceWatch> watch_;
};

TEST_F(SourceWatchTest, HearsOfAFileThatIsWritten) {
  write("a.c", "2");
  EXPECT_TRUE(watch_->wait());
}

TEST_F(SourceWatchTest, HearsOfAFileThatIsRenamedIntoPlace) {
  write(".a.c.new", "2");
  fs::rename(folder_ / ".a.c.new", folder_ / "a.c");
  EXPECT_TRUE(watch_->wait());
}

TEST_F(SourceWatchTest, TakesAFlockOfChangesForOne) {
  for (int i = 0; i < 20; ++i) write("b.c", std::string(static_cast<std::size_t>(i), 'x'));
  EXPECT_TRUE(watch_->wait());
  // Nothing is left to hear of: only the stop ends this.
  auto again = std::async(std::launch::async, [this] { return watch_->wait(); });
  watch_->stop();
  EXPECT_FALSE(again.get());
}

TEST_F(SourceWatchTest, DoesNotHearOfEditorsOwnFiles) {
  write(".a.c.swp", "x");
  write("a.c~", "x");
  watch_->stop();
  EXPECT_FALSE(watch_->wait());
}

TEST_F(SourceWatchTest, IsStoppedForGood) {
  watch_->stop();
  EXPECT_FALSE(watch_->wait());
  write("a.c", "2");
  EXPECT_FALSE(watch_->wait());
}

TEST_F(SourceWatchTest, SaysWhereAFolderIsGone) {
  const std::vector<fs::path> files = {folder_ / "none" / "a.c"};
  const Status status = watch_->add(files);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::io_failed);
}

}  // namespace
}  // namespace torvyn::cli
