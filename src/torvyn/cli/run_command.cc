// `torvyn run`: choose a flow, build what it needs, link it, run it, tell how it went.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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
  FlowConfig flow;
  config::RuntimeConfig runtime;
  std::filesystem::path base;  // of the paths in `flow`; empty = the current folder
  std::optional<config::Manifest> manifest;
};

// A failure before anything ran.
struct Refusal {
  Error error;
  int exit_code;

  explicit Refusal(Error because) : error(std::move(because)), exit_code(exit_code_of(error)) {}
  Refusal(Error because, int code) : error(std::move(because)), exit_code(code) {}
};

std::expected<Plan, Refusal> choose(const RunOptions& options, const Session& session) {
  const auto refuse = [](Error error) { return std::unexpected(Refusal(std::move(error))); };
  const bool is_pipeline = pipeline::looks_like_pipeline(options.pipeline);
  if (!options.pipeline.empty() && !options.flow.empty())
    return refuse(Error(ErrorCode::usage, "`--flow` names a flow of the manifest, and another was given beside it",
                        "leave out one of the two"));
  Plan plan;
  // A pipeline is read first: it needs no manifest, and a mistake in it is nearer to the hand.
  if (is_pipeline) {
    Result<FlowConfig> flow = pipeline::parse_pipeline(options.pipeline);
    if (!flow) return refuse(std::move(flow).error());
    plan.flow = *std::move(flow);
  }
  Result<std::optional<config::Manifest>> manifest = find_manifest(session);
  if (!manifest) return refuse(std::move(manifest).error());
  plan.manifest = *std::move(manifest);
  if (plan.manifest) plan.runtime = plan.manifest->runtime;
  if (!is_pipeline) {
    if (!plan.manifest)
      return refuse(manifest_needed("or give a pipeline: torvyn run 'file access.log ! ./upper.wasm ! stdout'"));
    const Result<const FlowConfig*> flow =
        choose_flow(*plan.manifest, options.pipeline.empty() ? options.flow : options.pipeline);
    if (!flow) return std::unexpected(Refusal(flow.error(), exit_usage));
    plan.flow = **flow;
    plan.base = plan.manifest->directory;
  }
  if (options.input)
    if (Status status = replace_source(plan.flow, *options.input, plan.base); !status)
      return refuse(std::move(status).error());
  if (options.output)
    if (Status status = replace_sink(plan.flow, *options.output, plan.base); !status)
      return refuse(std::move(status).error());
  return plan;
}

// Builds the components of the manifest that the flow names, and puts their files in their place.
Status build_components_of(Plan& plan, const RunOptions& options, const Session& session) {
  if (!plan.manifest) return {};
  for (config::NodeConfig& node : plan.flow.nodes) {
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
                      .at_node(plan.flow.name, node.name, {}));
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

// Runs a flow with the keyboard and the terminal attached to it.
RunResult run_attached(host::FlowRun& run, const host::RunLimits& limits, const Session& session) {
  const StopOnSignal signals(run);
  RunResult result{.report = {}, .began = true, .errors = {}};
  {
    std::optional<LiveLine> live;
    if (session.chatty() && session.screen.terminal().interactive)
      live.emplace(session.screen, LiveLine::Source{.progress = [&run] { return run.progress(); },
                                                    .stopping = [&signals] { return signals.received() != 0; }});
    result.report = run.run();
  }
  name_the_limit(result.report, limits);
  if (result.report.error) result.errors.push_back(*result.report.error);
  result.exit_code = exit_code_of(result.report, signals.received());
  return result;
}

RunResult refused(const Refusal& refusal, std::string flow) {
  RunResult result;
  result.report.name = std::move(flow);
  result.report.state = FlowState::failed;
  result.errors.push_back(refusal.error);
  result.exit_code = refusal.exit_code;
  return result;
}

RunResult run_plan(Plan& plan, const RunOptions& options, const Session& session, CliEvents& events) {
  const auto refuse = [&plan](Error error) { return refused(Refusal(std::move(error)), plan.flow.name); };
  if (Status status = build_components_of(plan, options, session); !status) return refuse(std::move(status).error());

  auto host = host::Host::create(
      {.runtime = plan.runtime, .cache_directory = cache_directory(), .base_directory = plan.base, .events = &events});
  if (!host) return refuse(std::move(host).error());
  const host::RunLimits limits{.elements_max = options.elements_max,
                               .timeout_ns = options.timeout_ns ? options.timeout_ns : plan.flow.timeout_ns,
                               .errors_max = options.errors_max};
  auto run = (*host)->prepare(plan.flow, limits);
  if (!run) return refuse(std::move(run).error());
  return run_attached(**run, limits, session);
}

}  // namespace

int run_flow(const RunOptions& options, const Session& session) {
  CliEvents events(session.screen, {.least = log_level(options, session), .draw_warnings = !session.json()});
  RunReporter reporter(session);
  if (!options.summary.empty())
    if (const Status status = reporter.write_to(options.summary); !status)
      return report_failure(session, "run", status.error());

  std::expected<Plan, Refusal> plan = choose(options, session);
  if (!plan) return reporter.tell(refused(plan.error(), options.flow), {});
  if (writes_to_stdout(plan->flow)) reporter.leave_stdout_alone();
  const RunResult result = run_plan(*plan, options, session, events);
  return reporter.tell(result, events.warnings());
}

}  // namespace torvyn::cli
