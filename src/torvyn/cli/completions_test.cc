#include "torvyn/cli/completions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// A command line that holds what means something to shells.
CommandLineInfo tricky() {
  return {.summary = "",
          .footer = "",
          .options = {{.names = {"--format"},
                       .placeholder = "FORMAT",
                       .help = "How: it's [up] to you",
                       .value = {ValueKind::choice, {"human", "json"}}},
                      {.names = {"-C"}, .placeholder = "DIR", .help = "Where", .value = {ValueKind::folder, {}}}},
          .commands = {
              {.name = "dry-run",
               .summary = "Don't do it",
               .footer = "",
               .options =
                   {{.names = {"-o", "--output"}, .placeholder = "FILE", .help = "To", .value = {ValueKind::file, {}}},
                    {.names = {"--all"}, .placeholder = "", .help = "All", .value = {}}},
               .arguments = {{.name = "FLOW", .help = "Which", .value = {ValueKind::flow, {}}}}}}};
}

TEST(BashCompletion, KnowsOptionsWithValuesByCommand) {
  const std::string text = bash_completion(tricky());
  EXPECT_THAT(text, HasSubstr(R"(dry-run" -o"|dry-run" --output") _torvyn_paths -f ;;)"));
  EXPECT_THAT(text, HasSubstr(R"(*" --format") _torvyn_words 'human json' ;;)"));
  EXPECT_THAT(text, HasSubstr("dry-run) echo -o --output --all ;;"));
  EXPECT_THAT(text, HasSubstr("    --format|-C) ;;"));
  EXPECT_THAT(text, Not(HasSubstr(R"(--all") )"))) << "a flag takes nothing";
}

TEST(ZshCompletion, TakesItsMeaningFromSpecialCharacters) {
  const std::string text = zsh_completion(tricky());
  EXPECT_THAT(text, HasSubstr(R"('--format=[How\: it'\''s \[up\] to you]:FORMAT:(human json)')"));
  EXPECT_THAT(text, HasSubstr(R"('(-o --output)-o[To]:FILE:_files')"));
  EXPECT_THAT(text, HasSubstr("_torvyn_command_dry_run() {"));
}

TEST(FishCompletion, AsksForTheCommandFirst) {
  const std::string text = fish_completion(tricky());
  EXPECT_THAT(text, HasSubstr(R"(complete -c torvyn -l format -x -a 'human json' -d 'How: it\'s [up] to you')"));
  EXPECT_THAT(text,
              HasSubstr(R"(complete -c torvyn -n '__fish_seen_subcommand_from dry-run' -s o -l output -r -F -d 'To')"));
  EXPECT_THAT(text,
              HasSubstr(R"(complete -c torvyn -n '__fish_seen_subcommand_from dry-run' -f -a '(__torvyn_flows)')"));
}

}  // namespace
}  // namespace torvyn::cli
