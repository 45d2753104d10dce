#include "torvyn/host/flow_maker.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <random>
#include <string>
#include <variant>

#include "torvyn/config/node_ceilings.h"
#include "torvyn/config/place.h"
#include "torvyn/config/references.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/host/native_stages.h"
#include "torvyn/linker/grants.h"
#include "torvyn/reactor/component_stage.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/clock.h"

namespace torvyn::host {

using contracts::Contract;
using contracts::Role;
using observability::FlowReport;

namespace {

template <std::size_t Bytes>
HexId<Bytes> random_id() {
  std::random_device device;
  std::array<std::uint8_t, Bytes> bytes{};
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return HexId<Bytes>(bytes);
}

reactor::StreamBounds bounds_of(const config::StreamConfig* stream, const config::RuntimeConfig& runtime) {
  const config::BackpressureConfig& otherwise = runtime.backpressure;
  const config::StreamConfig nothing;
  const config::StreamConfig& said = stream == nullptr ? nothing : *stream;
  // Where nothing is said, a stream has room for a whole run.
  std::uint32_t depth = otherwise.queue_depth;
  if (depth == config::BackpressureConfig{}.queue_depth) depth = std::max(depth, runtime.max_batch);
  return {.depth = said.queue_depth.value_or(depth),
          .bytes = said.queue_bytes.value_or(otherwise.queue_bytes),
          .low_watermark_ratio = said.low_watermark_ratio.value_or(otherwise.low_watermark_ratio),
          .full_policy = said.full_policy.value_or(otherwise.full_policy)};
}

reactor::FailurePolicy failure_policy(const linker::LinkedNode& node) {
  const config::NodeConfig& config = *node.config;
  reactor::FailurePolicy policy{.on_error = config.on_error,
                                .retries = config.retries,
                                .retry_backoff_ns = config.retry_backoff_ns,
                                .on_trap = config.on_trap,
                                .restarts = config.restarts,
                                .restart_window_ns = config.restart_window_ns};
  if (node.dead_letter_port) policy.dead_letter_port = static_cast<std::uint16_t>(*node.dead_letter_port);
  return policy;
}

std::string component_name(const linker::LinkedNode& node) {
  const std::string& name = node.config->component;
  if (node.component != nullptr || name.starts_with("builtin:") || name.starts_with("native:")) return name;
  return "builtin:" + name;
}

std::string contract_name(const linker::LinkedNode& node) {
  if (node.component == nullptr) return {};
  return node.contract == Contract::batch ? "batch" : "element";
}

}  // namespace

FlowMaker::FlowMaker(Shared& shared, FlowDefinition flow, const RunLimits& limits)
    : shared_(shared), flow_(std::move(flow)), limits_(limits), trace_id_(random_id<16>()) {}

Status FlowMaker::link() {
  const bool has_inlet = std::ranges::any_of(
      flow_.natives, [](const auto& native) { return std::holds_alternative<Inlet>(native.second.does); });
  if (has_inlet && flow_.config.restart_on_failure)
    return fail(
        ErrorCode::usage, "flow `" + flow_.config.name + "` has an inlet, and is to be restarted after failures",
        "what waited in the inlet would be lost: leave `restart_on_failure` out, and use `on_error` and `on_trap`");
  std::vector<config::FilledReference> filled;
  for (config::NodeConfig& node : flow_.config.nodes) {
    if (const Status bounded = config::check_ceilings(node, shared_.options.ceilings); !bounded)
      return fail(config::placed(bounded.error(), node.where).at_node(flow_.config.name, node.name, node.component));
    TORVYN_LET(std::vector<config::FilledReference> more,
               config::fill_references(node, shared_.options.base_directory, config::process_variable));
    std::ranges::move(more, std::back_inserter(filled));
  }
  if (!filled.empty()) masked_events_.emplace(*shared_.options.events, std::move(filled));
  TORVYN_LET(linked_, linker::link_flow(flow_.config, *shared_.engine, catalog(), shared_.options.base_directory));
  return {};
}

// The built-in stages, and the program's own by the names its nodes were given.
linker::BuiltinCatalog FlowMaker::catalog() const {
  linker::BuiltinCatalog catalog = builtin_catalog();
  if (flow_.natives.empty()) return catalog;
  catalog.find = [this, find = std::move(catalog.find)](std::string_view name) -> std::optional<linker::BuiltinRoles> {
    for (const config::NodeConfig& node : flow_.config.nodes) {
      const auto native = flow_.natives.find(node.name);
      if (native != flow_.natives.end() && node.component == name)
        return linker::BuiltinRoles{.only = native->second.role};
    }
    return find(name);
  };
  return catalog;
}

void FlowMaker::wake_by_inlets(reactor::Waker* flow) {
  for (const auto& native : flow_.natives)
    if (const Inlet* const inlet = std::get_if<Inlet>(&native.second.does)) inlet->queue()->set_waker(flow);
}

Error FlowMaker::masked(Error error) const {
  if (!masked_events_) return error;
  return config::masked(std::move(error), masked_events_->filled());
}

FlowReport FlowMaker::masked(FlowReport report) const {
  if (report.error) report.error = masked(*std::move(report.error));
  for (Error& error : report.skipped) error = masked(std::move(error));
  return report;
}

Result<reactor::FlowPlan> FlowMaker::plan(reactor::Interrupt& interrupt) {
  const config::RuntimeConfig& runtime = shared_.options.runtime;
  reactor::FlowPlan plan;
  plan.name = flow_.config.name;
  plan.max_batch = runtime.max_batch;
  plan.max_batch_bytes = runtime.max_batch_bytes;
  plan.elements_max = limits_.elements_max;
  plan.errors_max = limits_.errors_max;
  plan.timeout_ns = timeout_ns();
  plan.deadline_ns = flow_.config.deadline_ns;
  plan.content_types = &shared_.content_types;
  plan.looks = shared_.looks;
  for (const linker::LinkedNode& node : linked_.nodes) {
    reactor::PlannedStage planned;
    Result<std::vector<std::unique_ptr<reactor::Stage>>> stages = make_stages(node, interrupt);
    if (!stages)
      return fail(std::move(stages).error().at_node(flow_.config.name, node.config->name, node.config->component));
    planned.stage = std::move(stages->front());
    std::move(stages->begin() + 1, stages->end(), std::back_inserter(planned.more));
    planned.parallel = node.config->placement == config::Placement::parallel;
    planned.role = node.role;
    planned.node = node.config->name;
    planned.component = component_name(node);
    planned.contract = contract_name(node);
    if (!node.ports.empty()) planned.ports = node.ports;
    planned.failure = failure_policy(node);
    plan.stages.push_back(std::move(planned));
  }
  for (const linker::LinkedEdge& edge : linked_.edges)
    plan.edges.push_back({.from = edge.from,
                          .to = edge.to,
                          .port = static_cast<std::uint16_t>(edge.port),
                          .bounds = bounds_of(edge.stream, runtime)});
  return plan;
}

Result<std::vector<std::unique_ptr<reactor::Stage>>> FlowMaker::make_stages(const linker::LinkedNode& node,
                                                                            reactor::Interrupt& interrupt) {
  std::vector<std::unique_ptr<reactor::Stage>> stages;
  if (const auto native = flow_.natives.find(node.config->name); native != flow_.natives.end()) {
    stages.push_back(make_native_stage(native->second, node.ports, shared_));
    return stages;
  }
  if (node.component == nullptr) {
    TORVYN_LET(std::unique_ptr<reactor::Stage> stage, builtin_stage(node, interrupt));
    stages.push_back(std::move(stage));
    return stages;
  }
  const HostOptions& options = shared_.options;
  TORVYN_LET(const security::Sandbox sandbox,
             security::make_sandbox(security::grants_of(options.security, *node.config, {}, node.component->digest()),
                                    options.base_directory, config::process_variable));
  TORVYN_TRY(
      linker::check_grants(*node.config, node.component->info(), sandbox.grants, options.security.strict_imports));
  for (const config::Capability& grant : sandbox.grants)
    if (!security::opens_something(grant.name))
      options.events->event(Severity::warn, "W0700", node.config->name,
                            "the grant of `" + grant.name + "` has no effect: this version opens nothing for it");
  for (std::uint32_t i = 0; i < node.config->instances; ++i) stages.push_back(component_stage(node, sandbox));
  return stages;
}

Result<std::unique_ptr<reactor::Stage>> FlowMaker::builtin_stage(const linker::LinkedNode& node,
                                                                 reactor::Interrupt& interrupt) {
  const HostOptions& options = shared_.options;
  const connectors::ConnectorContext context{.pool = shared_.pool.get(),
                                             .content_types = &shared_.content_types,
                                             .clock = &SystemClock::instance(),
                                             .interrupt = &interrupt,
                                             .base_directory = options.base_directory,
                                             .max_buffer_bytes = options.runtime.max_buffer_size_bytes,
                                             .stdin_fd = options.stdin_fd,
                                             .stdout_fd = options.stdout_fd};
  const auto position = node.role == Role::source ? connectors::Position::source : connectors::Position::sink;
  return connectors::make_builtin(*node.config, position, context);
}

std::unique_ptr<reactor::Stage> FlowMaker::component_stage(const linker::LinkedNode& node,
                                                           const security::Sandbox& sandbox) {
  const config::RuntimeConfig& runtime = shared_.options.runtime;
  engine::InstanceOptions instance;
  instance.flow = flow_.config.name;
  instance.node = node.config->name;
  instance.role = node.role;
  instance.contract = node.contract;
  if (!node.ports.empty()) {
    instance.ports = node.ports;
    // The way of dead letters is not the component's to take.
    if (node.dead_letter_port)
      instance.ports.erase(instance.ports.begin() + static_cast<std::ptrdiff_t>(*node.dead_letter_port));
  }
  instance.pool = shared_.pool.get();
  instance.content_types = &shared_.content_types;
  instance.events = masked_events_ ? &*masked_events_ : shared_.options.events;
  instance.clock = &SystemClock::instance();
  instance.sandbox = sandbox;
  instance.audit = shared_.audit.get();
  instance.stdout_fd = shared_.options.stdout_fd;
  instance.max_memory_bytes = node.config->max_memory_bytes.value_or(runtime.max_memory_per_component_bytes);
  instance.holdings = {.handles = node.config->max_handles.value_or(runtime.max_handles),
                       .buffer_bytes = node.config->max_host_buffers_bytes.value_or(runtime.max_host_buffers_bytes)};
  instance.max_log_bytes_per_s = node.config->max_log_bytes_per_s.value_or(runtime.max_log_bytes_per_s);
  instance.call_timeout_ns = node.config->timeout_ns.value_or(runtime.invocation_timeout_ns);
  instance.init_timeout_ns = runtime.component_init_timeout_ns;
  instance.teardown_timeout_ns = runtime.component_teardown_timeout_ns;
  instance.trace_id = trace_id_;
  instance.span_id = random_id<8>();
  return std::make_unique<reactor::ComponentStage>(node.component, std::move(instance), node.config->config,
                                                   node.config->max_cpu ? node.config->max_cpu : runtime.max_cpu);
}

}  // namespace torvyn::host
