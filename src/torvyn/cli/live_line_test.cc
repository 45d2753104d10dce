#include "torvyn/cli/live_line.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace torvyn::cli {
namespace {

TEST(RateMeter, GivesTheRateOfTheLastSecond) {
  RateMeter rate;
  EXPECT_EQ(rate.per_second(), 0U);
  rate.add(100, 100'000'000);
  EXPECT_EQ(rate.per_second(), 1000U);
  for (std::uint64_t tick = 2; tick <= 20; ++tick) rate.add(100 + (tick - 1) * 10, tick * 100'000'000);
  EXPECT_EQ(rate.per_second(), 100U);
}

TEST(RateMeter, SurvivesAClockThatStandsStill) {
  RateMeter rate;
  rate.add(5, 1000);
  rate.add(9, 1000);
  for (int i = 0; i < 20; ++i) rate.add(9, 1000);
  EXPECT_EQ(rate.per_second(), 0U);
}

TEST(RateMeter, KnowsNoRateWhileAFlowBeginsAnew) {
  RateMeter rate;
  rate.add(1000, 100'000'000);
  rate.add(5, 200'000'000);
  EXPECT_EQ(rate.per_second(), 25U);  // since the beginning
  for (std::uint64_t tick = 3; tick <= 11; ++tick) rate.add(5, tick * 100'000'000);
  EXPECT_EQ(rate.per_second(), 0U);
}

TEST(SumOf, AddsUpFlowsAndTakesTheLongestTime) {
  const observability::FlowProgress flows[] = {
      {.pulled = 10, .delivered = 8, .errors = 2, .elapsed_ns = 3},
      {.pulled = 5, .delivered = 5, .errors = 0, .elapsed_ns = 7},
  };
  const observability::FlowProgress sum = sum_of(flows);
  EXPECT_EQ(sum.pulled, 15U);
  EXPECT_EQ(sum.delivered, 13U);
  EXPECT_EQ(sum.errors, 2U);
  EXPECT_EQ(sum.elapsed_ns, 7U);
}

TEST(LiveText, ShowsElementsRateErrorsAndTime) {
  EXPECT_EQ(live_text({.pulled = 84'000, .delivered = 84'000, .errors = 0, .elapsed_ns = 1'400'000'000}, 61'200, false),
            "running 1.4 s: 84,000 elements, 61,200/s");
  EXPECT_EQ(live_text({.pulled = 10, .delivered = 3, .errors = 1, .elapsed_ns = 1'000'000'000}, 10, true),
            "stopping 1 s: 10 elements, 10/s, 1 error; Ctrl-C ends it at once");
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int in() const { return ends_[1]; }
  std::string written() const {
    std::string text(65536, '\0');
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    const ssize_t size = read(ends_[0], text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

 private:
  int ends_[2];
};

TEST(LiveLine, IsRedrawnAndGoneAtTheEnd) {
  const Pipe pipe;
  Screen screen(pipe.in(), {.interactive = true, .color = false, .columns = 80});
  std::atomic<int> asked{0};
  {
    const LiveLine line(screen, {.progress =
                                     [&asked] {
                                       ++asked;
                                       return observability::FlowProgress{.pulled = 5};
                                     },
                                 .stopping = [] { return false; }});
    while (asked < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    screen.print("a line that stays\n");
  }
  const std::string text = pipe.written();
  EXPECT_THAT(text, testing::HasSubstr("5 elements"));
  EXPECT_THAT(text, testing::HasSubstr("\r\x1b[Ka line that stays\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\x1b[K"));
}

TEST(Screen, CutsTheLiveLineToTheTerminal) {
  const Pipe pipe;
  Screen screen(pipe.in(), {.interactive = true, .color = false, .columns = 6});
  screen.show_live("0123456789");
  EXPECT_EQ(pipe.written(), "\r\x1b[K0123…");
}

TEST(Screen, PrintsPlainTextWhereThereIsNoLiveLine) {
  const Pipe pipe;
  {
    Screen screen(pipe.in(), {});
    screen.print("text\n");
    screen.clear_live();
  }
  EXPECT_EQ(pipe.written(), "text\n");
}

}  // namespace
}  // namespace torvyn::cli
