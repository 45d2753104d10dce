#include "torvyn/engine/guest_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "torvyn/engine/recorded_events.h"

namespace torvyn::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t second_ns = 1'000'000'000;

class GuestLogTest : public testing::Test {
 protected:
  // Lines as an EventSink got them: "[node] text".
  std::vector<std::string> lines() const { return events_.lines(); }
  std::vector<std::string> notes() const { return events_.events(); }

  RecordedEvents events_;
  ManualClock clock_;
  GuestLog log_{&events_, &clock_, "shout", 1000};
};

TEST_F(GuestLogTest, PassesAMessageOnLineByLine) {
  log_.message(Severity::warn, "one\ntwo\n\nfour\n");
  EXPECT_THAT(lines(), ElementsAre("warn [shout] one", "warn [shout] two", "warn [shout] ", "warn [shout] four"));
}

TEST_F(GuestLogTest, AnEmptyMessageIsNoLine) {
  log_.message(Severity::info, "");
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(GuestLogTest, PutsLinesTogetherFromPieces) {
  log_.output(1, "hel");
  log_.output(1, "lo\nwor");
  EXPECT_THAT(lines(), ElementsAre("info [shout] hello"));
  log_.output(1, "ld\n\nagain\n");
  EXPECT_THAT(lines(), ElementsAre("info [shout] hello", "info [shout] world", "info [shout] ", "info [shout] again"));
}

TEST_F(GuestLogTest, KeepsStdoutAndStderrApart) {
  log_.output(1, "out ");
  log_.output(2, "err ");
  log_.output(1, "1\n");
  log_.output(2, "2\n");
  EXPECT_THAT(lines(), ElementsAre("info [shout] out 1", "info [shout] err 2"));
}

TEST_F(GuestLogTest, AnUnfinishedLineIsPassedOnOnceAtTheEnd) {
  log_.output(2, "no newline");
  EXPECT_THAT(lines(), IsEmpty());
  log_.finish_lines();
  log_.finish_lines();
  EXPECT_THAT(lines(), ElementsAre("info [shout] no newline"));
}

TEST_F(GuestLogTest, CutsWhatIsLongerThanFourKibibytes) {
  GuestLog log(&events_, &clock_, "shout", 1 << 20);
  const std::string kept(guest_line_bytes_max, 'x');
  log.message(Severity::info, kept + "cut off\nnext");
  EXPECT_THAT(lines(), ElementsAre("info [shout] " + kept, "info [shout] next"));
}

TEST_F(GuestLogTest, ALineWithoutAnEndIsCutWhileItComes) {
  GuestLog log(&events_, &clock_, "shout", 1 << 20);
  const std::string piece(1000, 'y');
  for (int i = 0; i < 100; ++i) log.output(1, piece);
  log.output(1, "end of it\nnext\n");
  EXPECT_THAT(lines(), ElementsAre("info [shout] " + std::string(guest_line_bytes_max, 'y'), "info [shout] next"));
}

TEST_F(GuestLogTest, ABurstOfOneSecondsWorthPassesAndNoMore) {
  for (int i = 0; i < 20; ++i) log_.message(Severity::info, std::string(99, 'a'));  // 100 with the line's end
  EXPECT_THAT(lines(), SizeIs(10));
  EXPECT_THAT(notes(), IsEmpty()) << "what is missing is told when lines pass again";
}

TEST_F(GuestLogTest, TellsHowManyLinesWereNotShownWhenLinesPassAgain) {
  for (int i = 0; i < 13; ++i) log_.message(Severity::info, std::string(99, 'a'));
  clock_.advance_ns(second_ns / 10);  // 100 bytes
  log_.message(Severity::info, "short");
  EXPECT_THAT(notes(), ElementsAre("warn [shout] 3 lines were not shown: more than max_log allows"));
  EXPECT_EQ(lines().back(), "info [shout] short");
  log_.message(Severity::info, "again");
  EXPECT_THAT(notes(), SizeIs(1)) << "told once";
}

TEST_F(GuestLogTest, TheBucketFillsWithTimeButNotBeyondASecondsWorth) {
  for (int i = 0; i < 10; ++i) log_.message(Severity::info, std::string(99, 'a'));
  EXPECT_THAT(lines(), SizeIs(10));
  clock_.advance_ns(second_ns / 2);
  for (int i = 0; i < 10; ++i) log_.message(Severity::info, std::string(99, 'b'));
  EXPECT_THAT(lines(), SizeIs(15)) << "half a second: 500 bytes";
  clock_.advance_ns(3600 * second_ns);
  for (int i = 0; i < 20; ++i) log_.message(Severity::info, std::string(99, 'c'));
  EXPECT_THAT(lines(), SizeIs(25)) << "an hour: 1,000 bytes all the same";
}

TEST_F(GuestLogTest, ManySmallStepsOfTimeFillTheBucketToo) {
  for (int i = 0; i < 10; ++i) log_.message(Severity::info, std::string(99, 'a'));
  for (int i = 0; i < 1000; ++i) {
    clock_.advance_ns(second_ns / 5000);  // a fifth of a byte
    log_.message(Severity::info, std::string(99, 'b'));
  }
  EXPECT_THAT(lines(), SizeIs(12)) << "a fifth of a second: 200 bytes";
}

TEST_F(GuestLogTest, TheLastLinesAreKeptWhateverTheLimit) {
  GuestLog log(&events_, &clock_, "shout", 0);
  EXPECT_THAT(log.last_lines(), IsEmpty());
  log.message(Severity::error, "first");
  EXPECT_THAT(log.last_lines(), ElementsAre("first"));
  for (int i = 1; i <= 10; ++i) log.output(2, "line " + std::to_string(i) + "\n");
  EXPECT_THAT(log.last_lines(),
              ElementsAre("line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 10"));
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(GuestLogTest, LastWordsAreKeptApart) {
  log_.message(Severity::error, "an ordinary line");
  EXPECT_FALSE(log_.last_words().has_value());
  log_.message(Severity::error, "panicked at src/lib.rs:8:5: index 3: too large\nsecond line");
  ASSERT_TRUE(log_.last_words().has_value());
  EXPECT_EQ(log_.last_words()->place, "src/lib.rs:8:5");
  EXPECT_EQ(log_.last_words()->message, "index 3: too large\nsecond line");
  EXPECT_THAT(log_.last_lines(), ElementsAre("an ordinary line"));
  EXPECT_THAT(lines(),
              ElementsAre("error [shout] an ordinary line",
                          "error [shout] panicked at src/lib.rs:8:5: index 3: too large", "error [shout] second line"));
  log_.forget_last_words();
  EXPECT_FALSE(log_.last_words().has_value());
}

TEST_F(GuestLogTest, LastWordsNeedNoPlace) {
  log_.message(Severity::error, "panicked: all is lost at sea: truly");
  ASSERT_TRUE(log_.last_words().has_value());
  EXPECT_EQ(log_.last_words()->place, "");
  EXPECT_EQ(log_.last_words()->message, "all is lost at sea: truly");
}

TEST_F(GuestLogTest, WhatOnlyLooksLikeLastWordsIsNone) {
  for (const char* text : {"panicked", "panicked at sea", "panickedly: no", "it panicked: no", "panicked badly: no"})
    log_.message(Severity::error, text);
  log_.message(Severity::info, "panicked: only told about");
  log_.output(2, "panicked: on stderr\n");
  EXPECT_FALSE(log_.last_words().has_value());
  EXPECT_THAT(log_.last_lines(), SizeIs(7));
}

TEST(CutText, LeavesWhatFitsAsItIs) {
  EXPECT_EQ(cut_text("hello", 5), "hello");
  EXPECT_EQ(cut_text("hello", 4), "hell");
  EXPECT_EQ(cut_text("hello", 0), "");
}

TEST(CutText, CutsNoCharacterInTwo) {
  const std::string text = "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80";  // 1, 2, 3 and 4 bytes
  EXPECT_EQ(cut_text(text, 2), "a");
  EXPECT_EQ(cut_text(text, 3), "a\xc3\xb6");
  EXPECT_EQ(cut_text(text, 5), "a\xc3\xb6");
  for (const std::size_t bytes_max : {6U, 7U, 8U, 9U}) EXPECT_EQ(cut_text(text, bytes_max), text.substr(0, 6));
  EXPECT_EQ(cut_text(text, 10), text);
}

TEST(CutText, CutsBytesThatAreNoTextWhereItIsTold) {
  const std::string bytes(20, '\x80');
  EXPECT_GE(cut_text(bytes, 10).size(), 7U);
  EXPECT_LE(cut_text(bytes, 10).size(), 10U);
}

}  // namespace
}  // namespace torvyn::engine
