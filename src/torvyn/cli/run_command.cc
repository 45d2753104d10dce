// `torvyn run`: choose flows, build what they need, link them, run them, tell how it went.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/commands.h"
#include "torvyn/cli/flow_choice.h"
#include "torvyn/cli/live_line.h"
#include "torvyn/cli/project_build.h"
#include "torvyn/cli/run_report.h"
#include "torvyn/cli/signals.h"
#include "torvyn/config/units.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/host/host.h"
#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::cli {
namespace {

using config::FlowConfig;
using observability::FlowReport;
using observability::FlowState;

// What is going to run.
struct Plan {
  std::vector<FlowConfig> flows;
  config::RuntimeConfig runtime;
  std::filesystem::path base;  // of the paths in `flows`; empty = the current folder
  std::optional<config::Manifest> manifest;
};

// A flow that can be run.
struct ReadyFlow {
  std::string name;
  host::RunLimits limits;
  std::unique_ptr<host::FlowRun> run;
};

// A failure before anything ran.
struct Refusal {
  Error error;
  std::string flow;  // that it is about; may be empty
  int exit_code;

  Refusal(Error because, std::string about)
      : error(std::move(because)), flow(std::move(about)), exit_code(exit_code_of(error)) {}
  Refusal(Error because, std::string about, int code)
      : error(std::move(because)), flow(std::move(about)), exit_code(code) {}
};

std::unexpected<Refusal> refuse(Error error, std::string flow = {}) {
  return std::unexpected(Refusal(std::move(error), std::move(flow)));
}

std::expected<Plan, Refusal> choose(const RunOptions& options, const Session& session) {
  const bool is_pipeline = pipeline::looks_like_pipeline(options.pipeline);
  std::vector<std::string> names = options.flows;
  if (!options.pipeline.empty()) names = {options.pipeline};
  if (names.empty()) names.emplace_back();  // whichever it is
  const std::string asked_for = is_pipeline ? std::string() : names.front();
  Plan plan;
  // A pipeline is read first: it needs no manifest, and a mistake in it is nearer to the hand.
  if (is_pipeline) {
    Result<FlowConfig> flow = pipeline::parse_pipeline(options.pipeline);
    if (!flow) return refuse(std::move(flow).error());
    plan.flows.push_back(*std::move(flow));
  }
  Result<std::optional<config::Manifest>> manifest = find_manifest(session);
  if (!manifest) return refuse(std::move(manifest).error(), asked_for);
  plan.manifest = *std::move(manifest);
  if (plan.manifest) plan.runtime = plan.manifest->runtime;
  if (!is_pipeline) {
    if (!plan.manifest)
      return refuse(manifest_needed("or give a pipeline: torvyn run 'file access.log ! ./upper.wasm ! stdout'"),
                    asked_for);
    for (const std::string& name : names) {
      const Result<const FlowConfig*> flow = choose_flow(*plan.manifest, name);
      if (!flow) return std::unexpected(Refusal(flow.error(), name, exit_usage));
      plan.flows.push_back(**flow);
    }
    plan.base = plan.manifest->directory;
  }
  // Of a single flow: the command line says so.
  FlowConfig& flow = plan.flows.front();
  if (options.input)
    if (Status status = replace_source(flow, *options.input, plan.base); !status)
      return refuse(std::move(status).error(), flow.name);
  if (options.output)
    if (Status status = replace_sink(flow, *options.output, plan.base); !status)
      return refuse(std::move(status).error(), flow.name);
  return plan;
}

// Builds the components of the manifest that the flow names, and puts their files in their place.
Status build_components_of(FlowConfig& flow, const Plan& plan, const RunOptions& options, const Session& session) {
  if (!plan.manifest) return {};
  for (config::NodeConfig& node : flow.nodes) {
    if (connectors::find_builtin(node.component) != nullptr) continue;
    const config::ComponentConfig* const component = plan.manifest->find_component(node.component);
    if (component == nullptr) continue;
    const std::filesystem::path file = built_path(*plan.manifest, *component);
    std::error_code error;
    if (!options.no_build) {
      TORVYN_TRY(build_on_screen(request_for(*plan.manifest, *component), component->name, session));
    } else if (!std::filesystem::exists(file, error)) {
      return fail(Error(ErrorCode::component_not_found,
                        fmt::format("`{}` was not built yet: there is no `{}`", component->name, file.string()),
                        fmt::format("torvyn build --component {}, or leave out --no-build", component->name))
                      .at_node(flow.name, node.name, {}));
    }
    node.component = plan.base.empty() ? file.string() : file.lexically_relative(plan.base.lexically_normal()).string();
  }
  return {};
}

Severity log_level(const RunOptions& options, const Session& session) {
  if (options.log_level) return *options.log_level;
  if (session.options.quiet) return Severity::warn;
  return session.options.verbose ? Severity::debug : Severity::info;
}

// Says which limit it was, where the report doesn't.
void name_the_limit(FlowReport& report, const host::RunLimits& limits) {
  if (report.state != FlowState::limited) return;
  if (std::ranges::any_of(report.notes, [](const auto& note) { return note.starts_with("stopped by "); })) return;
  const bool counted = limits.elements_max && report.fates.pulled >= *limits.elements_max;
  if (!counted && !limits.timeout_ns) return;
  report.notes.push_back(counted ? fmt::format("stopped by --limit {}", *limits.elements_max)
                                 : fmt::format("stopped by --timeout {}", config::format_duration(*limits.timeout_ns)));
}

// All at once, on the host's workers.
std::vector<FlowReport> run_side_by_side(const std::vector<ReadyFlow>& flows) {
  std::vector<Status> started;
  for (const ReadyFlow& flow : flows) started.push_back(flow.run->start());
  std::vector<FlowReport> reports;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (started[i]) {
      reports.push_back(flows[i].run->wait());
      continue;
    }
    reports.emplace_back();
    reports.back().name = flows[i].name;
    reports.back().state = FlowState::failed;
    reports.back().error = started[i].error();
  }
  return reports;
}

// Runs flows with the keyboard and the terminal attached to them.
std::vector<RunResult> run_attached(const std::vector<ReadyFlow>& flows, const Session& session) {
  std::vector<host::FlowRun*> runs;
  for (const ReadyFlow& flow : flows) runs.push_back(flow.run.get());
  const auto progress = [&runs] {
    std::vector<observability::FlowProgress> all;
    for (const host::FlowRun* const run : runs) all.push_back(run->progress());
    return sum_of(all);
  };
  const StopOnSignal signals(runs);
  std::vector<FlowReport> reports;
  {
    std::optional<LiveLine> live;
    if (session.chatty() && session.screen.terminal().interactive)
      live.emplace(session.screen,
                   LiveLine::Source{.progress = progress, .stopping = [&signals] { return signals.received() != 0; }});
    if (flows.size() == 1) {
      reports.push_back(flows.front().run->run());
    } else {
      reports = run_side_by_side(flows);
    }
  }
  std::vector<RunResult> results;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    RunResult result{.report = std::move(reports[i]), .began = true, .errors = {}};
    name_the_limit(result.report, flows[i].limits);
    if (result.report.error) result.errors.push_back(*result.report.error);
    result.exit_code = exit_code_of(result.report, signals.received());
    results.push_back(std::move(result));
  }
  return results;
}

std::expected<std::vector<RunResult>, Refusal> run_plan(Plan& plan, const RunOptions& options, const Session& session,
                                                        CliEvents& events) {
  for (FlowConfig& flow : plan.flows)
    if (Status status = build_components_of(flow, plan, options, session); !status)
      return refuse(std::move(status).error(), flow.name);

  const auto host = host::Host::create(
      {.runtime = plan.runtime, .cache_directory = cache_directory(), .base_directory = plan.base, .events = &events});
  if (!host) return refuse(host.error(), plan.flows.front().name);
  // What is wrong with one flow shows before another begins.
  std::vector<ReadyFlow> ready;
  for (const FlowConfig& flow : plan.flows) {
    const host::RunLimits limits{.elements_max = options.elements_max,
                                 .timeout_ns = options.timeout_ns ? options.timeout_ns : flow.timeout_ns,
                                 .errors_max = options.errors_max};
    auto run = (*host)->prepare(flow, limits);
    if (!run) return refuse(std::move(run).error(), flow.name);
    ready.push_back({.name = flow.name, .limits = limits, .run = *std::move(run)});
  }
  return run_attached(ready, session);
}

int tell(const RunReporter& reporter, const Refusal& refusal, std::span<const Warning> warnings) {
  RunResult result;
  result.report.name = refusal.flow;
  result.report.state = FlowState::failed;
  result.errors.push_back(refusal.error);
  result.exit_code = refusal.exit_code;
  return reporter.tell({&result, 1}, warnings);
}

}  // namespace

int run_flow(const RunOptions& options, const Session& session) {
  CliEvents events(session.screen, {.least = log_level(options, session), .draw_warnings = !session.json()});
  RunReporter reporter(session);
  if (options.flows.size() > 1) reporter.name_flows();
  if (!options.summary.empty())
    if (const Status status = reporter.write_to(options.summary); !status)
      return report_failure(session, "run", status.error());

  std::expected<Plan, Refusal> plan = choose(options, session);
  if (!plan) return tell(reporter, plan.error(), {});
  if (std::ranges::any_of(plan->flows, writes_to_stdout)) reporter.leave_stdout_alone();
  const auto results = run_plan(*plan, options, session, events);
  if (!results) return tell(reporter, results.error(), events.warnings());
  return reporter.tell(*results, events.warnings());
}

}  // namespace torvyn::cli
