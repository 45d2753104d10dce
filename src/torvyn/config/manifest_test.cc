#include "torvyn/config/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace torvyn::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::string_view project =
    "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n";  // 4 lines

std::string with_project(std::string_view rest) { return std::string(project) + std::string(rest); }

Manifest parsed(std::string_view text) {
  Result<Manifest> manifest = parse_manifest(text, "Torvyn.toml");
  EXPECT_TRUE(manifest.has_value()) << (manifest ? "" : manifest.error().to_string());
  return manifest ? *std::move(manifest) : Manifest{};
}

Error refused(std::string_view text) {
  const Result<Manifest> manifest = parse_manifest(text, "Torvyn.toml");
  EXPECT_FALSE(manifest.has_value()) << text;
  return manifest ? Error(ErrorCode::internal_error, "was read") : manifest.error();
}

NodeConfig node_with(std::string_view lines) {
  const Manifest manifest = parsed(with_project("[flow.main.nodes.n]\ncomponent = \"c\"\n" + std::string(lines)));
  return manifest.flows.empty() ? NodeConfig{} : manifest.flows[0].nodes.at(0);
}

TEST(Manifest, ReadsTheProject) {
  const Manifest manifest = parsed(R"([torvyn]
name = "log-shouter"
version = "1.2.3-rc.1"
contract_version = "0.1.7"
description = "shouts"
authors = ["Ada", "Grace"]
license = "Apache-2.0"
repository = "https://example.org/shout"
)");
  EXPECT_EQ(manifest.name, "log-shouter");
  EXPECT_EQ(manifest.version, "1.2.3-rc.1");
  EXPECT_EQ(manifest.contract_version, "0.1.7");
  EXPECT_EQ(manifest.description, "shouts");
  EXPECT_THAT(manifest.authors, ElementsAre("Ada", "Grace"));
  EXPECT_EQ(manifest.license, "Apache-2.0");
  EXPECT_EQ(manifest.repository, "https://example.org/shout");
  EXPECT_EQ(manifest.path, "Torvyn.toml");
  EXPECT_EQ(manifest.directory, ".");
}

TEST(Manifest, KnowsItsFolder) {
  const Result<Manifest> manifest = parse_manifest(project, "some/folder/Torvyn.toml");
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->directory, "some/folder");
}

TEST(Manifest, ReadsComponents) {
  const Manifest manifest = parsed(with_project(R"(
[[component]]
name = "upper"
path = "components/upper"
language = "cpp"

[[component]]
name = "grep"
path = "grep.rs"
)"));
  ASSERT_EQ(manifest.components.size(), 2U);
  EXPECT_EQ(manifest.components[0].name, "upper");
  EXPECT_EQ(manifest.components[0].path, "components/upper");
  EXPECT_EQ(manifest.components[0].language, "cpp");
  EXPECT_EQ(manifest.components[0].where.line, 6U);
  EXPECT_EQ(manifest.components[1].language, "");
  EXPECT_EQ(manifest.find_component("grep"), &manifest.components[1]);
  EXPECT_EQ(manifest.find_component("gre"), nullptr);
}

TEST(Manifest, KeepsFlowsAndNodesInFileOrder) {
  const Manifest manifest = parsed(with_project(R"(
[flow.zeta]
[flow.zeta.nodes.lines]
component = "builtin:file"
[flow.zeta.nodes.count]
component = "count"
[flow.zeta.nodes.a-sink]
component = "builtin:stdout"
[flow.alpha]
description = "second"
timeout = "10m"
nodes.y = { component = "y" }
nodes.x = { component = "x" }
)"));
  ASSERT_EQ(manifest.flows.size(), 2U);
  const FlowConfig& zeta = manifest.flows[0];
  EXPECT_EQ(zeta.name, "zeta");
  EXPECT_EQ(zeta.timeout_ns, std::nullopt);
  ASSERT_EQ(zeta.nodes.size(), 3U);
  EXPECT_EQ(zeta.nodes[0].name, "lines");
  EXPECT_EQ(zeta.nodes[1].name, "count");
  EXPECT_EQ(zeta.nodes[2].name, "a-sink");
  const FlowConfig& alpha = manifest.flows[1];
  EXPECT_EQ(alpha.description, "second");
  EXPECT_EQ(alpha.timeout_ns, 600 * s_in_ns);
  ASSERT_EQ(alpha.nodes.size(), 2U);
  EXPECT_EQ(alpha.nodes[0].name, "y");
  EXPECT_EQ(alpha.nodes[1].name, "x");
  EXPECT_EQ(manifest.find_flow("alpha"), &alpha);
  EXPECT_EQ(manifest.find_flow("beta"), nullptr);
}

TEST(Manifest, KnowsWhereNodesAreWritten) {
  const Manifest manifest = parsed(with_project("[flow.main.nodes.n]\n  component = \"c\"\n  config = { k = 1 }\n"));
  const NodeConfig& node = manifest.flows.at(0).nodes.at(0);
  EXPECT_EQ(node.where.file, "Torvyn.toml");
  EXPECT_EQ(node.where.line, 5U);
  EXPECT_EQ(node.where.column, 18U);
  EXPECT_EQ(node.where.length, 1U);
  EXPECT_EQ(node.component_where.line, 6U);
  EXPECT_EQ(node.component_where.column, 15U);
  EXPECT_EQ(node.settings_where.at("k").column, 14U);
  ASSERT_NE(node.where.text, nullptr);
  EXPECT_THAT(*node.where.text, HasSubstr("[flow.main.nodes.n]"));
}

TEST(Manifest, HandsATextConfigOnAsItIs) {
  const NodeConfig node = node_with("config = \"a \\\"b\\\"\"\n");
  EXPECT_EQ(node.config, "a \"b\"");
  EXPECT_TRUE(node.settings.empty());
}

TEST(Manifest, TurnsATableConfigIntoJsonInItsOrder) {
  const NodeConfig node = node_with(
      "config = { z = \"a\\\"b\", n = -5, f = 1.5, t = true, d = 1979-05-27, list = [1, \"x\"], deep.k = 1, empty = {} "
      "}\n");
  EXPECT_EQ(node.config,
            R"({"z":"a\"b","n":-5,"f":1.5,"t":true,"d":"1979-05-27","list":[1,"x"],"deep":{"k":1},"empty":{}})");
  EXPECT_THAT(node.settings, ElementsAre(Pair("z", "a\"b"), Pair("n", "-5"), Pair("f", "1.5"), Pair("t", "true"),
                                         Pair("d", "1979-05-27"), Pair("list", R"([1,"x"])"),
                                         Pair("deep", R"({"k":1})"), Pair("empty", "{}")));
}

TEST(Manifest, ReadsAConfigSectionLikeAnInlineTable) {
  const NodeConfig node = node_with("[flow.main.nodes.n.config]\npattern = \"ERR\"\n");
  EXPECT_EQ(node.config, R"({"pattern":"ERR"})");
  EXPECT_EQ(node.settings_where.at("pattern").line, 8U);
}

TEST(Manifest, TellsAnEmptyTableConfigFromNone) {
  EXPECT_EQ(node_with("config = {}\n").config, "{}");
  EXPECT_EQ(node_with("").config, "");
}

TEST(Manifest, ReadsLimitsOfANode) {
  const NodeConfig node = node_with("timeout = \"250ms\"\nmax_memory = \"128MiB\"\n");
  EXPECT_EQ(node.timeout_ns, 250 * ms_in_ns);
  EXPECT_EQ(node.max_memory_bytes, 128 * mib);
  const NodeConfig plain = node_with("");
  EXPECT_EQ(plain.timeout_ns, std::nullopt);
  EXPECT_EQ(plain.max_memory_bytes, std::nullopt);
}

// By case, and last what follows the last retry.
std::vector<ErrorAction> actions(std::string_view lines) {
  const ErrorPolicy policy = node_with(lines).on_error;
  return {policy.invalid_input, policy.unavailable, policy.internal, policy.deadline_exceeded, policy.exhausted};
}

constexpr ErrorAction stop = ErrorAction::fail;
constexpr ErrorAction skip = ErrorAction::skip;
constexpr ErrorAction retry = ErrorAction::retry;
constexpr ErrorAction dead = ErrorAction::dead_letter;

TEST(Manifest, RetriesWhatWasUnavailableWhereNothingElseIsSaid) {
  EXPECT_THAT(actions(""), ElementsAre(stop, retry, stop, stop, stop));
  EXPECT_THAT(actions("dead_letter = \"d\"\n"), ElementsAre(stop, retry, stop, stop, stop));
}

TEST(Manifest, ReadsOnErrorAsAWordForEveryCase) {
  EXPECT_THAT(actions("on_error = \"fail\"\n"), ElementsAre(stop, stop, stop, stop, stop));
  EXPECT_THAT(actions("on_error = \"skip\"\n"), ElementsAre(skip, skip, skip, skip, skip));
  EXPECT_THAT(actions("on_error = \"dead-letter\"\n"), ElementsAre(dead, dead, dead, dead, dead));
}

TEST(Manifest, ReadsOnErrorByCase) {
  EXPECT_THAT(actions("on_error = {}\n"), ElementsAre(stop, retry, stop, stop, stop));
  EXPECT_THAT(actions("on_error = { invalid-input = \"skip\" }\n"), ElementsAre(skip, retry, stop, stop, stop));
  EXPECT_THAT(actions("on_error = { unavailable = \"skip\", deadline-exceeded = \"dead-letter\" }\n"),
              ElementsAre(stop, skip, stop, dead, stop));
}

TEST(Manifest, ReadsOnErrorsDefaultForTheCasesNotNamed) {
  EXPECT_THAT(actions("on_error = { default = \"skip\", internal = \"fail\" }\n"),
              ElementsAre(skip, skip, stop, skip, skip));
  EXPECT_THAT(actions("on_error = { default = \"fail\", internal = \"retry\" }\n"),
              ElementsAre(stop, stop, retry, stop, stop));
}

TEST(Manifest, DoesNotRetryInvalidInputUnlessToldByName) {
  for (const char* line : {"on_error = \"retry\"\n", "on_error = { default = \"retry\" }\n"}) {
    EXPECT_THAT(actions(line), ElementsAre(stop, retry, retry, retry, stop)) << line;
  }
  EXPECT_THAT(actions("on_error = { default = \"retry\", invalid-input = \"retry\" }\n"),
              ElementsAre(retry, retry, retry, retry, stop));
  EXPECT_THAT(actions("on_error = { invalid-input = \"retry\" }\n"), ElementsAre(retry, retry, stop, stop, stop));
}

TEST(Manifest, FollowsTheLastRetryWithTheDefaultOrTheDeadLetterNode) {
  const std::string with_node = "dead_letter = \"d\"\n";
  EXPECT_THAT(actions(with_node + "on_error = \"retry\"\n"), ElementsAre(dead, retry, retry, retry, dead));
  EXPECT_THAT(actions(with_node + "on_error = \"fail\"\n"), ElementsAre(stop, stop, stop, stop, stop));
  EXPECT_THAT(actions(with_node + "on_error = { invalid-input = \"dead-letter\" }\n"),
              ElementsAre(dead, retry, stop, stop, dead));
  EXPECT_THAT(actions(with_node + "on_error = { internal = \"retry\" }\n"),
              ElementsAre(stop, retry, retry, stop, stop));
  EXPECT_THAT(actions(with_node + "on_error = { internal = \"dead-letter\", default = \"skip\" }\n"),
              ElementsAre(skip, skip, dead, skip, skip));
  EXPECT_THAT(actions("on_error = { unavailable = \"retry\", default = \"skip\" }\n"),
              ElementsAre(skip, retry, skip, skip, skip));
}

TEST(Manifest, LeavesANodesFailureSettingsAtTheirDefaults) {
  const NodeConfig node = node_with("");
  EXPECT_EQ(node.retries, 3U);
  EXPECT_EQ(node.retry_backoff_ns, 10 * ms_in_ns);
  EXPECT_EQ(node.dead_letter, "");
  EXPECT_EQ(node.on_trap, TrapAction::fail);
  EXPECT_EQ(node.restarts, 3U);
  EXPECT_EQ(node.restart_window_ns, 60 * s_in_ns);
  EXPECT_EQ(node.instances, 1U);
  EXPECT_EQ(node.placement, Placement::flow);
}

TEST(Manifest, ReadsANodesFailureSettings) {
  const NodeConfig node = node_with(R"(retries = 7
retry_backoff = "2ms"
dead_letter = "rejected"
on_trap = "restart"
restarts = 5
restart_window = "2h"
instances = 256
placement = "parallel"
)");
  EXPECT_EQ(node.retries, 7U);
  EXPECT_EQ(node.retry_backoff_ns, 2 * ms_in_ns);
  EXPECT_EQ(node.dead_letter, "rejected");
  EXPECT_EQ(node.dead_letter_where.line, 9U);
  EXPECT_EQ(node.dead_letter_where.column, 15U);
  EXPECT_EQ(node.on_trap, TrapAction::restart);
  EXPECT_EQ(node.restarts, 5U);
  EXPECT_EQ(node.restart_window_ns, 7'200 * s_in_ns);
  EXPECT_EQ(node.instances, 256U);
  EXPECT_EQ(node.placement, Placement::parallel);
  EXPECT_EQ(node_with("on_trap = \"fail\"\n").on_trap, TrapAction::fail);
}

TEST(Manifest, TakesNoRetriesAndNoWait) {
  const NodeConfig node = node_with("retries = 0\nretry_backoff = \"0ms\"\n");
  EXPECT_EQ(node.retries, 0U);
  EXPECT_EQ(node.retry_backoff_ns, 0U);
}

TEST(Manifest, LeavesAFlowsPolicyAtItsDefaults) {
  const FlowConfig flow = parsed(with_project("[flow.main]\n")).flows.at(0);
  EXPECT_EQ(flow.deadline_ns, std::nullopt);
  EXPECT_EQ(flow.weight, 1U);
  EXPECT_EQ(flow.priority, 5U);
  EXPECT_FALSE(flow.restart_on_failure);
  EXPECT_EQ(flow.restart_backoff_ns, s_in_ns);
  EXPECT_EQ(flow.restart_max, 0U);
}

TEST(Manifest, ReadsAFlowsPolicy) {
  const FlowConfig flow = parsed(with_project(R"([flow.main]
deadline = "250ms"
weight = 10000
priority = 0
restart = "on-failure"
restart_backoff = "1m"
restart_max = 12
)"))
                              .flows.at(0);
  EXPECT_EQ(flow.deadline_ns, 250 * ms_in_ns);
  EXPECT_EQ(flow.weight, 10'000U);
  EXPECT_EQ(flow.priority, 0U);
  EXPECT_TRUE(flow.restart_on_failure);
  EXPECT_EQ(flow.restart_backoff_ns, 60 * s_in_ns);
  EXPECT_EQ(flow.restart_max, 12U);
  EXPECT_FALSE(parsed(with_project("[flow.main]\nrestart = \"never\"\n")).flows.at(0).restart_on_failure);
}

StreamConfig stream_with(std::string_view lines) {
  const Manifest manifest =
      parsed(with_project("[[flow.main.edges]]\nfrom = \"a\"\nto = \"b\"\n" + std::string(lines)));
  return manifest.flows.empty() ? StreamConfig{} : manifest.flows[0].edges.at(0).stream;
}

TEST(Manifest, LeavesToTheRuntimeWhatAnEdgeDoesNotSay) {
  const StreamConfig stream = stream_with("");
  EXPECT_EQ(stream.queue_depth, std::nullopt);
  EXPECT_EQ(stream.queue_bytes, std::nullopt);
  EXPECT_EQ(stream.full_policy, std::nullopt);
  EXPECT_EQ(stream.low_watermark_ratio, std::nullopt);
}

TEST(Manifest, ReadsAnEdgesStream) {
  const StreamConfig stream = stream_with(R"(queue_depth = 1048576
queue_bytes = "4KiB"
backpressure_policy = "drop-oldest"
low_watermark_ratio = 0.25
)");
  EXPECT_EQ(stream.queue_depth, 1'048'576U);
  EXPECT_EQ(stream.queue_bytes, 4 * kib);
  EXPECT_EQ(stream.full_policy, FullPolicy::drop_oldest);
  EXPECT_EQ(stream.low_watermark_ratio, 0.25);
}

TEST(Manifest, ReadsEveryBackpressurePolicy) {
  const std::pair<const char*, FullPolicy> policies[] = {{"block", FullPolicy::block},
                                                         {"drop-oldest", FullPolicy::drop_oldest},
                                                         {"drop-newest", FullPolicy::drop_newest},
                                                         {"error", FullPolicy::error}};
  for (const auto& [name, policy] : policies) {
    EXPECT_EQ(stream_with("backpressure_policy = \"" + std::string(name) + "\"\n").full_policy, policy) << name;
  }
}

TEST(Manifest, TakesAWholeZeroForARatio) {
  EXPECT_EQ(stream_with("low_watermark_ratio = 0\n").low_watermark_ratio, 0.0);
  EXPECT_EQ(stream_with("low_watermark_ratio = 0.0\n").low_watermark_ratio, 0.0);
  EXPECT_EQ(stream_with("low_watermark_ratio = 0.999\n").low_watermark_ratio, 0.999);
}

TEST(Manifest, ReadsEdgesInEveryForm) {
  const Manifest manifest = parsed(with_project(R"(
[[flow.main.edges]]
from = "a"
to = "b.left"
[[flow.main.edges]]
from = { node = "b", port = "errors" }
to = { node = "c" }
)"));
  const std::vector<EdgeConfig>& edges = manifest.flows.at(0).edges;
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_EQ(edges[0].from_node, "a");
  EXPECT_EQ(edges[0].from_port, "output");
  EXPECT_EQ(edges[0].to_node, "b");
  EXPECT_EQ(edges[0].to_port, "left");
  EXPECT_EQ(edges[0].where.line, 6U);
  EXPECT_EQ(edges[0].from_where.line, 7U);
  EXPECT_EQ(edges[0].to_where.line, 8U);
  EXPECT_EQ(edges[1].from_node, "b");
  EXPECT_EQ(edges[1].from_port, "errors");
  EXPECT_EQ(edges[1].to_node, "c");
  EXPECT_EQ(edges[1].to_port, "input");
}

TEST(Manifest, LeavesTheRuntimeAtItsDefaults) {
  const RuntimeConfig runtime = parsed(project).runtime;
  EXPECT_EQ(runtime.max_memory_per_component_bytes, 64 * mib);
  EXPECT_EQ(runtime.max_log_bytes_per_s, 64 * kib);
  EXPECT_EQ(runtime.max_batch, 64U);
  EXPECT_TRUE(runtime.compile_cache);
  EXPECT_TRUE(runtime.pools.fallback_alloc);
  EXPECT_EQ(runtime.worker_threads, 0U);
  EXPECT_EQ(runtime.backpressure.queue_depth, 64U);
  EXPECT_EQ(runtime.backpressure.queue_bytes, 16 * mib);
  EXPECT_EQ(runtime.backpressure.full_policy, FullPolicy::block);
  EXPECT_EQ(runtime.backpressure.low_watermark_ratio, 0.5);
}

TEST(Manifest, ReadsEveryRuntimeSetting) {
  const RuntimeConfig runtime = parsed(with_project(R"(
[runtime]
max_memory_per_component = "128MiB"
max_handles = 17
max_host_buffers = "32MiB"
max_log = "1KiB/s"
invocation_timeout = "2s"
component_init_timeout = "7s"
component_teardown_timeout = "300ms"
max_batch = 65536
max_batch_bytes = 4096
max_instances = 5
compile_cache = false
worker_threads = 1024
[runtime.backpressure]
default_queue_depth = 7
queue_bytes = "1MiB"
backpressure_policy = "drop-newest"
low_watermark_ratio = 0.75
[runtime.pools]
small_pool_size = 1
medium_pool_size = 2
large_pool_size = 3
huge_pool_size = 4
exhaustion_policy = "error"
[capabilities.torvyn]
max-buffer-size = "2MiB"
)"))
                                    .runtime;
  EXPECT_EQ(runtime.max_memory_per_component_bytes, 128 * mib);
  EXPECT_EQ(runtime.max_buffer_size_bytes, 2 * mib);
  EXPECT_EQ(runtime.max_handles, 17U);
  EXPECT_EQ(runtime.max_host_buffers_bytes, 32 * mib);
  EXPECT_EQ(runtime.max_log_bytes_per_s, kib);
  EXPECT_EQ(runtime.invocation_timeout_ns, 2 * s_in_ns);
  EXPECT_EQ(runtime.component_init_timeout_ns, 7 * s_in_ns);
  EXPECT_EQ(runtime.component_teardown_timeout_ns, 300 * ms_in_ns);
  EXPECT_EQ(runtime.max_batch, 65'536U);
  EXPECT_EQ(runtime.max_batch_bytes, 4'096U);
  EXPECT_EQ(runtime.max_instances, 5U);
  EXPECT_FALSE(runtime.compile_cache);
  EXPECT_EQ(runtime.pools.small_pool_size, 1U);
  EXPECT_EQ(runtime.pools.medium_pool_size, 2U);
  EXPECT_EQ(runtime.pools.large_pool_size, 3U);
  EXPECT_EQ(runtime.pools.huge_pool_size, 4U);
  EXPECT_FALSE(runtime.pools.fallback_alloc);
  EXPECT_EQ(runtime.worker_threads, 1'024U);
  EXPECT_EQ(runtime.backpressure.queue_depth, 7U);
  EXPECT_EQ(runtime.backpressure.queue_bytes, mib);
  EXPECT_EQ(runtime.backpressure.full_policy, FullPolicy::drop_newest);
  EXPECT_EQ(runtime.backpressure.low_watermark_ratio, 0.75);
}

TEST(Manifest, ReadsKeysWithTheirUnitInTheName) {
  const Manifest manifest = parsed(with_project(R"(
[runtime]
component_init_timeout_ms = 1500
invocation_timeout_s = 3
max_memory_per_component_bytes = 65536
max_log_bytes = 512
max_batch_bytes_bytes = 99
[flow.main]
timeout_s = 60
deadline_ms = 20
restart_backoff_ms = 1500
nodes.a = { component = "c", timeout_ms = 5, max_memory_bytes = 1024, retry_backoff_ms = 3, restart_window_s = 9 }
)"));
  EXPECT_EQ(manifest.runtime.component_init_timeout_ns, 1'500 * ms_in_ns);
  EXPECT_EQ(manifest.runtime.invocation_timeout_ns, 3 * s_in_ns);
  EXPECT_EQ(manifest.runtime.max_memory_per_component_bytes, 65'536U);
  EXPECT_EQ(manifest.runtime.max_log_bytes_per_s, 512U);
  EXPECT_EQ(manifest.runtime.max_batch_bytes, 99U);
  EXPECT_EQ(manifest.flows[0].timeout_ns, 60 * s_in_ns);
  EXPECT_EQ(manifest.flows[0].nodes[0].timeout_ns, 5 * ms_in_ns);
  EXPECT_EQ(manifest.flows[0].nodes[0].max_memory_bytes, 1'024U);
  EXPECT_EQ(manifest.flows[0].deadline_ns, 20 * ms_in_ns);
  EXPECT_EQ(manifest.flows[0].restart_backoff_ns, 1'500 * ms_in_ns);
  EXPECT_EQ(manifest.flows[0].nodes[0].retry_backoff_ns, 3 * ms_in_ns);
  EXPECT_EQ(manifest.flows[0].nodes[0].restart_window_ns, 9 * s_in_ns);
}

TEST(Manifest, TakesTheSmallerOfTwoMemoryLimits) {
  const auto memory = [](std::string_view runtime, std::string_view capability) {
    std::string text(project);
    if (!runtime.empty()) text += "[runtime]\nmax_memory_per_component = \"" + std::string(runtime) + "\"\n";
    if (!capability.empty()) text += "[capabilities.torvyn]\nmax-memory = \"" + std::string(capability) + "\"\n";
    return parsed(text).runtime.max_memory_per_component_bytes;
  };
  EXPECT_EQ(memory("", "128MiB"), 128 * mib);
  EXPECT_EQ(memory("32MiB", "128MiB"), 32 * mib);
  EXPECT_EQ(memory("128MiB", "32MiB"), 32 * mib);
}

TEST(Manifest, PointsAtAnUnknownKey) {
  const Error error = refused(with_project("[flow.main.nodes.upper]\n  componnet = \"./upper.wasm\"\n"));
  EXPECT_EQ(error.code(), ErrorCode::unknown_key);
  EXPECT_EQ(error.message(), "unknown key `componnet`, did you mean `component`?");
  EXPECT_EQ(error.detail().file, "Torvyn.toml");
  EXPECT_EQ(error.detail().line, 6U);
  EXPECT_EQ(error.detail().column, 3U);
  EXPECT_EQ(error.detail().source_line, "  componnet = \"./upper.wasm\"");
  EXPECT_EQ(error.detail().caret_length, 9U);
}

TEST(Manifest, NamesTheKeysThatThereAreWhereNoneIsNear) {
  const Error error = refused(with_project("[capabilities.torvyn]\nfavourite-colour = 1\n"));
  EXPECT_EQ(error.message(), "unknown key `favourite-colour` in `[capabilities.torvyn]`");
  EXPECT_EQ(error.hint(), "`[capabilities.torvyn]` may hold `max-buffer-size`, `max-memory` or `buffer-pool-access`");
  EXPECT_EQ(refused(with_project("[favourite-colour]\n")).message(), "unknown key `favourite-colour` in a manifest");
  EXPECT_EQ(refused(with_project("[runtime.backpressure]\nqueue_depth = 1\n")).hint(),
            "`[runtime.backpressure]` may hold `default_queue_depth`, `queue_bytes`, `backpressure_policy` or "
            "`low_watermark_ratio`");
}

TEST(Manifest, ReportsTheFirstErrorOfTheFile) {
  const Error error = refused(with_project("[runtime]\nzzz = 1\nmax_batch = 0\naaa = 1\n"));
  EXPECT_EQ(error.detail().line, 6U);
}

TEST(Manifest, AsksForANodesComponentAtTheNode) {
  const Error error =
      refused(with_project("[flow.main.nodes.upper]\ntimeout = \"1s\"\n[flow.main.nodes.b]\ncomponent = \"b\"\n"));
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_EQ(error.message(), "`[flow.main.nodes.upper]` has no `component`");
  EXPECT_EQ(error.hint(), "add component = \"./upper.wasm\"");
  EXPECT_EQ(error.detail().line, 5U);
  EXPECT_EQ(error.detail().column, 18U);
  EXPECT_EQ(error.detail().caret_length, 5U);
}

struct BadCase {
  const char* text;  // behind the project
  ErrorCode code;
  std::uint32_t line;
  std::uint32_t column;
  const char* message;  // a part of it
};

TEST(Manifest, RefusesWrongTypes) {
  const BadCase cases[] = {
      {"runtime = 5", ErrorCode::unknown_key, 5, 1, "unknown key `runtime`"},  // it is in [torvyn]
      {"[component]\nname = 'a'", ErrorCode::wrong_type, 5, 1, "`component` wants a list of tables, not a table"},
      {"[[runtime]]", ErrorCode::wrong_type, 5, 1, "`runtime` wants a table, not a list"},
      {"[flow]\nmain = 3", ErrorCode::wrong_type, 6, 1, "`[flow.main]` wants a table, not a whole number"},
      {"[flow.main]\nnodes = ['a']", ErrorCode::wrong_type, 6, 9, "`nodes` wants a table of tables, not a list"},
      {"[flow.main]\nedges = ['a']", ErrorCode::wrong_type, 6, 10, "`edges` wants a list of tables; this is text"},
      {"[flow.main]\ntimeout = 5", ErrorCode::wrong_type, 6, 11,
       "`timeout` wants a duration with its unit, not a whole number"},
      {"[flow.main]\ndescription = 5", ErrorCode::wrong_type, 6, 15, "`description` wants text, not a whole number"},
      {"[flow.main.nodes.a]\ncomponent = ['x']", ErrorCode::wrong_type, 6, 13, "wants text, not a list"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nconfig = 1.5", ErrorCode::wrong_type, 7, 10,
       "wants text or a table, not a number with a fraction"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_error = true", ErrorCode::wrong_type, 7, 12, "not true or false"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nmax_memory = 1.5", ErrorCode::wrong_type, 7, 14, "wants a size"},
      {"[runtime]\nmax_batch = '64'", ErrorCode::wrong_type, 6, 13, "`max_batch` wants a whole number, not text"},
      {"[runtime]\nmax_batch = 1.0", ErrorCode::wrong_type, 6, 13, "not a number with a fraction"},
      {"[runtime]\ncompile_cache = 'yes'", ErrorCode::wrong_type, 6, 17,
       "`compile_cache` wants true or false, not text"},
      {"[runtime]\ninvocation_timeout_ms = '5'", ErrorCode::wrong_type, 6, 25, "wants a whole number, not text"},
      {"[runtime]\ninvocation_timeout = 07:32:00", ErrorCode::wrong_type, 6, 22, "not a date or time"},
      {"[flow.main]\ndeadline = 5", ErrorCode::wrong_type, 6, 12, "`deadline` wants a duration with its unit"},
      {"[flow.main]\nrestart = true", ErrorCode::wrong_type, 6, 11, "`restart` wants text, not true or false"},
      {"[flow.main]\nweight = '2'", ErrorCode::wrong_type, 6, 10, "`weight` wants a whole number, not text"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_trap = 1", ErrorCode::wrong_type, 7, 11, "`on_trap` wants text"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\ndead_letter = ['d']", ErrorCode::wrong_type, 7, 15,
       "`dead_letter` wants text, not a list"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_error = { internal = 1 }", ErrorCode::wrong_type, 7, 25,
       "`internal` wants text, not a whole number"},
      {"[[flow.main.edges]]\nlow_watermark_ratio = '0.5'\nfrom = 'a'\nto = 'b'", ErrorCode::wrong_type, 6, 23,
       "`low_watermark_ratio` wants a number, not text"},
      {"[[flow.main.edges]]\nqueue_depth = 1.5\nfrom = 'a'\nto = 'b'", ErrorCode::wrong_type, 6, 15,
       "`queue_depth` wants a whole number, not a number with a fraction"},
      {"[runtime]\nbackpressure = 'block'", ErrorCode::wrong_type, 6, 16, "`backpressure` wants a table, not text"},
      {"[runtime]\npools = 5", ErrorCode::wrong_type, 6, 9, "`pools` wants a table, not a whole number"},
      {"authors = 'me'", ErrorCode::wrong_type, 5, 11, "`authors` wants a list of texts, not text"},
      {"authors = ['me', 5]", ErrorCode::wrong_type, 5, 11, "wants a list of texts"},
      {"[[component]]\nname = 'a'", ErrorCode::wrong_type, 5, 1, "`[[component]]` has no `path`"},
      {"[[component]]\npath = 'a'", ErrorCode::wrong_type, 5, 1, "`[[component]]` has no `name`"},
      {"[[flow.main.edges]]\nfrom = 'a'", ErrorCode::wrong_type, 5, 1, "`[[flow.main.edges]]` has no `to`"},
      {"[[flow.main.edges]]\nto = 'a'\nfrom = { port = 'x' }", ErrorCode::wrong_type, 7, 1,
       "`[flow.main.edges.from]` has no `node`"},
  };
  for (const BadCase& bad : cases) {
    const Error error = refused(with_project(bad.text));
    EXPECT_EQ(error.code(), bad.code) << bad.text << error.to_string();
    EXPECT_EQ(error.detail().line, bad.line) << bad.text;
    EXPECT_EQ(error.detail().column, bad.column) << bad.text;
    EXPECT_THAT(error.message(), HasSubstr(bad.message)) << bad.text;
    EXPECT_NE(error.hint(), "") << bad.text;
  }
}

TEST(Manifest, RefusesValuesOutOfRange) {
  const BadCase cases[] = {
      {"[runtime]\nmax_batch = 0", ErrorCode::out_of_range, 6, 13, "`max_batch` is 0; it must be 1 to 65536"},
      {"[runtime]\nmax_batch = 65537", ErrorCode::out_of_range, 6, 13, "`max_batch` is 65537"},
      {"[runtime]\nmax_batch = -1", ErrorCode::out_of_range, 6, 13, "`max_batch` is negative"},
      {"[runtime]\nmax_handles = 65537", ErrorCode::out_of_range, 6, 15, "it must be 1 to 65536"},
      {"[runtime]\nmax_instances = 0", ErrorCode::out_of_range, 6, 17, "`max_instances` is 0"},
      {"[runtime]\nmax_host_buffers = '0MiB'", ErrorCode::out_of_range, 6, 20,
       "`max_host_buffers` is 0 B; it must be 1 B to 1 TiB"},
      {"[runtime]\nmax_host_buffers = -5", ErrorCode::out_of_range, 6, 20, "is negative"},
      {"[runtime]\nmax_memory_per_component = '5GiB'", ErrorCode::out_of_range, 6, 28,
       "is 5 GiB; it must be 1 B to 4 GiB"},
      {"[runtime]\nmax_memory_per_component = '64mb'", ErrorCode::out_of_range, 6, 28, "did you mean `MB`?"},
      {"[runtime]\nmax_log = '0/s'", ErrorCode::out_of_range, 6, 11, "`max_log` is 0 B/s"},
      {"[runtime]\nmax_log = '64KiB/h'", ErrorCode::out_of_range, 6, 11, "unknown unit"},
      {"[runtime]\ninvocation_timeout = '0s'", ErrorCode::out_of_range, 6, 22, "`invocation_timeout` is 0 s"},
      {"[runtime]\ninvocation_timeout = '25h'", ErrorCode::out_of_range, 6, 22, "it must be 0.001 µs to 24 h"},
      {"[runtime]\ninvocation_timeout = '5'", ErrorCode::out_of_range, 6, 22, "`5` has no unit"},
      {"[runtime]\ninvocation_timeout_s = 9223372036854775807", ErrorCode::out_of_range, 6, 24, "it must be"},
      {"[runtime]\ninvocation_timeout_s = -1", ErrorCode::out_of_range, 6, 24, "is negative"},
      {"[runtime]\ninvocation_timeout = '1s'\ninvocation_timeout_ms = 5", ErrorCode::out_of_range, 7, 1,
       "`invocation_timeout_ms` sets `invocation_timeout` a second time"},
      {"[runtime.pools]\nsmall_pool_size = 0", ErrorCode::out_of_range, 6, 19, "`small_pool_size` is 0"},
      {"[runtime.pools]\nexhaustion_policy = 'fallback_alloc'", ErrorCode::out_of_range, 6, 21,
       "did you mean `fallback-alloc`?"},
      {"[capabilities.torvyn]\nmax-buffer-size = '0'", ErrorCode::out_of_range, 6, 19, "`max-buffer-size` is 0 B"},
      {"[[component]]\nname = 'a b'\npath = 'x'", ErrorCode::out_of_range, 6, 8, "`a b` is not a name"},
      {"[[component]]\nname = 'a'\npath = ''", ErrorCode::out_of_range, 7, 8, "`path` is empty"},
      {"[[component]]\nname = 'a'\npath = \"x\\u0000\"", ErrorCode::out_of_range, 7, 8, "NUL byte"},
      {"[[component]]\nname = 'a'\npath = 'x'\nlanguage = 'cobol'", ErrorCode::out_of_range, 8, 12,
       "`language` cannot be `cobol`"},
      {"[[component]]\nname = 'a'\npath = 'x'\n[[component]]\nname = 'a'\npath = 'y'", ErrorCode::out_of_range, 9, 8,
       "two components are called `a`; the other one is in line 6"},
      {"[flow.'a.b']", ErrorCode::out_of_range, 5, 7, "`a.b` is not a name"},
      {"[flow.main.nodes.'']\ncomponent = 'x'", ErrorCode::out_of_range, 5, 18, "`` is not a name"},
      {"[flow.main.nodes.a]\ncomponent = ''", ErrorCode::out_of_range, 6, 13, "`component` is empty"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_error = 'skp'", ErrorCode::out_of_range, 7, 12,
       "did you mean `skip`?"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_error = { internal = 'rety' }", ErrorCode::out_of_range, 7, 25,
       "`internal` cannot be `rety`, did you mean `retry`?"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_error = 'dead_letter'", ErrorCode::out_of_range, 7, 12,
       "did you mean `dead-letter`?"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nretries = 1001", ErrorCode::out_of_range, 7, 11,
       "`retries` is 1001; it must be 0 to 1000"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nretries = -1", ErrorCode::out_of_range, 7, 11, "is negative"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nretry_backoff = '25h'", ErrorCode::out_of_range, 7, 17,
       "it must be 0 s to 24 h"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\ndead_letter = 'd.input'", ErrorCode::out_of_range, 7, 15,
       "`d.input` is not a name"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\ndead_letter = ''", ErrorCode::out_of_range, 7, 15, "`` is not a name"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\non_trap = 'skip'", ErrorCode::out_of_range, 7, 11,
       "`on_trap` cannot be `skip`"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nrestarts = 0", ErrorCode::out_of_range, 7, 12,
       "`restarts` is 0; it must be 1 to 1000"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nrestart_window = '0s'", ErrorCode::out_of_range, 7, 18,
       "`restart_window` is 0 s"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\ninstances = 0", ErrorCode::out_of_range, 7, 13,
       "`instances` is 0; it must be 1 to 256"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\ninstances = 257", ErrorCode::out_of_range, 7, 13, "`instances` is 257"},
      {"[flow.main]\ndeadline = '0ms'", ErrorCode::out_of_range, 6, 12, "`deadline` is 0 s"},
      {"[flow.main]\nweight = 0", ErrorCode::out_of_range, 6, 10, "`weight` is 0; it must be 1 to 10000"},
      {"[flow.main]\nweight = 10001", ErrorCode::out_of_range, 6, 10, "`weight` is 10001"},
      {"[flow.main]\npriority = 11", ErrorCode::out_of_range, 6, 12, "`priority` is 11; it must be 0 to 10"},
      {"[flow.main]\nrestart = 'always'", ErrorCode::out_of_range, 6, 11, "`restart` cannot be `always`"},
      {"[flow.main]\nrestart_backoff = '2m'", ErrorCode::out_of_range, 6, 19, "it must be 1 ms to 1 min"},
      {"[flow.main]\nrestart_backoff = '0s'", ErrorCode::out_of_range, 6, 19, "`restart_backoff` is 0 s"},
      {"[flow.main]\nrestart_max = 1000001", ErrorCode::out_of_range, 6, 15, "it must be 0 to 1000000"},
      {"[[flow.main.edges]]\nqueue_depth = 0\nfrom = 'a'\nto = 'b'", ErrorCode::out_of_range, 6, 15,
       "`queue_depth` is 0; it must be 1 to 1048576"},
      {"[[flow.main.edges]]\nqueue_depth = 1048577\nfrom = 'a'\nto = 'b'", ErrorCode::out_of_range, 6, 15,
       "`queue_depth` is 1048577"},
      {"[[flow.main.edges]]\nqueue_bytes = 0\nfrom = 'a'\nto = 'b'", ErrorCode::out_of_range, 6, 15,
       "`queue_bytes` is 0 B"},
      {"[[flow.main.edges]]\nbackpressure_policy = 'drop_oldest'\nfrom = 'a'\nto = 'b'", ErrorCode::out_of_range, 6, 23,
       "did you mean `drop-oldest`?"},
      {"[[flow.main.edges]]\nlow_watermark_ratio = 1\nfrom = 'a'\nto = 'b'", ErrorCode::out_of_range, 6, 23,
       "`low_watermark_ratio` is 1; it must be from 0.0 to below 1.0"},
      {"[runtime]\nworker_threads = 1025", ErrorCode::out_of_range, 6, 18,
       "`worker_threads` is 1025; it must be 0 to 1024"},
      {"[runtime.backpressure]\ndefault_queue_depth = 0", ErrorCode::out_of_range, 6, 23, "`default_queue_depth` is 0"},
      {"[runtime.backpressure]\nlow_watermark_ratio = 1.0", ErrorCode::out_of_range, 6, 23, "is 1; it must be"},
      {"[runtime.backpressure]\nlow_watermark_ratio = -0.1", ErrorCode::out_of_range, 6, 23, "is -0.1; it must be"},
      {"[runtime.backpressure]\nlow_watermark_ratio = -1", ErrorCode::out_of_range, 6, 23, "is -1; it must be"},
      {"[runtime.backpressure]\nlow_watermark_ratio = nan", ErrorCode::out_of_range, 6, 23, "is nan; it must be"},
      {"[runtime.backpressure]\nlow_watermark_ratio = inf", ErrorCode::out_of_range, 6, 23, "is inf; it must be"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nconfig = { a = [inf] }", ErrorCode::out_of_range, 7, 17, "infinity"},
      {"[[flow.main.edges]]\nfrom = 'a.b.c'\nto = 'd'", ErrorCode::out_of_range, 6, 8, "`a.b.c` is no end of an edge"},
      {"[[flow.main.edges]]\nfrom = 'a'\nto = '.x'", ErrorCode::out_of_range, 7, 6, "`.x` is no end of an edge"},
      {"[[flow.main.edges]]\nfrom = 'a.'\nto = 'x'", ErrorCode::out_of_range, 6, 8, "`a.` is no end of an edge"},
  };
  for (const BadCase& bad : cases) {
    const Error error = refused(with_project(bad.text));
    EXPECT_EQ(error.code(), bad.code) << bad.text << error.to_string();
    EXPECT_EQ(error.detail().line, bad.line) << bad.text;
    EXPECT_EQ(error.detail().column, bad.column) << bad.text;
    EXPECT_THAT(error.message(), HasSubstr(bad.message)) << bad.text;
    EXPECT_NE(error.hint(), "") << bad.text;
    EXPECT_NE(error.detail().source_line, "") << bad.text;
  }
}

TEST(Manifest, ShowsHowATimeWithoutItsUnitIsWritten) {
  EXPECT_EQ(refused(with_project("[runtime]\ninvocation_timeout = 250\n")).hint(),
            "write invocation_timeout = \"1s\" or invocation_timeout_ms = 250");
}

TEST(Manifest, WantsItsProjectSection) {
  const Error error = refused("");
  EXPECT_EQ(error.code(), ErrorCode::wrong_type);
  EXPECT_EQ(error.message(), "there is no `[torvyn]` section");
  EXPECT_EQ(error.detail().line, 1U);
  EXPECT_EQ(refused("[torvyn]\nname = 'x'\nversion = '1.0.0'\n").message(), "`[torvyn]` has no `contract_version`");
  EXPECT_EQ(refused("[torvyn]\nversion = '1.0.0'\n").message(), "`[torvyn]` has no `name`");
  EXPECT_THAT(refused("[torvyn]\nname = 'My Project'\n").message(), HasSubstr("is not a project name"));
  EXPECT_THAT(refused("[torvyn]\nname = 'x'\nversion = '1.0'\n").message(), HasSubstr("is not a version"));
}

TEST(Manifest, RunsItsOwnContractVersionOnly) {
  for (const char* version : {"0.2.0", "1.0.0", "0.0.1", "0.10.0", "1.0.1"}) {
    const Error error =
        refused(std::string("[torvyn]\nname = 'x'\nversion = '1.0.0'\ncontract_version = '") + version + "'\n");
    EXPECT_EQ(error.code(), ErrorCode::version_incompatible) << version;
    EXPECT_THAT(error.message(), HasSubstr(version));
    EXPECT_EQ(error.detail().line, 4U);
    EXPECT_EQ(error.detail().column, 20U);
  }
  EXPECT_EQ(refused("[torvyn]\nname = 'x'\nversion = '1.0.0'\ncontract_version = '0.1'\n").code(),
            ErrorCode::out_of_range);
}

TEST(Manifest, PassesSyntaxErrorsOnWithTheirPlace) {
  const Error error = refused(with_project("[flow.main\n"));
  EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(error.detail().line, 5U);
  EXPECT_EQ(error.detail().source_line, "[flow.main");
}

TEST(Manifest, RefusesNodesDefinedTwice) {
  const Error error = refused(with_project("[flow.a.nodes.n]\ncomponent = 'x'\n[flow.a.nodes.n]\ncomponent = 'y'\n"));
  EXPECT_EQ(error.code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(error.detail().line, 7U);
}

TEST(Manifest, CopesWithVeryManyComponents) {
  std::string text(project);
  for (int i = 0; i < 50'000; ++i) text += "[[component]]\nname = 'n" + std::to_string(i) + "'\npath = 'p'\n";
  EXPECT_EQ(parsed(text).components.size(), 50'000U);
}

// A folder of its own, removed at the end.
class LoadManifest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "torvyn-manifest-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(std::string_view text) const {
    std::filesystem::path path = folder_ / "Torvyn.toml";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static Error refused(const std::filesystem::path& path) {
    const Result<Manifest> manifest = load_manifest(path);
    EXPECT_FALSE(manifest.has_value());
    if (manifest) return Error(ErrorCode::internal_error, "was read");
    EXPECT_EQ(manifest.error().detail().file, path.string());
    return manifest.error();
  }

  std::filesystem::path folder_;
};

TEST_F(LoadManifest, ReadsAFile) {
  const std::filesystem::path path = write(project);
  const Result<Manifest> manifest = load_manifest(path);
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->name, "x");
  EXPECT_EQ(manifest->path, path);
  EXPECT_EQ(manifest->directory, folder_);
}

TEST_F(LoadManifest, SaysThatThereIsNone) {
  EXPECT_EQ(refused(folder_ / "Torvyn.toml").code(), ErrorCode::manifest_not_found);
  EXPECT_EQ(refused(folder_ / "no" / "folder.toml").code(), ErrorCode::manifest_not_found);
  EXPECT_EQ(refused(write(project) / "below-a-file").code(), ErrorCode::manifest_not_found);
}

TEST_F(LoadManifest, RefusesAFolder) {
  const Error error = refused(folder_);
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_THAT(error.message(), HasSubstr("is a folder"));
  EXPECT_THAT(error.hint(), HasSubstr("Torvyn.toml"));
}

TEST_F(LoadManifest, SaysWhyAFileCannotBeOpened) {
  const std::filesystem::path path = folder_ / "loop.toml";
  std::filesystem::create_symlink(path, path);
  const Error error = refused(path);
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_THAT(error.message(), HasSubstr("symbolic links"));
}

TEST_F(LoadManifest, RefusesAHugeFile) {
  const std::string filling(manifest_bytes_max - project.size() - 1, ' ');
  ASSERT_TRUE(load_manifest(write(std::string(project) + filling + "\n")).has_value());
  const Error error = refused(write(std::string(project) + filling + " \n"));
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_THAT(error.message(), HasSubstr("4 MiB"));
}

TEST_F(LoadManifest, SaysWhyAFileCannotBeRead) {
  // Opens, and fails when it is read, whoever asks.
  const Error error = refused("/proc/self/mem");
  EXPECT_EQ(error.code(), ErrorCode::io_failed);
  EXPECT_EQ(error.detail().file, "/proc/self/mem");
}

TEST_F(LoadManifest, GivesTheRuntimeAlone) {
  const auto runtime_of = [&](std::string_view text) { return RuntimeConfig::from_file(write(text)); };
  const Result<RuntimeConfig> of_project = runtime_of(with_project("[runtime]\nmax_batch = 7\n[flow.main]\n"));
  ASSERT_TRUE(of_project.has_value());
  EXPECT_EQ(of_project->max_batch, 7U);
  const Result<RuntimeConfig> of_settings = runtime_of("[runtime]\nmax_batch = 8\n");
  ASSERT_TRUE(of_settings.has_value());
  EXPECT_EQ(of_settings->max_batch, 8U);
  EXPECT_EQ(runtime_of("").value(), RuntimeConfig{});
  EXPECT_EQ(runtime_of("[runtime]\nmax_batch = 0\n").error().detail().line, 2U);
  EXPECT_EQ(runtime_of("[torvyn]\nname = 'x'\n").error().code(), ErrorCode::wrong_type);
  EXPECT_EQ(RuntimeConfig::from_file(folder_ / "absent").error().code(), ErrorCode::manifest_not_found);
}

TEST(Manifest, ReadsWhatSurroundsTheRuntime) {
  const Manifest manifest = parsed(with_project(R"(
[runtime]
max_memory = "2GiB"
max_cpu = 0.5
fuel_per_invocation = 1000
drain_timeout = "3s"
[observability]
level = "diagnostic"
tracing_enabled = false
tracing_exporter = "otlp-http"
tracing_endpoint = "http://127.0.0.1:4318"
sample_rate = 1
error_promote = false
latency_promote_threshold = "5ms"
metrics_enabled = false
prometheus_enabled = false
otlp_metrics_enabled = true
otlp_metrics_interval = "1m"
ring_buffer_capacity = 128
listen = "[::1]:9464"
[api]
socket_mode = 0o660
socket_group = "ops"
listen = "0.0.0.0:9465"
token_file = "token"
tls_cert = "cert.pem"
tls_key = "key.pem"
[log]
format = "json"
target = "torvyn.log"
filter = "warn"
[security]
default_capability_policy = "deny-all"
default_grants = []
strict_imports = true
audit_enabled = false
audit_target = "event-sink"
audit_path = "audit.jsonl"
audit_size = "1MiB"
audit_keep = 2
audit_on_failure = "stop"
[security.grants."upper.wasm"]
capabilities = ["environment:HOME", "wasi:filesystem/read:/data"]
[security.grants."sha256:12ab"]
[registry]
default = "registry.example.org"
[capabilities.required]
clocks = true
random = false
[capabilities.optional]
"wasi:filesystem/read" = true
)"));
  EXPECT_EQ(manifest.runtime.max_memory_bytes, 2 * gib);
  EXPECT_EQ(manifest.runtime.max_cpu, 0.5);
  EXPECT_EQ(manifest.runtime.fuel_per_invocation, 1'000U);
  EXPECT_EQ(manifest.runtime.drain_timeout_ns, 3 * s_in_ns);
  const ObservabilityConfig& observability = manifest.observability;
  EXPECT_EQ(observability.level, ObservabilityLevel::diagnostic);
  EXPECT_FALSE(observability.tracing_enabled);
  EXPECT_EQ(observability.tracing_exporter, TracingExporter::otlp_http);
  EXPECT_EQ(observability.tracing_endpoint, "http://127.0.0.1:4318");
  EXPECT_EQ(observability.sample_rate, 1.0);
  EXPECT_FALSE(observability.error_promote);
  EXPECT_EQ(observability.latency_promote_threshold_ns, 5 * ms_in_ns);
  EXPECT_FALSE(observability.metrics_enabled);
  EXPECT_FALSE(observability.prometheus_enabled);
  EXPECT_TRUE(observability.otlp_metrics_enabled);
  EXPECT_EQ(observability.otlp_metrics_interval_ns, 60 * s_in_ns);
  EXPECT_EQ(observability.ring_buffer_capacity, 128U);
  EXPECT_EQ(observability.listen, "[::1]:9464");
  EXPECT_EQ(manifest.api, (ApiConfig{.socket_mode = 0660,
                                     .socket_group = "ops",
                                     .listen = "0.0.0.0:9465",
                                     .token_file = "token",
                                     .tls_cert = "cert.pem",
                                     .tls_key = "key.pem"}));
  EXPECT_EQ(manifest.log, (LogConfig{.format = LogFormat::json, .target = "torvyn.log", .filter = Severity::warn}));
  const SecurityConfig& security = manifest.security;
  EXPECT_TRUE(security.default_grants.empty());
  EXPECT_TRUE(security.strict_imports);
  EXPECT_FALSE(security.audit_enabled);
  EXPECT_EQ(security.audit_target, AuditTarget::event_sink);
  EXPECT_EQ(security.audit_path, "audit.jsonl");
  EXPECT_EQ(security.audit_size_bytes, mib);
  EXPECT_EQ(security.audit_keep, 2U);
  EXPECT_TRUE(security.audit_stops_on_failure);
  ASSERT_EQ(security.grants.size(), 2U);
  EXPECT_EQ(security.grants[0].component, "upper.wasm");
  EXPECT_THAT(security.grants[0].capabilities,
              ElementsAre(Capability{"environment", "HOME"}, Capability{"filesystem-read", "/data"}));
  EXPECT_EQ(security.grants[1].component, "sha256:12ab");
  EXPECT_EQ(manifest.registry.default_registry, "registry.example.org");
  EXPECT_THAT(manifest.required_capabilities, ElementsAre(Capability{"clocks", ""}));
  EXPECT_THAT(manifest.optional_capabilities, ElementsAre(Capability{"filesystem-read", ""}));
}

TEST(Manifest, ReadsAllThatAComponentAFlowAndANodeMayBeTold) {
  const Manifest manifest = parsed(with_project(R"(
[[component]]
name = "upper"
path = "upper.py"
language = "python"
build_command = "make upper.wasm"
requires = ["clocks"]
accepts = ["text/*", "application/json"]
produces = ["text/plain"]
[flow.main]
autostart = false
level = "off"
[flow.main.nodes.n]
component = "upper"
interface = "torvyn:streaming/processor"
max_cpu = 0.25
max_log = "1KiB/s"
max_handles = 7
max_host_buffers = "1MiB"
grants = ["environment"]
)"));
  const ComponentConfig& component = manifest.components.at(0);
  EXPECT_EQ(component.language, "python");
  EXPECT_EQ(component.build_command, "make upper.wasm");
  EXPECT_THAT(component.required_capabilities, ElementsAre(Capability{"clocks", ""}));
  EXPECT_THAT(component.accepts, ElementsAre("text/*", "application/json"));
  EXPECT_THAT(component.produces, ElementsAre("text/plain"));
  const FlowConfig& flow = manifest.flows.at(0);
  EXPECT_FALSE(flow.autostart);
  EXPECT_EQ(flow.level, ObservabilityLevel::off);
  const NodeConfig& node = flow.nodes.at(0);
  EXPECT_EQ(node.interface, "torvyn:streaming/processor");
  EXPECT_EQ(node.max_cpu, 0.25);
  EXPECT_EQ(node.max_log_bytes_per_s, kib);
  EXPECT_EQ(node.max_handles, 7U);
  EXPECT_EQ(node.max_host_buffers_bytes, mib);
  EXPECT_THAT(node.grants, ElementsAre(Capability{"environment", ""}));
}

TEST(Manifest, PointsAtMistakesInWhatSurroundsTheRuntime) {
  const BadCase cases[] = {
      {"[observability]\nlevle = 'off'", ErrorCode::unknown_key, 6, 1, "did you mean `level`?"},
      {"[observabilty]", ErrorCode::unknown_key, 5, 2, "did you mean `observability`?"},
      {"[observability]\nlevel = 'productoin'", ErrorCode::out_of_range, 6, 9, "did you mean `production`?"},
      {"[observability]\nsample_rate = 1.01", ErrorCode::out_of_range, 6, 15, "is 1.01; it must be 0.0 to 1.0"},
      {"[observability]\nsample_rate = nan", ErrorCode::out_of_range, 6, 15, "is nan; it must be"},
      {"[observability]\nsample_rate = '1%'", ErrorCode::wrong_type, 6, 15, "wants a number, not text"},
      {"[observability]\nlisten = 'localhost'", ErrorCode::out_of_range, 6, 10, "is not an address"},
      {"[observability]\nlisten = ':80'", ErrorCode::out_of_range, 6, 10, "is not an address"},
      {"[observability]\nlisten = 'a:65536'", ErrorCode::out_of_range, 6, 10, "is not an address"},
      {"[observability]\nring_buffer_capacity = 0", ErrorCode::out_of_range, 6, 24, "it must be 1 to 65536"},
      {"[api]\nsocket_mode = '0888'", ErrorCode::out_of_range, 6, 15,
       "`socket_mode` is 0888, which are no permissions"},
      {"[api]\nsocket_mode = '01777'", ErrorCode::out_of_range, 6, 15, "no permissions from 0000 to 0777"},
      {"[api]\nsocket_mode = 600", ErrorCode::out_of_range, 6, 15, "`socket_mode` is 1130, which are no permissions"},
      {"[api]\nsocket_mode = true", ErrorCode::wrong_type, 6, 15, "wants permissions, not true or false"},
      {"[api]\nlisten = '0.0.0.0:1'", ErrorCode::out_of_range, 6, 10, "from other machines, and there is no token"},
      {"[api]\nlisten = '127.0.0.1.example.org:1'", ErrorCode::out_of_range, 6, 10, "there is no token"},
      {"[api]\ntls_key = 'k'", ErrorCode::out_of_range, 6, 11, "there is a `tls_key` and no `tls_cert`"},
      {"[log]\ntarget = ''", ErrorCode::out_of_range, 6, 10, "`target` is empty"},
      {"[security]\ndefault_capability_policy = 'allow-all'", ErrorCode::out_of_range, 6, 29, "cannot be `allow-all`"},
      {"[security]\ndefault_grants = ['clocks', 'randm']", ErrorCode::out_of_range, 6, 29, "did you mean `random`?"},
      {"[security]\ndefault_grants = 'clocks'", ErrorCode::wrong_type, 6, 18, "wants a list of texts, not text"},
      {"[security.grants]\ncapabilities = ['clocks']", ErrorCode::wrong_type, 6, 1, "wants a table, not a list"},
      {"[security.grants.'']", ErrorCode::out_of_range, 5, 18, "is not a name"},
      {"[security.grants.a]\ncapabilities = ['stdio:']", ErrorCode::out_of_range, 6, 17, "no scope behind its colon"},
      {"[capabilities.required]\nclock = true", ErrorCode::out_of_range, 6, 1, "did you mean `clocks`?"},
      {"[capabilities.required]\nclocks = 1", ErrorCode::wrong_type, 6, 10, "`clocks` wants true or false"},
      {"[capabilities]\nrequired = ['clocks']", ErrorCode::wrong_type, 6, 12,
       "wants a table of capabilities, not a list"},
      {"[[component]]\nname = 'a'\npath = 'b'\naccepts = ['json']", ErrorCode::out_of_range, 8, 12,
       "`json` is not a content type"},
      {"[flow.main.nodes.a]\ncomponent = 'x'\nmax_cpu = 0", ErrorCode::out_of_range, 7, 11,
       "`max_cpu` is 0; it must be above 0.0 to 1.0"},
      {"[runtime]\nmax_cpu = -0.5", ErrorCode::out_of_range, 6, 11, "`max_cpu` is -0.5"},
      {"[ceilings]\nmax_memory = '1GiB'", ErrorCode::unknown_key, 5, 2, "is for the machine's configuration alone"},
  };
  for (const BadCase& bad : cases) {
    const Error error = refused(with_project(bad.text));
    EXPECT_EQ(error.code(), bad.code) << bad.text << error.to_string();
    EXPECT_EQ(error.detail().line, bad.line) << bad.text;
    EXPECT_EQ(error.detail().column, bad.column) << bad.text;
    EXPECT_THAT(error.message(), HasSubstr(bad.message)) << bad.text;
  }
}

// What editors, copies and broken disks leave behind.
TEST(Manifest, StandsHostileTexts) {
  std::string with_crlf(project);
  for (std::size_t at = with_crlf.find('\n'); at != std::string::npos; at = with_crlf.find('\n', at + 2))
    with_crlf.insert(at, "\r");
  EXPECT_EQ(parsed(with_crlf).name, "x");
  const Error in_crlf = refused(with_crlf + "[runtime]\r\nmax_batch = 0\r\n");
  EXPECT_EQ(in_crlf.detail().line, 6U);
  EXPECT_EQ(in_crlf.detail().source_line, "max_batch = 0");
  EXPECT_EQ(parsed("\xEF\xBB\xBF" + std::string(project)).name, "x");
  EXPECT_EQ(refused("\xEF\xBB\xBF[torvyn]\nname = 5\n").detail().column, 8U);

  EXPECT_EQ(refused(with_project("[runtime]\nmax_batch = 1\nmax_batch = 2\n")).code(), ErrorCode::manifest_not_toml);
  EXPECT_EQ(refused(with_project("[runtime]\n[runtime]\n")).detail().line, 6U);
  for (const std::string_view text :
       {std::string_view("\0", 1), std::string_view("[torvyn]\nname = \"a\0b\"\n", 22), std::string_view("\xff\xfe"),
        std::string_view("[torvyn]\nname = \"\xc3\x28\"\n"), std::string_view("\xEF\xBB")}) {
    EXPECT_EQ(refused(text).code(), ErrorCode::manifest_not_toml) << text;
  }
  const std::string deep =
      with_project("[flow.main.nodes.n]\ncomponent = 'c'\nconfig = { a = " + std::string(5'000, '[') + "\n");
  EXPECT_EQ(refused(deep).code(), ErrorCode::manifest_not_toml);

  // However it is cut off, it is read or refused.
  const std::string whole = with_project(
      "[runtime]\nmax_log = \"1KiB/s\"\n[flow.main.nodes.n]\ncomponent = \"c\"\nconfig = { a = [1, 'b'] }\n");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Result<Manifest> manifest = parse_manifest(std::string_view(whole).substr(0, length), "Torvyn.toml");
    EXPECT_TRUE(manifest.has_value() || manifest.error().detail().file == "Torvyn.toml") << length;
  }
}

}  // namespace
}  // namespace torvyn::config
