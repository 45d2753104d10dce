#include "torvyn/security/guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "torvyn/security/test_audit.h"

namespace torvyn::security {
namespace {

class GuardTest : public testing::Test {
 protected:
  GuardTest() { log_ = AuditLog::open({.path = folder_ / "audit.jsonl", .clock = &clock_}).value(); }

  GuardOptions options(AuditLog* log) {
    return {.flow = "main", .node = "n", .component = "dir/c.wasm", .audit = log, .events = &events_, .clock = &clock_};
  }
  std::vector<nlohmann::json> lines() const { return json_lines(folder_ / "audit.jsonl"); }
  static CapabilityCount count_of(const Guard& guard, std::string_view capability) {
    const auto names = config::capability_names();
    return guard.counts()[static_cast<std::size_t>(std::ranges::find(names, capability) - names.begin())];
  }

  TestFolder folder_;
  ManualClock clock_{1};
  ToldEvents events_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(GuardTest, RecordsGrantsAndDenialsAndCountsBoth) {
  Guard guard({}, options(log_.get()));
  ASSERT_TRUE(guard.begin());
  EXPECT_TRUE(guard.accessed("udp", "udp-create-socket.create-udp-socket", "ipv4", false));
  EXPECT_TRUE(guard.accessed("filesystem-read", "descriptor.open-at", "a.txt", true));
  EXPECT_FALSE(guard.allows(AddressUse::tcp_connect, {IpAddress::parse("8.8.8.8").value(), 80}));
  EXPECT_EQ(count_of(guard, "udp"), (CapabilityCount{0, 1}));
  EXPECT_EQ(count_of(guard, "filesystem-read"), (CapabilityCount{1, 0}));
  EXPECT_EQ(count_of(guard, "tcp-connect"), (CapabilityCount{0, 1}));
  const std::vector<nlohmann::json> all = lines();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["event"], "granted");
  EXPECT_EQ(all[1]["capability"], "udp");
  EXPECT_EQ(all[2]["target"], "8.8.8.8:80");
}

TEST_F(GuardTest, RecordsUsesWhereThatIsAskedFor) {
  Guard guard({}, options(log_.get()));
  EXPECT_TRUE(guard.accessed("filesystem-read", "descriptor.open-at", "a.txt", true));
  EXPECT_TRUE(lines().empty());
  log_->set_tells_uses(true);
  EXPECT_TRUE(guard.accessed("filesystem-read", "descriptor.open-at", "b.txt", true));
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["event"], "used");
  EXPECT_EQ(lines()[0]["target"], "b.txt");
}

TEST_F(GuardTest, TellsAPersonOfTheFirstDenialOfAKindWithTheWayOut) {
  Guard guard({}, options(nullptr));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(guard.accessed("udp", "f", "t", false));
  EXPECT_FALSE(guard.allows(AddressUse::tcp_connect, {IpAddress::parse("10.0.0.7").value(), 80}));
  ASSERT_EQ(events_.told.size(), 2U);
  EXPECT_TRUE(events_.told[0].starts_with("W0500 ")) << events_.told[0];
  EXPECT_NE(events_.told[0].find(R"(capabilities = ["udp:HOST:PORT"] in [security.grants."c.wasm"])"),
            std::string::npos)
      << events_.told[0];
  EXPECT_NE(events_.told[1].find(R"(capabilities = ["tcp-connect:10.0.0.7:80"])"), std::string::npos)
      << events_.told[1];
}

TEST_F(GuardTest, KeepsAFloodOfDenialsShort) {
  {
    Guard guard({}, options(log_.get()));
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(guard.accessed("udp", "f", "t", false));
    EXPECT_EQ(lines().size(), denials_per_second_max);
    clock_.advance_ns(1'000'000'000);
    EXPECT_TRUE(guard.accessed("udp", "f", "t", false));
    std::vector<nlohmann::json> all = lines();
    ASSERT_EQ(all.size(), denials_per_second_max + 2);
    EXPECT_EQ(all[denials_per_second_max]["event"], "suppressed");
    EXPECT_EQ(all[denials_per_second_max]["denials"], 1000 - denials_per_second_max);
    for (int i = 0; i < 150; ++i) EXPECT_TRUE(guard.accessed("udp", "f", "t", false));
    EXPECT_EQ(count_of(guard, "udp").denials, 1151U);
  }
  // What it still owed when it ended.
  EXPECT_EQ(lines().back()["denials"], 51);
}

TEST_F(GuardTest, AllowsNothingThatCannotBeRecordedWhereItHasToBe) {
  AuditOptions strict{.path = folder_ / "gone/audit.jsonl", .stops_on_failure = true, .clock = &clock_};
  const std::unique_ptr<AuditLog> log = AuditLog::open(strict).value();
  log->set_tells_uses(true);
  NetworkRules network;
  ASSERT_TRUE(network.tcp_connect.add("tcp-connect", "", false));
  Sandbox sandbox;
  sandbox.network = network;
  Guard guard(sandbox, options(log.get()));
  ASSERT_TRUE(guard.begin());
  const SocketAddress address{IpAddress::parse("8.8.8.8").value(), 80};
  EXPECT_TRUE(guard.allows(AddressUse::tcp_connect, address));

  // The file is moved away, and in its folder's place stands a file.
  std::filesystem::remove_all(folder_ / "gone");
  std::ofstream(folder_ / "gone") << "";
  EXPECT_FALSE(guard.allows(AddressUse::tcp_connect, address));
  EXPECT_FALSE(guard.accessed("clocks", "wall-clock.now", "", false));
  EXPECT_EQ(guard.failure().code(), ErrorCode::audit_failed);
}

}  // namespace
}  // namespace torvyn::security
