#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/doctor.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/contracts/language_tools.h"

namespace torvyn::cli {
namespace {

// Those of the components of the project we are in.
std::set<std::string> project_languages(const config::Manifest& manifest) {
  std::set<std::string> languages;
  for (const config::ComponentConfig& component : manifest.components) {
    std::string language = component.language;
    if (language.empty())
      language = contracts::language_of_extension(std::filesystem::path(component.path).extension().string());
    if (!language.empty()) languages.insert(std::move(language));
  }
  return languages;
}

std::uint64_t address_space_max() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::uint64_t>::max();
  return limit.rlim_cur;
}

std::vector<Finding> examine(const DoctorOptions& options, const std::optional<config::Manifest>& manifest) {
  std::set<std::string> needed(options.languages.begin(), options.languages.end());
  if (needed.empty() && manifest) needed = project_languages(*manifest);
  std::vector<Finding> findings;
  for (const std::string_view language : contracts::build_languages()) {
    const bool is_needed = needed.contains(std::string(language));
    if (!options.languages.empty() && !is_needed) continue;
    std::ranges::move(examine_language(language, is_needed), std::back_inserter(findings));
  }
  findings.push_back(examine_cache(cache_directory()));
  const std::uint64_t instances_max =
      manifest ? manifest->runtime.max_instances : config::RuntimeConfig{}.max_instances;
  std::ranges::move(examine_kernel("/proc/sys", address_space_max(), instances_max), std::back_inserter(findings));
  return findings;
}

// Through a shell, with our terminal; what it prints goes to stderr, where it is no part of our report.
Result<int> run_in_shell(const std::string& command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(ErrorCode::io_failed, fmt::format("`/bin/sh` cannot be run: {}", std::strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail(ErrorCode::io_failed, fmt::format("`{}`: {}", command, std::strerror(errno)));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool confirmed(const std::string& command, const Session& session) {
  session.screen.print(fmt::format("run `{}`? [y/N] ", command));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// Runs what mends, one command after the other, until one fails.
Status fix_all(const std::vector<const Finding*>& commands, const DoctorOptions& options, const Session& session,
               std::vector<Fix>& done) {
  if (!commands.empty() && !options.yes && isatty(STDIN_FILENO) == 0)
    return fail(ErrorCode::usage, "`--fix` asks before each command, and there is no terminal to ask on",
                "torvyn doctor --fix --yes");
  for (const Finding* const finding : commands) {
    if (finding->needs_root && geteuid() != 0)
      return fail(ErrorCode::tool_missing,
                  fmt::format("`{}` needs root, and torvyn takes no privileges by itself", finding->fix),
                  fmt::format("sudo {}", finding->fix));
    if (!options.yes && !confirmed(finding->fix, session)) continue;
    if (session.chatty()) session.screen.print(fmt::format("running {}\n", finding->fix));
    TORVYN_LET(const int code, run_in_shell(finding->fix));
    done.push_back({.command = finding->fix, .exit_code = code});
    if (code != 0)
      return fail(ErrorCode::tool_missing, fmt::format("`{}` failed with code {}", finding->fix, code),
                  "what it printed stands above");
  }
  return {};
}

// What stands below the table.
std::string conclusion(std::span<const Finding> findings) {
  const auto wrong = std::ranges::count_if(findings, [](const Finding& finding) { return !finding.ok(); });
  const bool needed =
      std::ranges::any_of(findings, [](const Finding& finding) { return finding.needed && !finding.ok(); });
  if (wrong == 0) return "everything is there\n";
  if (needed)
    return "something that is needed is missing; torvyn doctor --fix runs the commands, and asks before each\n";
  return "all that is needed is there; for the rest, torvyn doctor LANGUAGE --fix runs the commands\n";
}

}  // namespace

int examine_machine(const DoctorOptions& options, const Session& session) {
  const auto manifest = find_manifest(session);
  if (!manifest) return report_failure(session, "doctor", manifest.error());
  std::vector<Finding> findings = examine(options, *manifest);
  std::vector<Fix> fixes;
  Status fixed;
  if (options.fix) {
    fixed = fix_all(to_fix(findings), options, session, fixes);
    if (!fixes.empty()) findings = examine(options, *manifest);
  }
  const bool missing =
      std::ranges::any_of(findings, [](const Finding& finding) { return finding.needed && !finding.ok(); });
  int exit_code = missing ? exit_usage : exit_success;
  if (!fixed) exit_code = fixed.error().code() == ErrorCode::usage ? exit_usage : exit_failed;

  JsonHead head{.command = "doctor", .exit_code = exit_code};
  if (!fixed) head.errors = {&fixed.error(), 1};
  if (session.json()) {
    const int printed = print_result(session, doctor_json(head, findings, fixes));
    return printed == exit_success ? exit_code : printed;
  }
  const Palette palette(examine_terminal(STDOUT_FILENO, session.options.color).color);
  const int printed = print_result(session, draw_findings(findings, palette) + conclusion(findings));
  if (!fixed) return report_failure(session, "doctor", fixed.error(), exit_code);
  return printed == exit_success ? exit_code : printed;
}

}  // namespace torvyn::cli
