#include "torvyn/cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace torvyn::cli {
namespace {

using testing::HasSubstr;

template <class Options>
Options parse(const std::vector<std::string>& arguments) {
  CommandLine line = parse_command_line(arguments);
  if (!line.command) {
    ADD_FAILURE() << line.command.error().to_string();
    return {};
  }
  return std::get<Options>(*line.command);
}

Error refused(const std::vector<std::string>& arguments) {
  CommandLine line = parse_command_line(arguments);
  if (line.command) return {ErrorCode::internal_error, "it was accepted"};
  return std::move(line.command).error();
}

TEST(CommandLine, ReadsAllOfRun) {
  const auto run =
      parse<RunOptions>({"run", "a ! b", "--input", "-", "--output=x.log", "--limit", "7", "--timeout", "1.5s",
                         "--max-errors", "0", "--no-build", "--log-level", "debug", "--summary", "s.txt"});
  EXPECT_EQ(run.pipeline, "a ! b");
  EXPECT_EQ(run.input, "-");
  EXPECT_EQ(run.output, "x.log");
  EXPECT_EQ(run.elements_max, 7U);
  EXPECT_EQ(run.timeout_ns, 1'500'000'000U);
  EXPECT_EQ(run.errors_max, 0U);
  EXPECT_TRUE(run.no_build);
  EXPECT_EQ(run.log_level, Severity::debug);
  EXPECT_EQ(run.summary, "s.txt");
}

TEST(CommandLine, ReadsAllOfInit) {
  const auto init = parse<InitOptions>({"init", "shout", "--language", "go", "--template=filter", "--interactive",
                                        "--force", "--no-git", "--no-example", "--contract-version", "0.1.0"});
  EXPECT_EQ(init.directory, "shout");
  EXPECT_EQ(init.language, "go");
  EXPECT_EQ(init.template_name, "filter");
  EXPECT_EQ(init.contract_version, "0.1.0");
  EXPECT_TRUE(init.interactive && init.force && init.no_git && init.no_example);
  EXPECT_TRUE(parse<InitOptions>({"init"}).directory.empty());
}

TEST(CommandLine, WatchesOnlyWhatItMayBuild) {
  EXPECT_TRUE(parse<RunOptions>({"run", "--watch"}).watch);
  EXPECT_EQ(refused({"run", "--watch", "--no-build"}).code(), ErrorCode::usage);
}

TEST(CommandLine, TakesSeveralFlows) {
  EXPECT_EQ(parse<RunOptions>({"run", "--flow", "a", "--limit", "5", "--flow=b"}).flows,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_THAT(refused({"run", "--flow", "a", "--flow", "b", "--flow", "a"}).message(),
              HasSubstr("`--flow a` was given twice"));
  EXPECT_EQ(refused({"run", "--flow", "a", "b"}).code(), ErrorCode::usage);
  EXPECT_EQ(refused({"run", "a ! b", "--flow", "a"}).code(), ErrorCode::usage);
}

TEST(CommandLine, ReplacesTheEndsOfOneFlowOnly) {
  EXPECT_EQ(parse<RunOptions>({"run", "--flow", "a", "--input", "x"}).input, "x");
  for (const char* end : {"--input", "--output"})
    EXPECT_THAT(refused({"run", "--flow", "a", "--flow", "b", end, "x"}).message(), HasSubstr("an end of one flow"));
}

TEST(CommandLine, LeavesOutWhatWasNotGiven) {
  unsetenv("TORVYN_LOG");
  const auto run = parse<RunOptions>({"run"});
  EXPECT_FALSE(run.input || run.output || run.elements_max || run.timeout_ns || run.errors_max || run.log_level);
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--format", "json", "--quiet", "-C", "there", "version"},
        std::vector<std::string>{"version", "--format=json", "--quiet", "-C", "there"}}) {
    const CommandLine line = parse_command_line(arguments);
    ASSERT_TRUE(line.command.has_value());
    EXPECT_EQ(line.global.format, OutputFormat::json);
    EXPECT_TRUE(line.global.quiet);
    EXPECT_EQ(line.global.directory, "there");
    EXPECT_EQ(line.name, "version");
  }
}

TEST(CommandLine, TakesACommandsNameForAFlowWhereAFlowBelongs) {
  EXPECT_EQ(parse<RunOptions>({"run", "inspect"}).pipeline, "inspect");
}

TEST(CommandLine, NamesTheNearestCommandAndOption) {
  EXPECT_EQ(refused({"rnu"}).code(), ErrorCode::usage);
  EXPECT_THAT(refused({"rnu"}).message(), HasSubstr("`rnu`, did you mean `run`?"));
  EXPECT_THAT(refused({"run", "--limt", "5"}).message(), HasSubstr("`--limt`, did you mean `--limit`?"));
  EXPECT_THAT(refused({"run", "--limt=5"}).message(), HasSubstr("`--limt`, did you mean `--limit`?"));
  EXPECT_THAT(refused({"run", "--qiet"}).message(), HasSubstr("did you mean `--quiet`?"));
  EXPECT_THAT(refused({"frobnicate"}).message(), testing::Not(HasSubstr("did you mean")));
}

TEST(CommandLine, SaysThatAPipelineIsOneArgument) {
  const Error error = refused({"run", "file", "a.log", "!", "stdout"});
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_THAT(error.hint(), HasSubstr("'file access.log ! ./upper.wasm ! stdout'"));
}

TEST(CommandLine, RefusesValuesThatMeanNothing) {
  EXPECT_THAT(refused({"run", "--limit", "many"}).message(), HasSubstr("`many`"));
  EXPECT_THAT(refused({"run", "--limit", "-5"}).message(), HasSubstr("`-5`"));
  EXPECT_THAT(refused({"run", "--limit"}).message(), HasSubstr("`--limit` needs a value"));
  EXPECT_THAT(refused({"run", "--timeout", "30"}).message(), HasSubstr("--timeout"));
  EXPECT_THAT(refused({"run", "--log-level", "wran"}).message(), HasSubstr("did you mean `warn`?"));
  EXPECT_THAT(refused({"--format", "jsn", "version"}).message(), HasSubstr("did you mean `json`?"));
  EXPECT_EQ(refused({"inspect"}).code(), ErrorCode::usage);
  EXPECT_EQ(refused({"explain"}).code(), ErrorCode::usage);
}

TEST(CommandLine, KeepsTheFormatOfALineItCannotRead) {
  EXPECT_EQ(parse_command_line({"run", "--limit", "--format", "json"}).global.format, OutputFormat::json);
  EXPECT_EQ(parse_command_line({"rnu", "--format=json"}).global.format, OutputFormat::json);
}

TEST(CommandLine, ReadsAllOfBuild) {
  const auto build =
      parse<BuildOptions>({"build", "a.c", "b.c", "-o", "x.wasm", "--work-dir", "w", "--world", "transform", "--wit",
                           "wit", "--release", "--flag", "-O3", "--flag=-g", "c.c"});
  EXPECT_EQ(build.sources, (std::vector<std::filesystem::path>{"a.c", "b.c", "c.c"}));
  EXPECT_EQ(build.output, "x.wasm");
  EXPECT_EQ(build.work_dir, "w");
  EXPECT_EQ(build.world, "transform");
  EXPECT_EQ(build.wit_dir, "wit");
  EXPECT_TRUE(build.release);
  EXPECT_EQ(build.flags, (std::vector<std::string>{"-O3", "-g"}));
}

TEST(CommandLine, KeepsSourcesAndComponentsOfAManifestApart) {
  EXPECT_EQ(refused({"build", "a.c", "--all"}).code(), ErrorCode::usage);
  EXPECT_EQ(refused({"build", "a.c", "--component", "a"}).code(), ErrorCode::usage);
  EXPECT_EQ(refused({"build", "--all", "--component", "a"}).code(), ErrorCode::usage);
  EXPECT_EQ(refused({"build", "-o", "x.wasm"}).code(), ErrorCode::usage);
  EXPECT_EQ(parse<BuildOptions>({"build", "--component", "a"}).component, "a");
}

TEST(CommandLine, ShowsHelpWithExamples) {
  EXPECT_THAT(parse<TextOptions>({}).text, HasSubstr("torvyn run 'file access.log"));
  EXPECT_THAT(parse<TextOptions>({"--help"}).text, HasSubstr("inspect"));
  const std::string run = parse<TextOptions>({"run", "--help"}).text;
  EXPECT_THAT(run, HasSubstr("--max-errors"));
  EXPECT_THAT(run, HasSubstr("Examples:"));
  EXPECT_THAT(parse<TextOptions>({"--version"}).text, testing::StartsWith("torvyn "));
}

TEST(CommandLine, TakesTheLogLevelFromTheEnvironmentWhereNoneWasTyped) {
  setenv("TORVYN_LOG", "error", 1);
  EXPECT_EQ(parse<RunOptions>({"run"}).log_level, Severity::error);
  EXPECT_EQ(parse<RunOptions>({"run", "--log-level", "debug"}).log_level, Severity::debug);
  setenv("TORVYN_LOG", "loud", 1);
  EXPECT_THAT(refused({"run"}).message(), HasSubstr("TORVYN_LOG"));
  unsetenv("TORVYN_LOG");
}

TEST(CommandLine, ReadsWhatIsForARunningHost) {
  EXPECT_TRUE(parse<ServeOptions>({"serve", "--no-build"}).no_build);
  const auto ps = parse<PsOptions>({"ps", "main", "--all", "--host", "orders"});
  EXPECT_EQ(ps.flow, "main");
  EXPECT_EQ(ps.host, "orders");
  EXPECT_TRUE(ps.all);
  EXPECT_EQ(parse<TopOptions>({"top", "--interval", "250ms"}).interval_ns, 250'000'000U);
  const auto start = parse<StartOptions>({"start", "probe", "generate ! null", "--limit", "7", "--timeout=2s"});
  EXPECT_EQ(start.flow, "probe");
  EXPECT_EQ(start.pipeline, "generate ! null");
  EXPECT_EQ(start.elements_max, 7U);
  EXPECT_EQ(start.timeout_ns, 2'000'000'000U);
  const auto cancel = parse<CancelOptions>({"cancel", "main", "--drain", "--no-wait"});
  EXPECT_TRUE(cancel.drain && cancel.no_wait);
  const auto swap = parse<SwapOptions>({"swap", "main", "shout", "./shout.wasm", "--flush"});
  EXPECT_EQ(swap.node, "shout");
  EXPECT_EQ(swap.component, "./shout.wasm");
  EXPECT_TRUE(swap.flush);
  EXPECT_TRUE(parse<ReloadOptions>({"reload", "--dry-run"}).dry_run);
  EXPECT_EQ(parse<LevelOptions>({"level", "off"}).level, "off");
  EXPECT_TRUE(parse<LevelOptions>({"level"}).level.empty());
}

TEST(CommandLine, SaysWhatAnOrderLacks) {
  EXPECT_THAT(refused({"start"}).message(), HasSubstr("needs the name of a flow"));
  EXPECT_THAT(refused({"cancel"}).hint(), HasSubstr("torvyn cancel main"));
  EXPECT_THAT(refused({"swap", "main", "shout"}).message(), HasSubstr("a flow, a node and a component"));
  EXPECT_THAT(refused({"level", "loud"}).hint(), HasSubstr("off, production, diagnostic"));
  EXPECT_THAT(refused({"top", "--interval", "soon"}).message(), HasSubstr("--interval"));
}

}  // namespace
}  // namespace torvyn::cli
