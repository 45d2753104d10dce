#include "torvyn/observability/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torvyn::observability {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Prometheus, TellsOfFlowsStagesStreamsAndPools) {
  FlowReport report;
  report.name = "main";
  report.fates.pulled = 5;
  report.fates.fates[static_cast<std::size_t>(Fate::delivered)] = 5;
  Histogram latency;
  latency.record(1'500, 5);
  report.latency = latency.counts();
  report.stages.resize(1);
  report.stages[0].node = "upper";
  report.stages[0].component = "upper.wasm";
  report.stages[0].elements_in = 5;
  report.streams.push_back({.from = "in.output", .to = "upper.input", .transferred = 5, .depth = 2, .depth_max = 4});
  SystemMetrics system{.flows_active = 1, .scheduler_idle_ns = 2'500'000'000, .pools = {}};
  system.pools.tiers[1].reused = 7;
  const std::string text = prometheus_text({&report, 1}, system);

  EXPECT_THAT(text, HasSubstr("# TYPE torvyn_flow_elements_total counter\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_flow_elements_total{flow=\"main\",outcome=\"delivered\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_flow_state{flow=\"main\",state=\"running\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_flow_state{flow=\"main\",state=\"failed\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE torvyn_flow_latency_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_flow_latency_seconds_count{flow=\"main\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_flow_latency_seconds_bucket{flow=\"main\",le=\"+Inf\"} 5\n"));
  EXPECT_THAT(
      text, HasSubstr("torvyn_component_invocations_total{flow=\"main\",node=\"upper\",component=\"upper.wasm\"} 5\n"));
  EXPECT_THAT(text,
              HasSubstr("torvyn_stream_queue_current_depth{flow=\"main\",stream=\"in.output->upper.input\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_pool_reused_total{tier=\"medium\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("torvyn_system_scheduler_idle_seconds_total 2.5\n"));
}

TEST(Prometheus, SaysNothingOfFlowsThatAreNotThere) {
  const std::string text = prometheus_text({}, {});
  EXPECT_THAT(text, Not(HasSubstr("torvyn_flow_")));
  EXPECT_THAT(text, HasSubstr("torvyn_system_flows_active 0\n"));
}

TEST(Prometheus, EscapesWhatANameMayHold) {
  FlowReport report;
  report.name = "a\"b\\c\nd";
  EXPECT_THAT(prometheus_text({&report, 1}, {}), HasSubstr(R"({flow="a\"b\\c\nd"})"));
}

}  // namespace
}  // namespace torvyn::observability
