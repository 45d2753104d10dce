#include "torvyn/cli/command_line_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "torvyn/cli/options.h"

namespace torvyn::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::vector<OptionInfo> all_options(const CommandLineInfo& info, const CommandInfo& command) {
  std::vector<OptionInfo> options = command.options;
  options.insert(options.end(), info.options.begin(), info.options.end());
  return options;
}

TEST(CommandLineInfo, KnowsWhatEveryValueIs) {
  const CommandLineInfo info = describe_command_line();
  for (const CommandInfo& command : info.commands) {
    for (const OptionInfo& option : all_options(info, command))
      EXPECT_EQ(option.value.kind == ValueKind::nothing, option.placeholder.empty())
          << command.name << " " << option.names.back() << ": say in value_of what " << option.placeholder << " is";
    for (const ArgumentInfo& argument : command.arguments)
      EXPECT_NE(argument.value.kind, ValueKind::nothing)
          << command.name << ": say in value_of what " << argument.name << " is";
  }
}

// What the shells offer is taken: the choices stand in two places.
TEST(CommandLineInfo, OffersChoicesThatAreTaken) {
  const CommandLineInfo info = describe_command_line();
  int tried = 0;
  for (const CommandInfo& command : info.commands) {
    for (const OptionInfo& option : all_options(info, command)) {
      for (const std::string& choice : option.value.choices) {
        const CommandLine line = parse_command_line({command.name, option.names.back(), choice});
        if (!line.command) {
          EXPECT_THAT(line.command.error().message(), testing::Not(HasSubstr("`" + choice + "`"))) << command.name;
        }
        ++tried;
      }
      if (option.value.kind != ValueKind::choice || option.placeholder == "WORLD") continue;
      const CommandLine line = parse_command_line({command.name, option.names.back(), "nonsense"});
      ASSERT_FALSE(line.command.has_value() && command.name == "run") << option.names.back();
    }
  }
  EXPECT_GT(tried, 30);
}

TEST(CommandLineInfo, HasExamplesForEveryCommand) {
  const CommandLineInfo info = describe_command_line();
  EXPECT_GE(info.commands.size(), 8U);
  EXPECT_THAT(info.footer, HasSubstr("\nExamples:\n  torvyn "));
  for (const CommandInfo& command : info.commands) {
    EXPECT_THAT(command.footer, HasSubstr("\nExamples:\n  ")) << command.name;
    EXPECT_THAT(command.footer, HasSubstr("torvyn " + command.name)) << command.name;
    EXPECT_FALSE(command.summary.empty() || command.summary.ends_with('.')) << command.name;
  }
}

TEST(CommandLineInfo, TellsFlagsOptionsAndArgumentsApart) {
  const CommandLineInfo info = describe_command_line();
  const auto run = std::ranges::find(info.commands, "run", &CommandInfo::name);
  ASSERT_NE(run, info.commands.end());
  ASSERT_EQ(run->arguments.size(), 1U);
  EXPECT_EQ(run->arguments.front().value.kind, ValueKind::pipeline);
  EXPECT_THAT(run->arguments.front().value.choices, Contains("generate"));
  for (const OptionInfo& option : run->options)
    EXPECT_NE(option.names.back(), "--help") << "stands with the others once";
  const auto flow = std::ranges::find_if(run->options, [](const auto& each) { return each.names.back() == "--flow"; });
  ASSERT_NE(flow, run->options.end());
  EXPECT_TRUE(flow->repeats);
  EXPECT_EQ(flow->value.kind, ValueKind::flow);
  EXPECT_EQ(std::ranges::find(info.commands, "man", &CommandInfo::name), info.commands.end()) << "is for packagers";
}

}  // namespace
}  // namespace torvyn::cli
