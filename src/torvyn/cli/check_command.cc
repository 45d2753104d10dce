// `torvyn check`: is everything right that can be told without running it?
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/cli/check_view.h"
#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/commands.h"
#include "torvyn/cli/config_view.h"
#include "torvyn/cli/error_view.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/project_exam.h"
#include "torvyn/config/json_schema.h"

namespace torvyn::cli {
namespace {

using config::ComponentConfig;
using config::FlowConfig;

// Moves those of `codes` out of `from`.
void move_codes(std::vector<Error>& from, std::vector<Error>& to, std::initializer_list<ErrorCode> codes) {
  const auto is_meant = [&codes](const Error& error) { return std::ranges::find(codes, error.code()) != codes.end(); };
  for (Error& error : from)
    if (is_meant(error)) to.push_back(error);
  std::erase_if(from, is_meant);
}

class ProjectCheck {
 public:
  ProjectCheck(const Session& session, const Result<config::Configuration>& configuration)
      : session_(session), configuration_(configuration) {}

  std::vector<Check> run() {
    const std::filesystem::path named =
        session_.options.manifest.empty() ? std::filesystem::path("Torvyn.toml") : session_.options.manifest;
    Check of_manifest{.name = "manifest", .subject = named.string()};
    if (!configuration_) of_manifest.errors.push_back(configuration_.error());
    if (configuration_ && !configuration_->has_project)
      of_manifest.errors.push_back(manifest_needed("torvyn init makes a project"));
    const bool readable = of_manifest.ok();
    checks_.push_back(std::move(of_manifest));
    check_wit(named.parent_path() / "wit");
    if (readable) check_components_and_flows(configuration_->manifest);
    if (!deprecations_.errors.empty() || !deprecations_.warnings.empty()) checks_.push_back(std::move(deprecations_));
    return std::move(checks_);
  }

 private:
  void check_wit(const std::filesystem::path& folder) {
    Check check{.name = "wit", .subject = folder.string()};
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) {
      check.skipped = "there is none";
    } else if (const auto validator = contracts::ContractValidator::create(); !validator) {
      check.errors.push_back(validator.error());
    } else {
      contracts::FolderReport report = validator->check_folder(folder);
      check.errors = std::move(report.errors);
      check.warnings = std::move(report.warnings);
      move_codes(check.warnings, deprecations_.warnings, {ErrorCode::deprecated_contract});
    }
    checks_.push_back(std::move(check));
  }

  void check_components_and_flows(const config::Manifest& manifest) {
    const Result<ProjectExam> project = ProjectExam::create(manifest);
    if (!project) {
      checks_.push_back({.name = "component", .subject = {}, .errors = {project.error()}});
      return;
    }
    for (const ComponentConfig& component : manifest.components) {
      Check check{.name = "component", .subject = component.name};
      if (!project->is_built(component)) {
        check.skipped = fmt::format("not built yet: torvyn build --component {}", component.name);
      } else {
        contracts::ComponentReport report = project->examine(component);
        check.errors = std::move(report.errors);
        check.warnings = std::move(report.warnings);
        move_codes(check.warnings, deprecations_.warnings, {ErrorCode::deprecated_contract});
      }
      if (!check.skipped.empty() || !check.ok()) unusable_.insert(component.name);
      checks_.push_back(std::move(check));
    }
    Check capabilities{.name = "capabilities", .subject = {}};
    for (const FlowConfig& flow : manifest.flows) check_flow(*project, flow, capabilities);
    if (!manifest.flows.empty()) checks_.push_back(std::move(capabilities));
  }

  // A flow whose components are not built, or are wrong in themselves, has nothing new to tell.
  void check_flow(const ProjectExam& project, const FlowConfig& flow, Check& capabilities) {
    Check check{.name = "link", .subject = flow.name};
    for (const ComponentConfig* const component : project.components_of(flow))
      if (unusable_.contains(component->name) && check.skipped.empty())
        check.skipped = fmt::format("`{}` {}", component->name,
                                    project.is_built(*component) ? "has errors of its own" : "is not built");
    if (check.skipped.empty()) {
      linker::FlowExam exam = project.examine(flow);
      check.errors = std::move(exam.errors);
      check.warnings = std::move(exam.warnings);
      move_codes(check.errors, capabilities.errors, {ErrorCode::capability_not_granted});
      move_codes(check.warnings, capabilities.warnings,
                 {ErrorCode::capability_not_granted, ErrorCode::undeclared_capability});
      // Those of the manifest's own components were told with them.
      std::vector<Error> told;
      move_codes(check.warnings, told, {ErrorCode::deprecated_contract});
    }
    checks_.push_back(std::move(check));
  }

  const Session& session_;
  const Result<config::Configuration>& configuration_;
  std::vector<Check> checks_;
  Check deprecations_{.name = "deprecations", .subject = {}};
  std::set<std::string> unusable_;  // components
};

// 2 where there is nothing to check; 1 for anything found.
int exit_code_of_checks(const std::vector<Check>& checks) {
  if (!checks.front().ok() && exit_code_of(checks.front().errors.front()) == exit_usage) return exit_usage;
  return std::ranges::all_of(checks, &Check::ok) ? exit_success : exit_failed;
}

}  // namespace

int check_project(const CheckOptions& options, const Session& session) {
  if (options.schema) return print_result(session, config::manifest_json_schema());
  const Result<config::Configuration> configuration = find_configuration(session);
  std::vector<Check> checks = ProjectCheck(session, configuration).run();
  std::vector<Warning> notices;
  if (configuration)
    for (const config::Notice& notice : configuration->notices) notices.push_back(warning_of(notice));
  const config::Configuration* const shown = session.options.verbose && configuration ? &*configuration : nullptr;

  std::vector<Error> errors;
  std::vector<Error> warnings;
  for (Check& check : checks) {
    if (options.strict) std::ranges::move(std::exchange(check.warnings, {}), std::back_inserter(check.errors));
    errors.insert(errors.end(), check.errors.begin(), check.errors.end());
    warnings.insert(warnings.end(), check.warnings.begin(), check.warnings.end());
  }
  int exit_code = exit_code_of_checks(checks);
  if (options.strict && exit_code == exit_success && !notices.empty()) exit_code = exit_failed;
  std::string text;
  if (session.json()) {
    const JsonHead head{
        .command = "check", .exit_code = exit_code, .errors = errors, .warnings = notices, .cautions = warnings};
    text = check_json(head, checks, shown);
  } else {
    for (const Error& error : errors)
      session.screen.print(draw_error(error, session.screen.palette(), session.options.verbose));
    for (const Error& warning : warnings) session.screen.print(draw_caution(warning, session.screen.palette()));
    for (const Warning& notice : notices) session.screen.print(draw_warning(notice, session.screen.palette()));
    const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
    if (shown != nullptr) text = draw_configuration(shown->values, palette);
    if (!session.options.quiet) text += draw_checks(checks, palette);
  }
  const int printed = print_result(session, text);
  return printed == exit_success ? exit_code : printed;
}

}  // namespace torvyn::cli
