#include "torvyn/resources/copy_ledger.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <thread>

namespace torvyn::resources {
namespace {

TEST(CopyLedger, CountsEachKindApartAndAllTogether) {
  CopyLedger ledger;
  ledger.record(CopyKind::guest_write, 10);
  ledger.record(CopyKind::guest_write, 20);
  ledger.record(CopyKind::guest_read, 5);
  ledger.record(CopyKind::host_clone, 0);
  EXPECT_EQ(ledger.count(CopyKind::guest_write).copies, 2U);
  EXPECT_EQ(ledger.count(CopyKind::guest_write).bytes, 30U);
  EXPECT_EQ(ledger.count(CopyKind::guest_read).copies, 1U);
  EXPECT_EQ(ledger.count(CopyKind::host_clone).copies, 1U);
  EXPECT_EQ(ledger.count(CopyKind::host_gather).copies, 0U);
  EXPECT_EQ(ledger.total().copies, 4U);
  EXPECT_EQ(ledger.total().bytes, 35U);
}

TEST(CopyLedger, ShowsAReaderNumbersThatOnlyGrow) {
  CopyLedger ledger;
  std::jthread reader([&](const std::stop_token& stop) {
    std::uint64_t last = 0;
    while (!stop.stop_requested()) {
      const std::uint64_t now = ledger.count(CopyKind::guest_read).bytes;
      EXPECT_GE(now, last);
      EXPECT_EQ(now % 0x1'0000'0001, 0U) << "half a number";
      last = now;
    }
  });
  for (int i = 0; i < 100'000; ++i) ledger.record(CopyKind::guest_read, 0x1'0000'0001);
}

TEST(CopyLedger, NamesEveryKindDifferently) {
  std::set<std::string_view> names;
  for (int kind = 0; kind < copy_kind_count; ++kind) names.insert(copy_kind_name(static_cast<CopyKind>(kind)));
  EXPECT_EQ(names, (std::set<std::string_view>{"guest_write", "guest_read", "host_clone", "host_gather"}));
}

}  // namespace
}  // namespace torvyn::resources
