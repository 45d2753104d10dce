#include "torvyn/connectors/write_sink.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <random>

#include "torvyn/connectors/test_stages.h"

namespace torvyn::connectors {
namespace {

using reactor::StageStatus;
using testing::ContainsRegex;
using testing::HasSubstr;

// Reads from `fd` until its end.
std::string drain(int fd) {
  std::string all;
  std::array<char, 4096> part;
  for (ssize_t count = 0; (count = read(fd, part.data(), part.size())) > 0;)
    all.append(part.data(), static_cast<std::size_t>(count));
  return all;
}

class StdoutSinkTest : public StageTest {
 protected:
  StdoutSinkTest() {
    std::signal(SIGPIPE, SIG_IGN);
    context_.stdout_fd = pipe_.write_end();
  }
  // The reading end must be drained meanwhile where `texts` do not fit into the pipe.
  reactor::StageOutcome push(reactor::Stage& sink, const std::vector<std::string>& texts) const {
    auto run = run_of(texts);
    return sink.push(run);
  }
  Pipe pipe_;
};

TEST_F(StdoutSinkTest, WritesPayloadsAsTheyAre) {
  const auto sink = started(Position::sink, "stdout");
  const auto outcome = push(*sink, {"a\n", "", std::string("\0\xff", 2), "b"});
  EXPECT_EQ(outcome.status, StageStatus::ok);
  EXPECT_EQ(outcome.done, 4U);
  EXPECT_TRUE(sink->complete());
  sink->finish(true);
  pipe_.close_write_end();
  EXPECT_EQ(drain(pipe_.read_end()), std::string("a\n\0\xff", 4) + "b");
}

TEST_F(StdoutSinkTest, TakesAnEmptyRun) {
  const auto sink = started(Position::sink, "stdout");
  EXPECT_EQ(push(*sink, {}).status, StageStatus::ok);
  EXPECT_EQ(push(*sink, {"", ""}).done, 2U);
}

TEST_F(StdoutSinkTest, WritesRunsOfMoreElementsThanOneCallTakes) {
  const auto sink = started(Position::sink, "stdout");
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 3000; ++i) all += texts.emplace_back(std::to_string(i));
  EXPECT_EQ(push(*sink, texts).done, 3000U);
  sink->finish(true);
  pipe_.close_write_end();
  EXPECT_EQ(drain(pipe_.read_end()), all);
}

TEST_F(StdoutSinkTest, WritesNeighboursInOneCall) {
  // A sequenced-packet socket keeps apart what came in separate calls. More lines than one call takes parts: only what is
  // next to each other in memory, and so one part, comes in one piece.
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  context_.stdout_fd = ends[1];
  write_file("in", std::string(3000, '\n'));
  const auto source = started(Position::source, "file", {{"", "in"}});
  const auto sink = started(Position::sink, "stdout");
  resources::Run run;
  ASSERT_EQ(source->pull({.elements_max = 3000, .bytes_max = 1 << 20}, run).status, StageStatus::ok);
  ASSERT_EQ(sink->push(run).done, 3000U);
  std::array<char, 4000> packet;
  EXPECT_EQ(read(ends[0], packet.data(), packet.size()), 3000);
  sink->finish(true);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(StdoutSinkTest, WaitsForASlowReader) {
  const auto sink = started(Position::sink, "stdout");
  std::string read_back;
  std::thread reader([&] {
    usleep(20'000);
    read_back = drain(pipe_.read_end());
  });
  const std::vector<std::string> texts(20, std::string(100'001, 'x') + "\n");
  const auto outcome = push(*sink, texts);
  sink->finish(true);
  pipe_.close_write_end();
  reader.join();
  EXPECT_EQ(outcome.status, StageStatus::ok);
  EXPECT_EQ(outcome.done, 20U);
  EXPECT_EQ(read_back.size(), 20U * 100'002);
}

TEST_F(StdoutSinkTest, SaysWhichElementTheReaderDidNotGet) {
  ASSERT_GT(fcntl(pipe_.write_end(), F_SETPIPE_SZ, 4096), 0);
  const auto sink = started(Position::sink, "stdout");
  // The pipe takes two and a half of these before it is full, and then the reader goes.
  std::thread reader([&] {
    usleep(50'000);
    pipe_.close_read_end();
  });
  const auto outcome = push(*sink, std::vector<std::string>(6, std::string(1638, 'x')));
  reader.join();
  EXPECT_EQ(outcome.status, StageStatus::closed);
  EXPECT_EQ(outcome.done, 2U);
}

TEST_F(StdoutSinkTest, EndsQuietlyWhereTheReaderIsGone) {
  pipe_.close_read_end();
  const auto sink = started(Position::sink, "stdout");
  const auto outcome = push(*sink, {"", "a"});
  EXPECT_EQ(outcome.status, StageStatus::closed);
  EXPECT_EQ(outcome.done, 1U) << "nothing had to be written for the empty one";
}

TEST_F(StdoutSinkTest, GivesUpOnAStuckReaderOnlyAfterTheFlowWasStopped) {
  const auto sink = started(Position::sink, "stdout");
  interrupt_.raise();
  EXPECT_EQ(push(*sink, {"fits"}).status, StageStatus::ok) << "what is in flight is finished";
  const auto outcome = push(*sink, {"also fits", std::string(1 << 20, 'x')});
  EXPECT_EQ(outcome.status, StageStatus::failed);
  EXPECT_EQ(outcome.done, 1U);
  EXPECT_EQ(sink->failure().code(), ErrorCode::flow_cancelled);
}

TEST_F(StdoutSinkTest, LeavesTheDescriptorOpenAndAsItWas) {
  const int flags = fcntl(pipe_.write_end(), F_GETFL);
  const auto sink = started(Position::sink, "stdout");
  push(*sink, {"a"});
  sink->finish(true);
  EXPECT_EQ(fcntl(pipe_.write_end(), F_GETFL), flags);
}

TEST_F(StdoutSinkTest, ReportsAFullDisk) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  context_.stdout_fd = full;
  const auto sink = started(Position::sink, "stdout");
  const auto outcome = push(*sink, {"a"});
  EXPECT_EQ(outcome.status, StageStatus::failed);
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_EQ(sink->failure().code(), ErrorCode::io_failed);
  EXPECT_THAT(sink->failure().message(), ContainsRegex("standard output.*[Nn]o space left"));
  EXPECT_FALSE(sink->failure().hint().empty());
  close(full);
}

TEST_F(StdoutSinkTest, RefusesAClosedDescriptor) {
  context_.stdout_fd = -1;
  EXPECT_EQ(start_error(Position::sink, "stdout", {}).code(), ErrorCode::io_failed);
}

class FileSinkTest : public StageTest {
 protected:
  std::unique_ptr<reactor::Stage> sink_to(std::string_view name, std::vector<Setting> settings = {}) {
    settings.emplace_back("path", name);
    return started(Position::sink, "file", std::move(settings));
  }
  void push(reactor::Stage& sink, const std::vector<std::string>& texts) const {
    auto run = run_of(texts);
    const auto outcome = sink.push(run);
    EXPECT_EQ(outcome.status, StageStatus::ok);
    EXPECT_EQ(outcome.done, texts.size());
  }
};

TEST_F(FileSinkTest, RenamesThePartialFileWhenComplete) {
  write_file("out", "old");
  const auto sink = sink_to("out");
  push(*sink, {"a\n", "b\n"});
  EXPECT_EQ(read_file("out"), "old");
  EXPECT_EQ(read_file("out.partial"), "a\nb\n");
  ASSERT_TRUE(sink->complete());
  sink->finish(true);
  EXPECT_EQ(read_file("out"), "a\nb\n");
  EXPECT_FALSE(exists("out.partial"));
  EXPECT_EQ(sink->leftover(), "");
}

TEST_F(FileSinkTest, MakesAnEmptyFileOfNothing) {
  const auto sink = sink_to("out", {{"sync", "true"}});
  ASSERT_TRUE(sink->complete());
  EXPECT_TRUE(exists("out"));
  EXPECT_EQ(read_file("out"), "");
}

TEST_F(FileSinkTest, KeepsThePartialFileOfAFlowThatFailed) {
  write_file("out", "old");
  const auto sink = sink_to("out");
  push(*sink, {"a\n"});
  sink->finish(false);
  EXPECT_EQ(read_file("out"), "old");
  EXPECT_EQ(read_file("out.partial"), "a\n");
  EXPECT_EQ(sink->leftover(), "out.partial kept");
}

TEST_F(FileSinkTest, StartsAnewOverALeftoverPartialFile) {
  write_file("out.partial", "a long leftover of a run that failed");
  const auto sink = sink_to("out");
  push(*sink, {"new"});
  ASSERT_TRUE(sink->complete());
  EXPECT_EQ(read_file("out"), "new");
}

TEST_F(FileSinkTest, RefusesAFileThatAnotherRunIsWriting) {
  const auto first = sink_to("out");
  push(*first, {"first"});
  const Error error = start_error(Position::sink, "file", {{"", "out"}});
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_THAT(error.message(), HasSubstr("`out.partial` is being written by another run"));
  EXPECT_EQ(read_file("out.partial"), "first");
  ASSERT_TRUE(first->complete());
  const auto second = sink_to("out");
  ASSERT_TRUE(second->complete());
}

TEST_F(FileSinkTest, NeverWritesIntoAFileThatAnotherRunHasJustFinished) {
  // Runs that meet: one may open the partial file just before the other renames it. Whoever starts must be able to finish.
  std::atomic<int> unfinished = 0;
  const auto run = [&] {
    for (int i = 0; i < 3000; ++i) {
      const auto sink = make(Position::sink, "file", {{"", "out"}});
      if (sink->start() && !sink->complete()) ++unfinished;
    }
  };
  std::thread other(run);
  run();
  other.join();
  EXPECT_EQ(unfinished, 0);
}

TEST_F(FileSinkTest, Appends) {
  write_file("out", "old\n");
  const auto sink = sink_to("out", {{"append", "true"}});
  push(*sink, {"new\n"});
  EXPECT_EQ(read_file("out"), "old\nnew\n");
  EXPECT_FALSE(exists("out.partial"));
  ASSERT_TRUE(sink->complete());
  const auto fresh = sink_to("fresh", {{"append", "true"}});
  push(*fresh, {"a"});
  ASSERT_TRUE(fresh->complete());
  EXPECT_EQ(read_file("fresh"), "a");
}

TEST_F(FileSinkTest, KeepsThePermissionsOfTheFileItReplaces) {
  write_file("out", "");
  ASSERT_EQ(chmod(file("out").c_str(), 0640), 0);
  ASSERT_TRUE(sink_to("out")->complete());
  struct stat info{};
  ASSERT_EQ(stat(file("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
}

TEST_F(FileSinkTest, ReplacesWhatALinkLeadsTo) {
  std::filesystem::create_directory(file("real"));
  write_file("real/out", "old");
  std::filesystem::create_symlink("real/out", file("link"));
  const auto sink = sink_to("link");
  push(*sink, {"new"});
  ASSERT_TRUE(sink->complete());
  EXPECT_TRUE(std::filesystem::is_symlink(file("link")));
  EXPECT_EQ(read_file("real/out"), "new");
}

TEST_F(FileSinkTest, WritesToADeviceDirectly) {
  // A terminal of our own: where this fails, no device that others need is replaced by a file.
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const auto sink = sink_to(ptsname(terminal));
  push(*sink, {"a\n"});
  ASSERT_TRUE(sink->complete());
  std::array<char, 10> shown;
  EXPECT_EQ(read(terminal, shown.data(), shown.size()), 3) << "a terminal shows a line feed as two bytes";
  EXPECT_EQ(sink->leftover(), "");
  close(terminal);
}

TEST_F(FileSinkTest, ReportsAFullDisk) {
  const auto sink = sink_to("/dev/full", {{"append", "true"}});
  auto run = run_of({"a"});
  EXPECT_EQ(sink->push(run).status, StageStatus::failed);
  EXPECT_EQ(sink->failure().code(), ErrorCode::io_failed);
  EXPECT_THAT(sink->failure().message(), ContainsRegex("`/dev/full`.*[Nn]o space left"));
}

TEST_F(FileSinkTest, SaysWhatItKeptOfAFailedWrite) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto sink = sink_to("out");
  rlimit limit = before;
  limit.rlim_cur = 5;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  auto run = run_of({"abc", "def", "ghi"});
  const auto outcome = sink->push(run);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(outcome.status, StageStatus::failed);
  EXPECT_EQ(outcome.done, 1U);
  EXPECT_EQ(sink->failure().code(), ErrorCode::io_failed);
  EXPECT_EQ(sink->leftover(), "out.partial kept");
  EXPECT_EQ(read_file("out.partial"), "abcde");
}

TEST_F(FileSinkTest, WaitsForTheReaderOfAFifo) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  std::string read_back;
  std::thread reader([&] {
    usleep(30'000);
    read_back = read_file("fifo");
  });
  const auto sink = sink_to("fifo");
  push(*sink, {"a\n"});
  ASSERT_TRUE(sink->complete());
  reader.join();
  EXPECT_EQ(read_back, "a\n");
}

TEST_F(FileSinkTest, StopsWaitingForTheReaderOfAFifo) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  interrupt_.raise();
  EXPECT_EQ(start_error(Position::sink, "file", {{"", "fifo"}}).code(), ErrorCode::flow_cancelled);
}

TEST_F(FileSinkTest, SaysBeforeAnyElementWhatCannotBeWritten) {
  const Error missing = start_error(Position::sink, "file", {{"", "no/such/folder/out"}});
  EXPECT_EQ(missing.code(), ErrorCode::io_failed);
  EXPECT_THAT(missing.message(), ContainsRegex("`no/such/folder/out.*[Nn]o such file or directory"));

  EXPECT_THAT(start_error(Position::sink, "file", {{"", "."}}).message(), ContainsRegex("[Ii]s a directory"));
  // Read-only, even for root.
  for (const char* append : {"true", "false"})
    EXPECT_THAT(start_error(Position::sink, "file", {{"", "/proc/sys/kernel/osrelease"}, {"append", append}}).message(),
                ContainsRegex("[Pp]ermission denied"));
  write_file("plain", "");
  EXPECT_THAT(start_error(Position::sink, "file", {{"", "plain/out"}}).message(), ContainsRegex("[Nn]ot a directory"));
}

TEST_F(FileSinkTest, ReportsARenameThatFails) {
  const auto sink = sink_to("out");
  push(*sink, {"a"});
  std::filesystem::create_directory(file("out"));
  const auto status = sink->complete();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::io_failed);
  EXPECT_EQ(read_file("out.partial"), "a");
}

TEST_F(FileSinkTest, CopiesAFileOverItself) {
  write_file("data", "a\nb\n");
  const auto source = started(Position::source, "file", {{"", "data"}});
  const auto sink = sink_to("data");
  resources::Run run;
  source->pull({}, run);
  ASSERT_EQ(sink->push(run).status, StageStatus::ok);
  ASSERT_EQ(source->pull({}, run).status, StageStatus::end_of_stream);
  ASSERT_TRUE(sink->complete());
  EXPECT_EQ(read_file("data"), "a\nb\n");
}

TEST_F(FileSinkTest, PassesRandomBytesUnchangedFromFileToFile) {
  std::string text(3'000'001, '\0');
  std::mt19937 random(11);
  for (char& byte : text) byte = static_cast<char>(random());
  write_file("in", text);
  for (const std::vector<Setting>& settings :
       {std::vector<Setting>{{"", "in"}}, std::vector<Setting>{{"", "in"}, {"chunk", "12345"}}}) {
    const auto source = started(Position::source, "file", settings);
    const auto sink = sink_to("out");
    resources::Run run;
    for (StageStatus status = StageStatus::ok; status == StageStatus::ok;) {
      status = source->pull({}, run).status;
      ASSERT_NE(status, StageStatus::failed);
      ASSERT_EQ(sink->push(run).status, StageStatus::ok);
      resources::clear_run(run);
    }
    ASSERT_TRUE(sink->complete());
    EXPECT_TRUE(read_file("out") == text);
  }
}

}  // namespace
}  // namespace torvyn::connectors
