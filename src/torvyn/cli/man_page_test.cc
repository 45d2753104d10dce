#include "torvyn/cli/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "torvyn/cli/text.h"

namespace torvyn::cli {
namespace {

using testing::HasSubstr;

TEST(ManPage, HoldsEveryCommandAndOption) {
  const CommandLineInfo info = describe_command_line();
  const std::string page = man_page(info, "0.1.0");
  for (const char* title :
       {"NAME", "SYNOPSIS", "GLOBAL OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"})
    EXPECT_THAT(page, HasSubstr(std::string(".SH ") + title + "\n"));
  for (const CommandInfo& command : info.commands) {
    EXPECT_THAT(page, HasSubstr(".SS torvyn " + command.name + "\n"));
    for (const OptionInfo& option : command.options) {
      std::string name = option.names.back();
      for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) name.insert(at, "\\");
      EXPECT_THAT(page, HasSubstr("\\fB" + name + "\\fR")) << command.name;
    }
  }
}

TEST(ManPage, KeepsTextFromBeingTakenForRequests) {
  CommandLineInfo info;
  info.summary = ".not a request";
  info.footer = "'nor this\n\nExamples:\n  a\\b --c\n  .d";
  const std::string page = man_page(info, "1");
  EXPECT_THAT(page, HasSubstr("\n\\&.not a request\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&'nor this\n"));
  EXPECT_THAT(page, HasSubstr("\na\\eb \\-\\-c\n\\&.d\n"));
}

}  // namespace
}  // namespace torvyn::cli
