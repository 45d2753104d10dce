#include "torvyn/observability/prometheus.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <sstream>
#include <string_view>
#include <utility>

namespace torvyn::observability {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::array all_fates = {Fate::delivered, Fate::filtered,      Fate::absorbed, Fate::skipped,
                                  Fate::dropped,   Fate::dead_lettered, Fate::failed,   Fate::cancelled};
static_assert(all_fates.size() == fate_count);
constexpr std::array all_states = {FlowState::running, FlowState::completed, FlowState::limited,    FlowState::closed,
                                   FlowState::failed,  FlowState::cancelled, FlowState::interrupted};

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }
double number(std::uint64_t value) { return static_cast<double>(value); }

// One name with its series.
class Family {
 public:
  Family(MetricType type, std::string name, std::string help)
      : family_{.name = "torvyn_" + std::move(name), .help = std::move(help), .type = type, .metric = {}} {}

  void add(Labels labels, double value) {
    ClientMetric& metric = series(std::move(labels));
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void add(Labels labels, const LatencyCounts& counts) {
    ClientMetric& metric = series(std::move(labels));
    metric.histogram.sample_count = counts.count;
    metric.histogram.sample_sum = seconds(counts.sum_ns);
    for (std::size_t i = 0; i < counts.at_or_below.size(); ++i)
      metric.histogram.bucket.push_back(
          {.cumulative_count = counts.at_or_below[i], .upper_bound = seconds(LatencyCounts::bounds_ns[i])});
  }
  void move_to(std::vector<MetricFamily>& families) {
    if (!family_.metric.empty()) families.push_back(std::move(family_));
  }

 private:
  ClientMetric& series(Labels labels) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }
  MetricFamily family_;
};

Family counter(std::string name, std::string help) { return {MetricType::Counter, std::move(name), std::move(help)}; }
Family gauge(std::string name, std::string help) { return {MetricType::Gauge, std::move(name), std::move(help)}; }
Family histogram(std::string name, std::string help) {
  return {MetricType::Histogram, std::move(name), std::move(help)};
}

void add_flows(std::vector<MetricFamily>& families, std::span<const FlowReport> flows) {
  Family elements = counter("flow_elements_total", "Elements that were pulled, by what became of them");
  Family errors = counter("flow_elements_errors_total", "Errors and traps of stages");
  Family copies = counter("flow_copies_total", "Copies of payloads");
  Family bytes = counter("flow_copies_bytes_total", "Payload bytes that were copied");
  Family latency = histogram("flow_latency_seconds", "Time of an element from its source to its delivery");
  Family duration = gauge("flow_active_duration_seconds", "How long the flow has run");
  Family state = gauge("flow_state", "1 for the state the flow is in");
  for (const FlowReport& flow : flows) {
    const ClientMetric::Label name{.name = "flow", .value = flow.name};
    for (const Fate fate : all_fates)
      elements.add({name, {.name = "outcome", .value = std::string(fate_name(fate))}}, number(flow.fates[fate]));
    errors.add({name}, number(flow.errors()));
    copies.add({name}, number(flow.copies_total().copies));
    bytes.add({name}, number(flow.copies_total().bytes));
    latency.add({name}, flow.latency);
    duration.add({name}, seconds(flow.duration_ns));
    for (const FlowState one : all_states)
      state.add({name, {.name = "state", .value = std::string(flow_state_name(one))}}, flow.state == one ? 1 : 0);
  }
  for (Family* family : {&elements, &errors, &copies, &bytes, &latency, &duration, &state}) family->move_to(families);
}

void add_components(std::vector<MetricFamily>& families, std::span<const FlowReport> flows) {
  Family elements = counter("component_invocations_total", "Elements that a stage was called with");
  Family errors = counter("component_errors_total", "Errors and traps of a stage");
  Family restarts = counter("component_restarts_total", "Fresh instances after a trap");
  Family rests = counter("component_rests_total", "Times a stage had used up its share of the CPU");
  Family rested = counter("component_rest_duration_seconds_total", "How long a stage was kept from calls for it");
  Family time = histogram("component_processing_time_seconds", "Time of an element in a stage");
  Family memory = gauge("component_memory_current_bytes", "Guest memory of a stage");
  for (const FlowReport& flow : flows) {
    for (const StageReport& stage : flow.stages) {
      const Labels labels = {{.name = "flow", .value = flow.name},
                             {.name = "node", .value = stage.node},
                             {.name = "component", .value = stage.component}};
      elements.add(labels, number(stage.role == "source" ? stage.elements_out : stage.elements_in));
      errors.add(labels, number(stage.errors));
      restarts.add(labels, number(stage.restarts));
      rests.add(labels, number(stage.rests));
      rested.add(labels, seconds(stage.rested_ns));
      time.add(labels, stage.latency);
      memory.add(labels, number(stage.memory_bytes));
    }
  }
  for (Family* family : {&elements, &errors, &restarts, &rests, &rested, &time, &memory}) family->move_to(families);
}

void add_capabilities(std::vector<MetricFamily>& families, std::span<const FlowReport> flows) {
  Family exercises = counter("capability_exercises_total", "Times a component used a capability");
  Family denials = counter("capability_denials_total", "Times a component was refused a capability");
  const std::span<const std::string_view> names = config::capability_names();
  for (const FlowReport& flow : flows) {
    for (const StageReport& stage : flow.stages) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        const security::CapabilityCount& count = stage.capabilities[i];
        if (count == security::CapabilityCount{}) continue;
        const Labels labels = {{.name = "flow", .value = flow.name},
                               {.name = "node", .value = stage.node},
                               {.name = "component", .value = stage.component},
                               {.name = "capability", .value = std::string(names[i])}};
        exercises.add(labels, number(count.exercises));
        denials.add(labels, number(count.denials));
      }
    }
  }
  for (Family* family : {&exercises, &denials}) family->move_to(families);
}

void add_streams(std::vector<MetricFamily>& families, std::span<const FlowReport> flows) {
  Family transferred = counter("stream_elements_transferred_total", "Elements that went through a stream");
  Family dropped = counter("stream_elements_dropped_total", "Elements that a full stream let go");
  Family events = counter("stream_backpressure_events_total", "Times a stream was under pressure");
  Family duration = counter("stream_backpressure_duration_seconds_total", "How long a stream was under pressure");
  Family depth = gauge("stream_queue_current_depth", "Elements that wait in a stream");
  Family peak = gauge("stream_queue_peak_depth", "Elements that waited in a stream at most");
  for (const FlowReport& flow : flows) {
    for (const StreamReport& stream : flow.streams) {
      const Labels labels = {{.name = "flow", .value = flow.name},
                             {.name = "stream", .value = stream.from + "->" + stream.to}};
      transferred.add(labels, number(stream.transferred));
      dropped.add(labels, number(stream.dropped));
      events.add(labels, number(stream.backpressure_events));
      duration.add(labels, seconds(stream.backpressure_ns));
      depth.add(labels, number(stream.depth));
      peak.add(labels, number(stream.depth_max));
    }
  }
  for (Family* family : {&transferred, &dropped, &events, &duration, &depth, &peak}) family->move_to(families);
}

void add_pools(std::vector<MetricFamily>& families, const resources::PoolStats& pools) {
  static constexpr std::array<std::string_view, 4> names = {"small", "medium", "large", "huge"};
  static_assert(names.size() == std::tuple_size_v<decltype(pools.tiers)>);
  Family capacity = gauge("pool_capacity", "Buffers that are kept");
  Family available = gauge("pool_available", "Of those, not in use");
  Family allocated = counter("pool_allocated_total", "Buffers that were handed out");
  Family returned = counter("pool_returned_total", "Buffers that came back");
  Family reused = counter("pool_reused_total", "Buffers that were handed out again");
  Family fallbacks = counter("pool_fallback_count_total", "Buffers that were made because none was left");
  Family exhausted = counter("pool_exhaustion_events_total", "Buffers that were refused because none was left");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const resources::TierStats& tier = pools.tiers[i];
    const Labels labels = {{.name = "tier", .value = std::string(names[i])}};
    capacity.add(labels, number(tier.capacity));
    available.add(labels, number(tier.available));
    allocated.add(labels, number(tier.allocated));
    returned.add(labels, number(tier.returned));
    reused.add(labels, number(tier.reused));
    fallbacks.add(labels, number(tier.fallbacks));
    exhausted.add(labels, number(tier.exhausted));
  }
  for (Family* family : {&capacity, &available, &allocated, &returned, &reused, &fallbacks, &exhausted})
    family->move_to(families);
}

void add_system(std::vector<MetricFamily>& families, const SystemMetrics& system) {
  const auto add = [&families](Family family, double value) {
    family.add({}, value);
    family.move_to(families);
  };
  add(gauge("system_flows_active", "Flows that run"), number(system.flows_active));
  add(gauge("system_components_active", "Instances of components in flows that run"), number(system.components_active));
  add(gauge("system_memory_total_bytes", "Guest memory of all components"), number(system.memory_bytes));
  add(counter("system_scheduler_wakeups_total", "Times a worker was woken"), number(system.scheduler_wakeups));
  add(counter("system_scheduler_idle_seconds_total", "Time that workers slept"), seconds(system.scheduler_idle_ns));
}

}  // namespace

std::string prometheus_text(std::span<const FlowReport> flows, const SystemMetrics& system) {
  std::vector<MetricFamily> families;
  add_flows(families, flows);
  add_components(families, flows);
  add_capabilities(families, flows);
  add_streams(families, flows);
  add_pools(families, system.pools);
  add_system(families, system);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace torvyn::observability
