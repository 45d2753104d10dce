#include "torvyn/contracts/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "torvyn/contracts/build_stamp.h"
#include "torvyn/contracts/folder_lock.h"
#include "torvyn/contracts/run_command.h"

namespace torvyn::contracts {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Build : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "torvyn-build-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name, std::string_view text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  static std::string read(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  BuildRequest by_command(std::string command) const {
    BuildRequest request;
    request.sources = {folder_};
    request.output = folder_ / "target" / "x.wasm";
    request.work_dir = folder_ / "target" / "x";
    request.command = std::move(command);
    return request;
  }

  fs::path folder_;
};

const std::string upper = TORVYN_TEST_COMPONENTS_DIR "/upper.wasm";

TEST_F(Build, TakesWhatACommandOfOnesOwnLeaves) {
  write("here.txt", "");
  BuildRequest request = by_command("test -f here.txt && echo making && cp " + upper + " \"$TORVYN_OUTPUT\"");
  std::string said;
  request.on_output = [&said](std::string_view text) { said += text; };
  const auto output = build_component(request);
  ASSERT_TRUE(output) << output.error().to_string();
  EXPECT_EQ(said, "making\n");
  EXPECT_EQ(read(output->component), read(upper));
  EXPECT_FALSE(output->up_to_date);
  // Only the command knows what it depends on: it runs again, and its answer is the same.
  const auto again = build_component(request);
  ASSERT_TRUE(again);
  EXPECT_EQ(said, "making\nmaking\n");
  EXPECT_TRUE(again->up_to_date);
}

TEST_F(Build, SaysWhatACommandOfOnesOwnHasNotDone) {
  const auto failed = build_component(by_command("exit 3"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::build_failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("code 3"));
  const auto nothing = build_component(by_command("true"));
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().hint(), HasSubstr("$TORVYN_OUTPUT"));
  const auto text = build_component(by_command("echo hello > \"$TORVYN_OUTPUT\""));
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message(), HasSubstr("no WebAssembly"));
  EXPECT_FALSE(fs::exists(folder_ / "target" / "x.wasm"));
}

TEST_F(Build, RefusesALanguageItCannotTell) {
  BuildRequest request;
  request.sources = {write("a.txt", "x")};
  const auto output = build_component(request);
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code(), ErrorCode::usage);
  EXPECT_THAT(output.error().hint(), HasSubstr(".rs"));
}

TEST_F(Build, CountsContentNotTimes) {
  const fs::path file = write("a.c", "one");
  const FileState before = FileState::of(file);
  EXPECT_TRUE(before.unchanged());
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(5));
  EXPECT_TRUE(before.unchanged());
  write("a.c", "two");
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(9));
  EXPECT_FALSE(before.unchanged());
  fs::remove(file);
  EXPECT_FALSE(before.unchanged());
  EXPECT_FALSE(FileState::of(file).unchanged());
}

TEST_F(Build, KeepsAStampThroughAFile) {
  const FileState file = FileState::of(write("a file with blanks.c", "one"));
  const BuildStamp stamp{.key = 7, .compiler = 8, .world = "a:b/c@1.0.0", .output = file, .inputs = {file}};
  ASSERT_TRUE(stamp.write(folder_ / "stamp"));
  const auto read_back = BuildStamp::read(folder_ / "stamp");
  ASSERT_TRUE(read_back);
  EXPECT_EQ(read_back->key, 7U);
  EXPECT_EQ(read_back->compiler, 8U);
  EXPECT_EQ(read_back->world, "a:b/c@1.0.0");
  ASSERT_EQ(read_back->inputs.size(), 1U);
  EXPECT_EQ(read_back->inputs.front().path, file.path);
  EXPECT_EQ(read_back->inputs.front().content, file.content);
  EXPECT_TRUE(read_back->files_unchanged());
  write("stamp", "torvyn build stamp 1\nkey 7 8\n");
  EXPECT_FALSE(BuildStamp::read(folder_ / "stamp"));
}

TEST_F(Build, RunsACommandWhereAndWithWhatItIsTold) {
  const std::string command[] = {"/bin/sh", "-c", "pwd; echo $TORVYN_X; echo $HOME"};
  ::setenv("TORVYN_X", "ours", 1);
  const auto result = run_command(command, {.directory = folder_, .environment = {"TORVYN_X=theirs"}});
  ::unsetenv("TORVYN_X");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, fs::canonical(folder_).string() + "\ntheirs\n" + std::getenv("HOME") + "\n");
}

TEST_F(Build, SeesThroughColours) {
  EXPECT_EQ(without_colors("\x1b[0m\x1b[1m\x1b[38;5;9merror\x1b[0m: no"), "error: no");
  EXPECT_EQ(without_colors("plain [1m"), "plain [1m");
}

TEST_F(Build, LocksAFolderUntilTheLockIsGone) {
  {
    const auto lock = FolderLock::take(folder_);
    ASSERT_TRUE(lock);
    const std::string try_it[] = {"/usr/bin/flock", "--nonblock", (folder_ / "lock").string(), "true"};
    EXPECT_FALSE(run_command(try_it)->ok());
  }
  bool waited = false;
  EXPECT_TRUE(FolderLock::take(folder_, [&waited] { waited = true; }));
  EXPECT_FALSE(waited);
}

}  // namespace
}  // namespace torvyn::contracts
