#include "torvyn/security/audit_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/security/test_audit.h"

namespace torvyn::security {
namespace {

constexpr AuditSubject subject{.flow = "main", .node = "upper", .component = "upper.wasm"};

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    options_.path = folder_ / "deep/audit.jsonl";
    options_.events = &events_;
    options_.clock = &clock_;
  }

  std::unique_ptr<AuditLog> open() {
    Result<std::unique_ptr<AuditLog>> log = AuditLog::open(options_);
    EXPECT_TRUE(log);
    return std::move(log).value();
  }

  std::vector<nlohmann::json> lines() const { return json_lines(options_.path); }

  TestFolder folder_;
  ToldEvents events_;
  ManualClock clock_{1'769'860'800'250'000'000};
  AuditOptions options_;
};

TEST_F(AuditLogTest, HasALineForEachEvent) {
  const std::unique_ptr<AuditLog> log = open();
  const std::vector<config::Capability> grants{{"clocks", ""}, {"filesystem-read", "/data"}};
  ASSERT_TRUE(log->granted(subject, grants));
  ASSERT_TRUE(log->denied(subject, "udp", "udp-create-socket.create-udp-socket", "ipv4"));
  ASSERT_TRUE(log->used(subject, "filesystem-read", "descriptor.open-at", "a \"b\"\n.txt"));
  ASSERT_TRUE(log->suppressed(subject, 7));
  const std::vector<nlohmann::json> all = lines();
  ASSERT_EQ(all.size(), 4U);
  for (const nlohmann::json& line : all) {
    EXPECT_EQ(line["time"], "2026-01-31T12:00:00.250Z");
    EXPECT_EQ(line["flow"], "main");
    EXPECT_EQ(line["node"], "upper");
    EXPECT_EQ(line["component"], "upper.wasm");
  }
  EXPECT_EQ(all[0]["event"], "granted");
  EXPECT_EQ(all[0]["capabilities"], (nlohmann::json{"clocks", "filesystem-read:/data"}));
  EXPECT_EQ(all[1]["event"], "denied");
  EXPECT_EQ(all[1]["capability"], "udp");
  EXPECT_EQ(all[1]["target"], "ipv4");
  EXPECT_EQ(all[2]["event"], "used");
  EXPECT_EQ(all[2]["target"], "a \"b\"\n.txt");
  EXPECT_EQ(all[3]["event"], "suppressed");
  EXPECT_EQ(all[3]["denials"], 7);
}

TEST_F(AuditLogTest, IsForItsOwnerAloneAndAppendedTo) {
  ASSERT_TRUE(open()->suppressed(subject, 1));
  ASSERT_TRUE(open()->suppressed(subject, 2));
  EXPECT_EQ(lines().size(), 2U);
  struct stat status{};
  ASSERT_EQ(stat(options_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(AuditLogTest, KeepsSoManyFilesOfSuchASize) {
  options_.size_bytes = 1000;
  options_.keep = 3;
  const std::unique_ptr<AuditLog> log = open();
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(log->suppressed(subject, i));
  std::uint64_t expected = 99;
  for (const std::string end : {"", ".1", ".2"}) {
    const std::string path = options_.path.string() + end;
    EXPECT_LE(std::filesystem::file_size(path), 1000U);
    std::vector<nlohmann::json> all = json_lines(path);
    ASSERT_FALSE(all.empty());
    std::ranges::reverse(all);
    for (const nlohmann::json& line : all) EXPECT_EQ(line["denials"], expected--);
  }
  EXPECT_FALSE(std::filesystem::exists(options_.path.string() + ".3"));
}

TEST_F(AuditLogTest, WithOneFileBeginsItAnew) {
  options_.size_bytes = 500;
  options_.keep = 1;
  const std::unique_ptr<AuditLog> log = open();
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(log->suppressed(subject, i));
  EXPECT_EQ(lines().back()["denials"], 19);
  EXPECT_LE(std::filesystem::file_size(options_.path), 500U);
  EXPECT_FALSE(std::filesystem::exists(options_.path.string() + ".1"));
}

TEST_F(AuditLogTest, NeverMixesTheLinesOfThreadsAndProcesses) {
  options_.size_bytes = 4096;
  options_.keep = 1000;
  constexpr int writers = 4;
  constexpr std::uint64_t each = 100;
  std::vector<pid_t> children;
  for (int process = 0; process < 2; ++process) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    Result<std::unique_ptr<AuditLog>> log = AuditLog::open(options_);
    bool good = log.has_value();
    const std::string node = "process" + std::to_string(process);
    for (std::uint64_t i = 0; good && i < each; ++i)
      good = (*log)->suppressed({.flow = "f", .node = node, .component = "c"}, i).has_value();
    _exit(good ? 0 : 1);
  }
  const std::unique_ptr<AuditLog> log = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i)
    threads.emplace_back([&log, i] {
      const std::string node = "thread" + std::to_string(i);
      for (std::uint64_t n = 0; n < each; ++n)
        EXPECT_TRUE(log->suppressed({.flow = "f", .node = node, .component = "c"}, n));
    });
  for (std::thread& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::map<std::string, std::uint64_t> counts;
  for (const auto& entry : std::filesystem::directory_iterator(options_.path.parent_path()))
    for (const nlohmann::json& line : json_lines(entry.path())) ++counts[line["node"]];
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [node, count] : counts) EXPECT_EQ(count, each) << node;
}

TEST_F(AuditLogTest, WarnsOnceWhereItCannotBeOpened) {
  options_.path = folder_.path();
  const std::unique_ptr<AuditLog> log = open();
  EXPECT_TRUE(log->suppressed(subject, 1));
  EXPECT_TRUE(log->suppressed(subject, 2));
  ASSERT_EQ(events_.told.size(), 1U);
  EXPECT_TRUE(events_.told[0].starts_with("W0510 the audit log cannot be written")) << events_.told[0];
}

TEST_F(AuditLogTest, FailsWhereItCannotBeOpenedAndHasToBe) {
  options_.path = "/dev/null/audit.jsonl";
  options_.stops_on_failure = true;
  const Result<std::unique_ptr<AuditLog>> log = AuditLog::open(options_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code(), ErrorCode::audit_failed);
  EXPECT_NE(log.error().message().find("/dev/null"), std::string::npos);
  EXPECT_NE(log.error().detail().hint.find("audit_on_failure"), std::string::npos);
}

TEST_F(AuditLogTest, IsNoDeviceAndNoLink) {
  options_.stops_on_failure = true;
  options_.path = "/dev/null";
  EXPECT_FALSE(AuditLog::open(options_));
  std::ofstream(folder_ / "other") << "";
  std::filesystem::create_symlink(folder_ / "other", folder_ / "link");
  options_.path = folder_ / "link";
  EXPECT_FALSE(AuditLog::open(options_));
  options_.path = folder_ / "fifo";
  ASSERT_EQ(mkfifo(options_.path.c_str(), 0600), 0);
  EXPECT_FALSE(AuditLog::open(options_));
}

// A limit on the size of files stands in for a full disk: a write gets half a line in, and then no more.
TEST_F(AuditLogTest, TakesBackHalfALine) {
  options_.stops_on_failure = true;
  const std::unique_ptr<AuditLog> log = open();
  ASSERT_TRUE(log->suppressed(subject, 1));
  const std::uintmax_t size = std::filesystem::file_size(options_.path);

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{.rlim_cur = size + size / 2, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const Status second = log->suppressed(subject, 2);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::audit_failed);
  EXPECT_EQ(std::filesystem::file_size(options_.path), size);
  ASSERT_TRUE(log->suppressed(subject, 3));
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[1]["denials"], 3);
}

TEST_F(AuditLogTest, GoesToStdoutOrToTheEvents) {
  options_.target = config::AuditTarget::event_sink;
  ASSERT_TRUE(open()->suppressed(subject, 1));
  ASSERT_EQ(events_.told.size(), 1U);
  EXPECT_TRUE(events_.told[0].starts_with("AUDIT {")) << events_.told[0];

  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  options_.target = config::AuditTarget::stdout_lines;
  options_.stdout_fd = ends[1];
  ASSERT_TRUE(open()->suppressed(subject, 2));
  std::array<char, 512> text{};
  ASSERT_GT(read(ends[0], text.data(), text.size() - 1), 0);
  EXPECT_EQ(nlohmann::json::parse(std::string(text.data()))["denials"], 2);
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(std::filesystem::exists(options_.path));
}

}  // namespace
}  // namespace torvyn::security
