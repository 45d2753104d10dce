#include "torvyn/cli/log_events.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <regex>
#include <vector>

#include <nlohmann/json.hpp>

namespace torvyn::cli {
namespace {

using nlohmann::json;

// What was written, a line each.
std::vector<json> lines_written(const std::function<void(int)>& write) {
  std::FILE* const file = std::tmpfile();
  write(fileno(file));
  std::rewind(file);
  std::vector<json> lines;
  char line[4096];
  while (std::fgets(line, sizeof line, file) != nullptr) lines.push_back(json::parse(line));
  std::fclose(file);
  return lines;
}

TEST(LogEvents, WritesALineOfJsonForEachEvent) {
  const auto lines = lines_written([](int fd) {
    LogEvents log(fd, Severity::info);
    log.event(Severity::debug, {}, {}, "not this");
    log.event(Severity::warn, "W0300", "shout", "it keeps\na handle");
    log.guest_line(Severity::info, "shout", "hello \xff");
  });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(
      std::regex_match(lines[0]["time"].get<std::string>(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  EXPECT_EQ(lines[0]["level"], "warn");
  EXPECT_EQ(lines[0]["code"], "W0300");
  EXPECT_EQ(lines[0]["node"], "shout");
  EXPECT_EQ(lines[0]["text"], "it keeps\na handle");
  EXPECT_FALSE(lines[0].contains("guest"));
  EXPECT_EQ(lines[1]["text"], "hello \xef\xbf\xbd");
  EXPECT_EQ(lines[1]["guest"], true);
}

TEST(LogEvents, TellsAllOfAnError) {
  const auto lines = lines_written([](int fd) {
    LogEvents(fd, Severity::error)
        .error(Error(ErrorCode::component_trapped, "no", "do this").at_node("main", "shout", "shout.wasm"));
  });
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["level"], "error");
  EXPECT_EQ(lines[0]["code"], "E0420");
  EXPECT_EQ(lines[0]["text"], "no");
  EXPECT_EQ(lines[0]["hint"], "do this");
  EXPECT_EQ(lines[0]["flow"], "main");
  EXPECT_FALSE(lines[0].contains("message"));
}

}  // namespace
}  // namespace torvyn::cli
