#include "torvyn/cli/cli_events.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace torvyn::cli {
namespace {

// A screen whose text can be read back.
class CliEventsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  void TearDown() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  std::string shown() const {
    std::string text(65536, '\0');
    const ssize_t size = read(ends_[0], text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }
  std::array<int, 2> ends_{};
};

TEST_F(CliEventsTest, ShowsGuestsLinesWithTheirNode) {
  Screen screen(ends_[1], {});
  CliEvents events(screen, {});
  events.guest_line(Severity::info, "count", "3 elements");
  events.guest_line(Severity::debug, "count", "too small to show");
  events.guest_line(Severity::warn, "count", "\x1b[2J");
  EXPECT_EQ(shown(), "[count] 3 elements\n[count] \\x1b[2J\n");
}

TEST_F(CliEventsTest, DrawsWarningsAndKeepsThem) {
  Screen screen(ends_[1], {});
  CliEvents events(screen, {.least = Severity::error, .draw_warnings = true});
  events.event(Severity::warn, "W0300", "upper", "it keeps 7 handles");
  EXPECT_EQ(shown(), "warning[W0300]: it keeps 7 handles\n  where  node upper\n");
  ASSERT_EQ(events.warnings().size(), 1U);
  EXPECT_EQ(events.warnings()[0].code, "W0300");
}

TEST_F(CliEventsTest, KeepsWarningsForJsonWithoutDrawingThem) {
  Screen screen(ends_[1], {});
  CliEvents events(screen, {.least = Severity::info, .draw_warnings = false});
  events.event(Severity::warn, "", "upper", "lines were not shown");
  events.event(Severity::debug, "", "", "a detail");
  EXPECT_EQ(shown(), "");
  EXPECT_EQ(events.warnings().size(), 1U);
}

TEST_F(CliEventsTest, KeepsABoundedNumberOfWarnings) {
  Screen screen(ends_[1], {});
  CliEvents events(screen, {.least = Severity::info, .draw_warnings = false});
  for (std::size_t index = 0; index < 2 * CliEvents::warnings_max; ++index)
    events.event(Severity::warn, "", "", "again");
  EXPECT_EQ(events.warnings().size(), CliEvents::warnings_max);
}

TEST_F(CliEventsTest, KeepsLinesOfSeveralThreadsWhole) {
  Screen screen(ends_[1], {});
  CliEvents events(screen, {});
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&events] {
        for (int line = 0; line < 50; ++line) events.guest_line(Severity::info, "node", "some words");
      });
  }
  std::string expected;
  for (int line = 0; line < 200; ++line) expected += "[node] some words\n";
  EXPECT_EQ(shown(), expected);
}

}  // namespace
}  // namespace torvyn::cli
