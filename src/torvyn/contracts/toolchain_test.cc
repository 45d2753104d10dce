#include "torvyn/contracts/toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>

namespace torvyn::contracts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(RunCommand, GivesBothOutputsAndTheExitCode) {
  const std::array<std::string, 3> command = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3"};
  const auto result = run_command(command);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "out\nerr\n");
}

TEST(RunCommand, GivesOutputLargerThanAPipe) {
  const std::array<std::string, 3> command = {"/bin/sh", "-c", "head -c 300000 /dev/zero"};
  const auto result = run_command(command);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(result->output.size(), 300000U);
}

TEST(RunCommand, ReportsASignalAsShellsDo) {
  const std::array<std::string, 3> command = {"/bin/sh", "-c", "kill -TERM $$"};
  const auto result = run_command(command);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(result->exit_code, 128 + 15);
}

TEST(RunCommand, SaysThatAProgramCannotBeStarted) {
  const std::array<std::string, 1> command = {"/nowhere/clang"};
  const auto result = run_command(command);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::io_failed);
}

TEST(FirstCompilerError, IsTheFirstWithItsPlace) {
  const auto error = first_compiler_error(
      "In file included from a.c:1:\na.h:3:7: warning: unused\na.h:4:2: error: no\nb.c:1:1: error: x\n");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->file, "a.h");
  EXPECT_EQ(error->line, 4U);
  EXPECT_EQ(error->column, 2U);
  EXPECT_EQ(error->message, "no");
}

TEST(FirstCompilerError, MayComeFromALinker) {
  const auto error = first_compiler_error("wasm-ld: error: a.o: undefined symbol: f\n");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->line, 0U);
  EXPECT_EQ(error->message, "a.o: undefined symbol: f");
}

TEST(FirstCompilerError, MayBeFatal) {
  const auto error = first_compiler_error("a.c:1:10: fatal error: 'x.h' file not found");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->message, "'x.h' file not found");
  EXPECT_FALSE(first_compiler_error("a.c:1:1: warning: hm\n").has_value());
}

TEST(Depfile, GivesThePrerequisites) {
  const auto paths = parse_depfile("a.o: src/a.c src/with\\ blank.h \\\n  ../cash$$.h\n");
  EXPECT_THAT(paths, ElementsAre("src/a.c", "src/with blank.h", "../cash$.h"));
}

TEST(Toolchain, TakesTheNamedCompilerAndNoOther) {
  ASSERT_EQ(::setenv("TORVYN_CLANG", "/nowhere/clang", 1), 0);
  const auto missing = Toolchain::find();
  ASSERT_EQ(::setenv("TORVYN_CLANG", "/bin/sh", 1), 0);
  const auto named = Toolchain::find();
  ::unsetenv("TORVYN_CLANG");

  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::tool_missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("/nowhere/clang"));
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->clang(), "/bin/sh");
}

TEST(Toolchain, NamesTheMissingPartAndTheCommandThatInstallsIt) {
  ASSERT_EQ(::setenv("TORVYN_CLANG", "/bin/false", 1), 0);
  const auto toolchain = Toolchain::find();
  ::unsetenv("TORVYN_CLANG");
  ASSERT_TRUE(toolchain.has_value());
  const auto missing = toolchain->missing_part(false);
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(missing->code(), ErrorCode::tool_missing);
  EXPECT_THAT(missing->hint(), HasSubstr("apt-get install"));
}

}  // namespace
}  // namespace torvyn::contracts
