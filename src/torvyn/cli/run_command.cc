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
#include "torvyn/cli/config_view.h"
#include "torvyn/cli/flow_choice.h"
#include "torvyn/cli/flow_components.h"
#include "torvyn/cli/live_line.h"
#include "torvyn/cli/rebuild_on_change.h"
#include "torvyn/cli/run_report.h"
#include "torvyn/cli/signals.h"
#include "torvyn/config/units.h"
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
  config::SecurityConfig security;
  config::NodeCeilings ceilings;
  config::ObservabilityLevel level = config::ObservabilityLevel::production;
  std::filesystem::path base;  // of the paths in `flows`; empty = the current folder
  std::optional<config::Manifest> manifest;
};

// A flow that can be run.
struct ReadyFlow {
  std::string name;
  std::vector<BuiltStage> stages;
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

std::expected<Plan, Refusal> choose(const RunOptions& options, const Session& session, CliEvents& events) {
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
  Result<config::Configuration> configuration = find_configuration(session);
  if (!configuration) return refuse(std::move(configuration).error(), asked_for);
  for (const config::Notice& notice : configuration->notices) events.warn(warning_of(notice));
  plan.runtime = configuration->manifest.runtime;
  plan.security = configuration->manifest.security;
  plan.ceilings = configuration->ceilings;
  plan.level = configuration->manifest.observability.level;
  if (plan.security.audit_path.empty()) plan.security.audit_path = audit_log_path();
  if (configuration->has_project) plan.manifest = std::move(configuration->manifest);
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

// Watches the sources of all that was built. Errors: E0004.
Status watch_sources(const std::vector<ReadyFlow>& flows, const Session& session,
                     std::optional<RebuildOnChange>& result) {
  TORVYN_LET(SourceWatch watch, SourceWatch::make());
  std::vector<RebuildOnChange::Watched> watched;
  for (const ReadyFlow& flow : flows) {
    for (const BuiltStage& stage : flow.stages) {
      TORVYN_TRY(watch.add(stage.inputs));
      watched.push_back({stage, flow.run.get()});
    }
  }
  if (watched.empty())
    return fail(ErrorCode::usage, "`--watch` has nothing to watch: no stage of the flow is built from source",
                "name a source file, or a [[component]] of the manifest");
  result.emplace(session, std::move(watch), std::move(watched));
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
Result<std::vector<RunResult>> run_attached(const std::vector<ReadyFlow>& flows, bool watching,
                                            const Session& session) {
  std::vector<host::FlowRun*> runs;
  for (const ReadyFlow& flow : flows) runs.push_back(flow.run.get());
  const auto progress = [&runs] {
    std::vector<observability::FlowProgress> all;
    for (const host::FlowRun* const run : runs) all.push_back(run->progress());
    return sum_of(all);
  };
  const SignalWatch signals([&runs] {
    for (host::FlowRun* const run : runs) run->request_stop(host::StopReason::interrupt);
  });
  std::vector<FlowReport> reports;
  {
    std::optional<LiveLine> live;
    if (session.chatty() && session.screen.terminal().interactive)
      live.emplace(session.screen,
                   LiveLine::Source{.progress = progress, .stopping = [&signals] { return signals.received() != 0; }});
    std::optional<RebuildOnChange> rebuilding;
    if (watching) TORVYN_TRY(watch_sources(flows, session, rebuilding));
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
  std::vector<std::vector<BuiltStage>> built;
  for (FlowConfig& flow : plan.flows) {
    const ComponentOrigins origins{.manifest = plan.manifest ? &*plan.manifest : nullptr,
                                   .security = plan.security,
                                   .base = plan.base,
                                   .build = !options.no_build};
    Result<std::vector<BuiltStage>> stages = build_components_of(flow, origins, session);
    if (!stages) return refuse(std::move(stages).error(), flow.name);
    built.push_back(*std::move(stages));
  }

  const auto host = host::Host::create({.runtime = plan.runtime,
                                        .security = plan.security,
                                        .ceilings = plan.ceilings,
                                        .cache_directory = cache_directory(),
                                        .base_directory = plan.base,
                                        .events = &events,
                                        .level = plan.level});
  if (!host) return refuse(host.error(), plan.flows.front().name);
  // What is wrong with one flow shows before another begins.
  std::vector<ReadyFlow> ready;
  for (std::size_t i = 0; i < plan.flows.size(); ++i) {
    const FlowConfig& flow = plan.flows[i];
    const host::RunLimits limits{.elements_max = options.elements_max,
                                 .timeout_ns = options.timeout_ns ? options.timeout_ns : flow.timeout_ns,
                                 .errors_max = options.errors_max};
    auto run = (*host)->prepare(flow, limits);
    if (!run) return refuse(std::move(run).error(), flow.name);
    ready.push_back({.name = flow.name, .stages = std::move(built[i]), .limits = limits, .run = *std::move(run)});
  }
  Result<std::vector<RunResult>> results = run_attached(ready, options.watch, session);
  if (!results) return refuse(std::move(results).error(), plan.flows.front().name);
  return *std::move(results);
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

  std::expected<Plan, Refusal> plan = choose(options, session, events);
  if (!plan) return tell(reporter, plan.error(), events.warnings());
  if (std::ranges::any_of(plan->flows, writes_to_stdout)) reporter.leave_stdout_alone();
  const auto results = run_plan(*plan, options, session, events);
  if (!results) return tell(reporter, results.error(), events.warnings());
  return reporter.tell(*results, events.warnings());
}

}  // namespace torvyn::cli
