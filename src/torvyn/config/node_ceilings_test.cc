#include "torvyn/config/node_ceilings.h"

#include <gtest/gtest.h>

namespace torvyn::config {
namespace {

TEST(NodeCeilings, BoundNothingWhereNoneIsSet) {
  NodeConfig node;
  node.max_memory_bytes = ~std::uint64_t{0};
  node.grants = {{"filesystem-write", ""}};
  EXPECT_TRUE(check_ceilings(node, {}));
}

TEST(NodeCeilings, BoundWhatANodeAsksFor) {
  const NodeCeilings ceilings{.max_memory_bytes = 1024, .timeout_ns = 1000, .max_cpu = 0.5, .max_handles = 8};
  NodeConfig node;
  EXPECT_TRUE(check_ceilings(node, ceilings)) << "what is not said is the runtime's, which is bounded itself";
  node.max_memory_bytes = 1024;
  node.timeout_ns = 1000;
  node.max_cpu = 0.5;
  node.max_handles = 8;
  EXPECT_TRUE(check_ceilings(node, ceilings));
  const auto refused = [&ceilings](NodeConfig more) {
    const Status status = check_ceilings(more, ceilings);
    return !status && status.error().code() == ErrorCode::beyond_ceiling ? status.error().message() : "";
  };
  NodeConfig more = node;
  more.max_memory_bytes = 2048;
  EXPECT_EQ(refused(more), "`max_memory` is 2 KiB, and this machine allows 1 KiB at most");
  more = node;
  more.timeout_ns = 1001;
  EXPECT_NE(refused(more), "");
  more = node;
  more.max_cpu = 0.6;
  EXPECT_EQ(refused(more), "`max_cpu` is 0.6, and this machine allows 0.5 at most");
  more = node;
  more.max_handles = 9;
  EXPECT_NE(refused(more), "");
}

TEST(NodeCeilings, BoundGrantsByNameAndScope) {
  const NodeCeilings ceilings{.capabilities = {{{"clocks", ""}, {"filesystem-read", "/data"}}}};
  NodeConfig node;
  node.grants = {{"clocks", ""}, {"filesystem-read", "/data/in"}};
  EXPECT_TRUE(check_ceilings(node, ceilings));
  for (const Capability& beyond : {Capability{"udp", ""}, {"filesystem-read", "/etc"}, {"filesystem-read", ""}}) {
    node.grants = {beyond};
    const Status status = check_ceilings(node, ceilings);
    ASSERT_FALSE(status) << beyond.name;
    EXPECT_EQ(status.error().code(), ErrorCode::beyond_ceiling);
    EXPECT_NE(status.error().message().find(beyond.name), std::string::npos);
  }
}

}  // namespace
}  // namespace torvyn::config
