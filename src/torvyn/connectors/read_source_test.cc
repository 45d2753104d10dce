#include "torvyn/connectors/read_source.h"

#include <sys/stat.h>

#include <numeric>
#include <random>

#include "torvyn/connectors/test_stages.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t block_bytes = 64 << 10;

// What the lines of `text` are, said as plainly as possible.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    lines.back() += text[i];
    const bool half = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if ((text[i] == '\n' || text[i] == '\r') && !half) lines.emplace_back();
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

std::string joined(const std::vector<std::string>& texts) {
  return std::accumulate(texts.begin(), texts.end(), std::string());
}

class FileSource : public StageTest {
 protected:
  std::unique_ptr<reactor::Stage> source_of(std::string_view text, std::vector<Setting> settings = {}) {
    write_file("in", text);
    settings.emplace_back("path", "in");
    return started(Position::source, "file", std::move(settings));
  }
};

TEST_F(FileSource, KeepsEveryLineWithItsEnding) {
  EXPECT_THAT(elements_of("a\nb\r\nc\rd\n"), ElementsAre("a\n", "b\r\n", "c\r", "d\n"));
  EXPECT_THAT(elements_of("\n\r\n\r\r\n\n"), ElementsAre("\n", "\r\n", "\r", "\r\n", "\n"));
}

TEST_F(FileSource, KeepsALastLineWithoutEnding) {
  EXPECT_THAT(elements_of("a\nb"), ElementsAre("a\n", "b"));
  EXPECT_THAT(elements_of("a"), ElementsAre("a"));
  EXPECT_THAT(elements_of("a\r"), ElementsAre("a\r"));
  EXPECT_THAT(elements_of({"\0", 1}), ElementsAre(std::string(1, '\0')));
}

TEST_F(FileSource, GivesNothingOfAnEmptyFile) {
  EXPECT_THAT(elements_of(""), IsEmpty());
  EXPECT_THAT(elements_of("", {{"chunk", "4"}}), IsEmpty());
}

TEST_F(FileSource, SeesALineEndingAcrossABlockBoundary) {
  for (const std::string_view ending : {"\n", "\r\n", "\r"}) {
    for (std::size_t before = block_bytes - 4; before <= block_bytes + 1; ++before) {
      const std::string text =
          "first\n" + std::string(before - 6, 'x') + std::string(ending) + "next" + std::string(ending);
      EXPECT_EQ(elements_of(text), lines_of(text)) << before << " bytes before " << ending.size();
    }
  }
}

TEST_F(FileSource, CutsRandomTextAsIfInOnePiece) {
  std::mt19937 random(7);
  // Bytes a line on average: many lines a block, a few, and many blocks a line.
  for (const unsigned spacing : {3U, 50U, 20'000U, 150'000U}) {
    std::string text(700'000, 'x');
    for (char& byte : text)
      if (random() % spacing == 0) byte = "\n\r"[random() % 2];
    for (std::size_t i = 1; i < text.size(); ++i)
      if (text[i - 1] == '\r' && random() % 2 == 0) text[i] = '\n';
    EXPECT_EQ(elements_of(text), lines_of(text)) << spacing;
    EXPECT_EQ(live_buffers(), 0U);
  }
}

TEST_F(FileSource, GivesSlicesOfOneBufferWithoutMovingBytes) {
  const auto source = source_of("one\ntwo\nthree\n");
  resources::Run run;
  ASSERT_EQ(source->pull({.elements_max = 2, .bytes_max = 1 << 20}, run).status, StageStatus::ok);
  ASSERT_THAT(run, SizeIs(2));
  ASSERT_EQ(source->pull({}, run).status, StageStatus::ok);
  ASSERT_THAT(run, SizeIs(3));
  for (const auto& element : run) {
    EXPECT_TRUE(element.payload.same_buffer(run[0].payload));
    EXPECT_EQ(content_types_.text(element.meta.content_type), "text/plain");
    EXPECT_EQ(element.payload.content_type(), element.meta.content_type);
    EXPECT_EQ(element.payload.state(), resources::BufferState::in_transit);
  }
  EXPECT_EQ(run[2].payload.bytes().data(), run[0].payload.bytes().data() + 8);
  EXPECT_EQ(run[0].payload.references(), 3U) << "the source holds none once all is cut";
  EXPECT_EQ(live_buffers(), 1U);
}

TEST_F(FileSource, KeepsToTheLimits) {
  const auto source = source_of("1234\n1234\n1234\n123456789\n");
  resources::Run run;
  source->pull({.elements_max = 1, .bytes_max = 100}, run);
  EXPECT_THAT(run, SizeIs(1));
  source->pull({.elements_max = 64, .bytes_max = 12}, run);
  EXPECT_THAT(run, SizeIs(3)) << "two of five bytes are within twelve";
  source->pull({.elements_max = 64, .bytes_max = 3}, run);
  EXPECT_THAT(run, SizeIs(4)) << "one is given however long it is";
  EXPECT_EQ(source->pull({}, run).status, StageStatus::end_of_stream);
}

TEST_F(FileSource, GivesBackEveryBufferWhereverItIsStopped) {
  const auto source = source_of("a\nb\nc\nd");
  resources::Run run;
  source->pull({.elements_max = 2, .bytes_max = 100}, run);
  source->finish(false);
  EXPECT_EQ(live_buffers(), 1U);
  resources::clear_run(run);
  EXPECT_EQ(live_buffers(), 0U);
}

TEST_F(FileSource, RefusesALineLongerThanABufferAndSaysWhich) {
  context_.max_buffer_bytes = 100;
  const auto source = source_of("a\n" + std::string(99, 'b') + "\n" + std::string(100, 'c') + "\nd\n");
  resources::Run run;
  StageStatus status = StageStatus::ok;
  while (status == StageStatus::ok) status = source->pull({}, run).status;
  EXPECT_EQ(status, StageStatus::failed);
  EXPECT_THAT(run, SizeIs(2)) << "what came before stands";
  const Error error = source->failure();
  EXPECT_EQ(error.code(), ErrorCode::capacity_exceeded);
  EXPECT_THAT(error.message(), HasSubstr("line 3 of in is longer than 100 B"));
  EXPECT_EQ(error.detail().file, "in");
  EXPECT_EQ(error.detail().line, 3U);
}

TEST_F(FileSource, TakesALineExactlyAsLongAsABuffer) {
  context_.max_buffer_bytes = 10;
  for (const std::string text :
       {"123456789\n", "1234567890", "12345678\r\n", "123456789\r", "123456789\rnext\n", "123456789\r\rx"})
    EXPECT_EQ(elements_of(text), lines_of(text)) << text;
}

TEST_F(FileSource, RefusesALineOneByteLongerThanABuffer) {
  context_.max_buffer_bytes = 10;
  for (const std::string_view text : {"1234567890\n", "12345678901", "123456789\r\n", "1234567890\r"}) {
    const auto source = source_of(text);
    resources::Run run;
    EXPECT_EQ(source->pull({}, run).status, StageStatus::failed) << text;
    EXPECT_THAT(run, IsEmpty());
  }
}

TEST_F(FileSource, SplitsLongLinesIntoLargestPieces) {
  context_.max_buffer_bytes = 4;
  EXPECT_THAT(elements_of("ab\n1234567890\ncd\n", {{"long_lines", "split"}}),
              ElementsAre("ab\n", "1234", "5678", "90\n", "cd\n"));
  EXPECT_THAT(elements_of("12345678", {{"long_lines", "split"}}), ElementsAre("1234", "5678"));
  EXPECT_THAT(elements_of("123\r\n4", {{"long_lines", "split"}}), ElementsAre("123\r", "\n", "4"));
}

TEST_F(FileSource, LosesNothingInSplitting) {
  std::mt19937 random(3);
  for (const std::uint64_t most : {1U, 2U, 3U, 64U, 65'537U}) {
    context_.max_buffer_bytes = most;
    std::string text(most < 100 ? 3'000 : 900'000, '\0');
    for (char& byte : text) byte = random() % (3 * most) == 0 ? "\n\r"[random() % 2] : 'x';
    const auto pieces = elements_of(text, {{"long_lines", "split"}});
    EXPECT_EQ(joined(pieces), text) << most;
    EXPECT_THAT(pieces, Each(SizeIs(testing::AllOf(testing::Ge(1U), testing::Le(most)))));
  }
}

TEST_F(FileSource, GrowsForLinesOfManyBlocks) {
  const std::string text = std::string(5'000'000, 'a') + "\n" + std::string(70'000, 'b') + "\nc\n";
  EXPECT_EQ(elements_of(text), lines_of(text));
}

TEST_F(FileSource, CutsChunksOfExactlyTheSizeButTheLast) {
  EXPECT_THAT(elements_of("abcdefgh\n\nk", {{"chunk", "4"}}), ElementsAre("abcd", "efgh", "\n\nk"));
  std::string text(1'000'003, '\0');
  std::mt19937 random(5);
  for (char& byte : text) byte = static_cast<char>(random());
  for (const std::size_t chunk : {7UL, 1000UL, 65'535UL, 65'536UL, 65'537UL, 300'000UL, 2'000'000UL}) {
    const auto chunks = elements_of(text, {{"chunk", std::to_string(chunk)}});
    EXPECT_EQ(joined(chunks), text);
    ASSERT_THAT(chunks, SizeIs((text.size() + chunk - 1) / chunk));
    for (std::size_t i = 0; i + 1 < chunks.size(); ++i) EXPECT_EQ(chunks[i].size(), chunk);
  }
}

TEST_F(FileSource, CallsChunksBytes) {
  const auto source = source_of("abc", {{"chunk", "2"}});
  resources::Run run;
  source->pull({}, run);
  EXPECT_EQ(content_types_.text(run[0].meta.content_type), "application/octet-stream");
  EXPECT_EQ(source->describe_element(1), "byte 2 of in");
}

TEST_F(FileSource, TellsTheLineOfAnElementWhileItKnowsIt) {
  context_.max_buffer_bytes = 4;
  const auto source = source_of("ab\n12345\ncd\n", {{"long_lines", "split"}});
  EXPECT_EQ(source->describe_element(0), "line 1 of in");
  pull_all(*source);
  EXPECT_EQ(source->describe_element(1), "line 2 of in");
  EXPECT_EQ(source->describe_element(2), "") << "the second piece of line 2";
  EXPECT_EQ(source->describe_element(3), "");
}

TEST_F(FileSource, SaysWhatCannotBeRead) {
  const Error missing = start_error(Position::source, "file", {{"", "missing.log"}});
  EXPECT_EQ(missing.code(), ErrorCode::io_failed);
  EXPECT_THAT(missing.message(), testing::ContainsRegex("`missing.log`.*[Nn]o such file"));

  std::filesystem::create_directory(file("folder"));
  const Error folder = start_error(Position::source, "file", {{"", "folder"}});
  EXPECT_EQ(folder.code(), ErrorCode::io_failed);
  EXPECT_THAT(folder.message(), testing::ContainsRegex("`folder`.*[Ii]s a directory"));

  // Write-only, even for root.
  const Error forbidden = start_error(Position::source, "file", {{"", "/proc/sys/vm/drop_caches"}});
  EXPECT_EQ(forbidden.code(), ErrorCode::io_failed);
  EXPECT_THAT(forbidden.message(), testing::ContainsRegex("[Pp]ermission denied"));
  EXPECT_FALSE(forbidden.hint().empty());
}

TEST_F(FileSource, ReportsAReadThatFails) {
  // Opens and looks like a file; the first page of a process's memory is not mapped.
  const auto source = started(Position::source, "file", {{"", "/proc/self/mem"}});
  resources::Run run;
  ASSERT_EQ(source->pull({}, run).status, StageStatus::failed);
  EXPECT_EQ(source->failure().code(), ErrorCode::io_failed);
  EXPECT_THAT(source->failure().message(), testing::ContainsRegex("`/proc/self/mem`.*[Ii]nput/output error"));
}

TEST_F(FileSource, FailsWhereThePoolIsExhausted) {
  auto pool = resources::BufferPool::create({.kept = {1, 1, 1, 1}, .fallback_alloc = false});
  ASSERT_TRUE(pool);
  context_.pool = pool->get();
  const auto source = source_of(std::string(block_bytes - 2, 'x') + "\n" + std::string(block_bytes, 'y'));
  resources::Run run;
  ASSERT_EQ(source->pull({}, run).status, StageStatus::ok);
  resources::Run more;
  ASSERT_EQ(source->pull({}, more).status, StageStatus::failed);
  EXPECT_EQ(source->failure().code(), ErrorCode::pool_exhausted);
  source->finish(false);
}

TEST_F(FileSource, WaitsForTheWriterOfAFifo) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const auto source = started(Position::source, "file", {{"", "fifo"}});
  std::thread writer([&] { std::ofstream(file("fifo")) << "a\nb\n"; });
  EXPECT_THAT(pull_all(*source), ElementsAre("a\n", "b\n"));
  writer.join();
}

TEST_F(FileSource, StopsWaitingForTheWriterOfAFifo) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  const auto source = started(Position::source, "file", {{"", "fifo"}});
  std::thread stopper([&] {
    usleep(20'000);
    interrupt_.raise();
  });
  resources::Run run;
  EXPECT_EQ(source->pull({}, run).status, StageStatus::nothing_yet);
  stopper.join();
  EXPECT_EQ(live_buffers(), 0U) << "nothing is held while there is nothing to read";
}

class StdinSource : public StageTest {
 protected:
  StdinSource() { context_.stdin_fd = pipe_.read_end(); }
  std::vector<std::string> pull_once(reactor::Stage& source, StageStatus expected) {
    resources::Run run;
    EXPECT_EQ(source.pull({}, run).status, expected);
    std::vector<std::string> texts;
    for (const auto& element : run) texts.push_back(text_of(element));
    return texts;
  }
  Pipe pipe_;
};

TEST_F(StdinSource, GivesWhatIsThereWithoutWaitingForMore) {
  const auto source = started(Position::source, "stdin");
  pipe_.write("a\nb\nhalf");
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("a\n", "b\n"));
  pipe_.write(" a line\nc\n");
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("half a line\n", "c\n"));
  pipe_.write("end");
  pipe_.close_write_end();
  EXPECT_THAT(pull_once(*source, StageStatus::end_of_stream), ElementsAre("end"));
}

TEST_F(StdinSource, WaitsForTheRestOfALine) {
  const auto source = started(Position::source, "stdin");
  std::thread writer([&] {
    for (const std::string_view part : {"on", "e l", "ine\r", "\n"}) {
      pipe_.write(part);
      usleep(5'000);
    }
  });
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("one line\r\n"));
  writer.join();
}

TEST_F(StdinSource, StopsWaitingWhenInterrupted) {
  const auto source = started(Position::source, "stdin");
  pipe_.write("half");
  std::thread stopper([&] {
    usleep(20'000);
    interrupt_.raise();
  });
  EXPECT_THAT(pull_once(*source, StageStatus::nothing_yet), IsEmpty());
  stopper.join();
}

TEST_F(StdinSource, GivesTheEndOfASplitLineWithoutWaiting) {
  context_.max_buffer_bytes = 4;
  const auto source = started(Position::source, "stdin", {{"long_lines", "split"}});
  pipe_.write("1234\n");
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("1234"));
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("\n"));
}

TEST_F(StdinSource, GivesAWholeChunkWithoutWaiting) {
  const auto source = started(Position::source, "stdin", {{"chunk", "4"}});
  pipe_.write("abcd");
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("abcd"));
}

TEST_F(StdinSource, CutsTheSameChunksHoweverThePipeWasWritten) {
  const auto source = started(Position::source, "stdin", {{"chunk", "4"}});
  std::thread writer([&] {
    for (const std::string_view part : {"a", "bcdefg", "h", "ijklmnopq"}) {
      pipe_.write(part);
      usleep(5'000);
    }
    pipe_.close_write_end();
  });
  EXPECT_THAT(pull_all(*source), ElementsAre("abcd", "efgh", "ijkl", "mnop", "q"));
  writer.join();
}

TEST_F(StdinSource, ReadsADescriptorThatDoesNotBlock) {
  ASSERT_EQ(fcntl(pipe_.read_end(), F_SETFL, O_NONBLOCK), 0);
  const auto source = started(Position::source, "stdin");
  std::thread writer([&] {
    usleep(10'000);
    pipe_.write("late\n");
  });
  EXPECT_THAT(pull_once(*source, StageStatus::ok), ElementsAre("late\n"));
  writer.join();
}

TEST_F(StdinSource, LeavesTheDescriptorOpenAndAsItWas) {
  const int flags = fcntl(pipe_.read_end(), F_GETFL);
  const auto source = started(Position::source, "stdin");
  source->finish(true);
  EXPECT_EQ(fcntl(pipe_.read_end(), F_GETFL), flags);
}

TEST_F(StdinSource, RefusesAClosedDescriptor) {
  context_.stdin_fd = -1;
  const Error error = start_error(Position::source, "stdin", {});
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_THAT(error.message(), HasSubstr("standard input"));
}

}  // namespace
}  // namespace torvyn::connectors
