#include "torvyn/engine/compile_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <iterator>

#include "torvyn/types/file.h"

namespace torvyn::engine {
namespace {

using testing::HasSubstr;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text_of(const std::optional<std::vector<std::uint8_t>>& code) {
  return code ? std::string(code->begin(), code->end()) : "nothing";
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

class CompileCacheTest : public testing::Test {
 protected:
  CompileCacheTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torvyn-cache-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    root_ = pattern;
  }
  ~CompileCacheTest() override { std::filesystem::remove_all(root_); }

  CompileCache open() {
    Result<CompileCache> cache = CompileCache::open(folder());
    if (!cache) {
      ADD_FAILURE() << cache.error().to_string();
      std::abort();
    }
    return *std::move(cache);
  }
  std::filesystem::path folder() const { return root_ / "home" / "compiled"; }
  // The one file in the folder.
  std::filesystem::path entry() const {
    const std::filesystem::directory_iterator files(folder());
    EXPECT_EQ(std::distance(begin(files), end(files)), 1);
    return std::filesystem::directory_iterator(folder())->path();
  }

  const std::string key_ = CompileCache::key(bytes_of("\0asm"), "engine 1");
  std::filesystem::path root_;
};

TEST_F(CompileCacheTest, KeysDifferByComponentAndByEngine) {
  EXPECT_EQ(key_.size(), 64U);
  EXPECT_EQ(key_.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(key_, CompileCache::key(bytes_of("\0asm"), "engine 1"));
  EXPECT_NE(key_, CompileCache::key(bytes_of("\0asm"), "engine 2"));
  EXPECT_NE(key_, CompileCache::key(bytes_of("\1asm"), "engine 1"));
}

TEST_F(CompileCacheTest, LoadsWhatWasStored) {
  const CompileCache cache = open();
  EXPECT_EQ(cache.load(key_), std::nullopt);
  ASSERT_TRUE(cache.store(key_, bytes_of("code")));
  EXPECT_EQ(text_of(cache.load(key_)), "code");
  ASSERT_TRUE(cache.store(key_, bytes_of("newer code")));
  EXPECT_EQ(text_of(cache.load(key_)), "newer code");
  EXPECT_EQ(text_of(open().load(key_)), "newer code") << "another process's view";
}

TEST_F(CompileCacheTest, OneFlippedBitAnywhereIsAsGoodAsNothing) {
  const CompileCache cache = open();
  ASSERT_TRUE(cache.store(key_, bytes_of("code that is machine code")));
  Result<std::vector<std::uint8_t>> file = read_file(entry());
  ASSERT_TRUE(file);
  for (std::size_t at = 0; at < file->size(); ++at) {
    std::vector<std::uint8_t> damaged = *file;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ 1U);
    ASSERT_TRUE(replace_file(entry(), {damaged}));
    EXPECT_EQ(cache.load(key_), std::nullopt) << "byte " << at;
  }
  ASSERT_TRUE(replace_file(entry(), {*file}));
  EXPECT_NE(cache.load(key_), std::nullopt);
}

TEST_F(CompileCacheTest, ATruncatedOrLongerEntryIsAsGoodAsNothing) {
  const CompileCache cache = open();
  ASSERT_TRUE(cache.store(key_, bytes_of("code")));
  Result<std::vector<std::uint8_t>> file = read_file(entry());
  ASSERT_TRUE(file);
  for (std::size_t size = 0; size < file->size(); ++size) {
    ASSERT_TRUE(replace_file(entry(), {std::span(*file).first(size)}));
    EXPECT_EQ(cache.load(key_), std::nullopt) << size << " bytes";
  }
  ASSERT_TRUE(replace_file(entry(), {*file, bytes_of("!")}));
  EXPECT_EQ(cache.load(key_), std::nullopt);
}

TEST_F(CompileCacheTest, AnEntryRenamedToAnotherKeyIsNotTrusted) {
  const CompileCache cache = open();
  ASSERT_TRUE(cache.store(key_, bytes_of("code of one component")));
  const std::string other = CompileCache::key(bytes_of("another"), "engine 1");
  std::filesystem::rename(entry(), folder() / (other + ".code"));
  EXPECT_EQ(cache.load(other), std::nullopt);
}

TEST_F(CompileCacheTest, MakesFolderAndEntriesForTheirOwnerAlone) {
  const mode_t before = umask(0);
  const CompileCache cache = open();
  const Status stored = cache.store(key_, bytes_of("code"));
  umask(before);
  ASSERT_TRUE(stored);
  EXPECT_EQ(mode_of(folder()), 0700U);
  EXPECT_EQ(mode_of(entry()), 0600U);
}

TEST_F(CompileCacheTest, ASlashAtTheEndNamesTheSameFolder) {
  Result<CompileCache> cache = CompileCache::open(folder() / "");
  ASSERT_TRUE(cache) << cache.error().to_string();
  EXPECT_EQ(mode_of(folder()), 0700U);
  ASSERT_TRUE(cache->store(key_, bytes_of("code")));
  EXPECT_EQ(text_of(open().load(key_)), "code");
}

TEST_F(CompileCacheTest, RefusesAFolderThatOthersMayUse) {
  for (const mode_t mode : {0770U, 0701U, 0720U, 0777U}) {
    std::filesystem::create_directories(folder());
    ASSERT_EQ(chmod(folder().c_str(), mode), 0);
    const Result<CompileCache> cache = CompileCache::open(folder());
    ASSERT_FALSE(cache) << std::oct << mode;
    EXPECT_EQ(cache.error().code(), ErrorCode::io_failed);
    EXPECT_THAT(cache.error().message(), HasSubstr(folder().string()));
    EXPECT_THAT(cache.error().hint(), HasSubstr("chmod 700"));
  }
}

TEST_F(CompileCacheTest, RefusesAFolderOfSomebodyElse) {
  std::filesystem::path folder = "/root";  // mode 0700, and not ours unless we are root
  if (geteuid() == 0) {
    constexpr uid_t nobody = 65534;
    folder = root_ / "nobody's";
    ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
    ASSERT_EQ(chown(folder.c_str(), nobody, nobody), 0);
  }
  const Result<CompileCache> cache = CompileCache::open(folder);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error().code(), ErrorCode::io_failed);
}

TEST_F(CompileCacheTest, RefusesAFileAndAPlaceWhereNoFolderCanBe) {
  ASSERT_TRUE(replace_file(root_ / "file", {bytes_of("not a folder")}, 0600));
  for (const std::filesystem::path& path :
       {root_ / "file", root_ / "file" / "below", std::filesystem::path("/proc/cache")}) {
    const Result<CompileCache> cache = CompileCache::open(path);
    ASSERT_FALSE(cache) << path;
    EXPECT_EQ(cache.error().code(), ErrorCode::io_failed);
    EXPECT_THAT(cache.error().message(), HasSubstr(path.string()));
  }
}

TEST_F(CompileCacheTest, StoringIntoAFolderThatWasRemovedIsE0004) {
  const CompileCache cache = open();
  std::filesystem::remove_all(folder());
  const Status stored = cache.store(key_, bytes_of("code"));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code(), ErrorCode::io_failed);
  EXPECT_THAT(stored.error().message(), HasSubstr(folder().string()));
}

TEST_F(CompileCacheTest, AWriteThatFailsHalfWayLeavesTheOldEntryAndNothingElse) {
  const CompileCache cache = open();
  ASSERT_TRUE(cache.store(key_, bytes_of("code")));

  // A disk that fills up, as far as this process can tell.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 8192;
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status stored = cache.store(key_, std::vector<std::uint8_t>(100'000));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code(), ErrorCode::io_failed);
  EXPECT_EQ(text_of(cache.load(key_)), "code");
  EXPECT_TRUE(std::filesystem::exists(entry())) << "and it is the only file";
}

TEST_F(CompileCacheTest, TwoProcessesStoringOneKeyNeverLeaveATornEntry) {
  const CompileCache cache = open();
  // Long enough that a write can be met half-way.
  const std::array<std::vector<std::uint8_t>, 2> codes{std::vector<std::uint8_t>(300'000, 'a'),
                                                       std::vector<std::uint8_t>(200'000, 'b')};
  std::array<pid_t, 2> children{};
  for (std::size_t i = 0; i < children.size(); ++i) {
    children[i] = fork();
    ASSERT_GE(children[i], 0);
    if (children[i] == 0) {
      for (int round = 0; round < 50; ++round)
        if (!cache.store(key_, codes[i])) _exit(1);
      _exit(0);
    }
  }
  std::array<int, 2> seen{};
  std::size_t running = children.size();
  bool there = false;
  while (running != 0) {
    if (const auto code = cache.load(key_)) {
      there = true;
      const auto found = std::ranges::find(codes, *code);
      ASSERT_NE(found, codes.end()) << "a torn entry of " << code->size() << " bytes was trusted";
      ++seen[static_cast<std::size_t>(found - codes.begin())];
    } else {
      ASSERT_FALSE(there) << "an entry that was there is gone, or is torn";
    }
    int status = 0;
    if (waitpid(-1, &status, WNOHANG) > 0) {
      EXPECT_EQ(status, 0);
      --running;
    }
  }
  EXPECT_GT(seen[0] + seen[1], 0);
  EXPECT_TRUE(std::filesystem::exists(entry())) << "and no temporary file beside it";
}

}  // namespace
}  // namespace torvyn::engine
