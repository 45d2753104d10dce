#include "torvyn/cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

#include "torvyn/cli/error_view.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

constexpr const char* manifest_name = "Torvyn.toml";

std::filesystem::path folder_in(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

std::filesystem::path cache_folder(const char* name) {
  if (const auto home = folder_in("TORVYN_HOME"); !home.empty()) return home / "cache" / name;
  // A relative XDG_CACHE_HOME is to be ignored, says its specification.
  if (const auto caches = folder_in("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "torvyn" / name;
  if (const auto home = folder_in("HOME"); !home.empty()) return home / ".cache" / "torvyn" / name;
  return {};
}

}  // namespace

int exit_code_of(const Error& error) noexcept {
  switch (error.code()) {
    case ErrorCode::manifest_not_found:
    case ErrorCode::io_failed:
    case ErrorCode::pipeline_syntax:
    case ErrorCode::usage:
    case ErrorCode::tool_missing:
    case ErrorCode::component_not_found:
      return exit_usage;
    default:
      return exit_failed;
  }
}

int report_failure(const Session& session, std::string_view command, const Error& error, int exit_code) {
  if (session.json()) {
    write_text(STDOUT_FILENO, head_json({.command = command, .exit_code = exit_code, .errors = {&error, 1}}));
  } else {
    session.screen.print(draw_error(error, session.screen.palette(), session.options.verbose));
  }
  return exit_code;
}

int report_failure(const Session& session, std::string_view command, const Error& error) {
  return report_failure(session, command, error, exit_code_of(error));
}

int print_result(const Session& session, std::string_view text) {
  if (write_text(STDOUT_FILENO, text)) return exit_success;
  session.screen.print(draw_error(io_error("cannot write to", "standard output", errno), session.screen.palette()));
  return exit_failed;
}

Result<config::Configuration> find_configuration(const Session& session) {
  config::ConfigurationSources sources = config::ConfigurationSources::of_process();
  sources.assignments = session.options.assignments;
  sources.project_file = session.options.manifest;
  std::error_code error;
  if (sources.project_file.empty() && std::filesystem::exists(manifest_name, error))
    sources.project_file = manifest_name;
  return config::load_configuration(sources);
}

Result<std::optional<config::Manifest>> find_manifest(const Session& session) {
  TORVYN_LET(config::Configuration configuration, find_configuration(session));
  if (!configuration.has_project) return std::nullopt;
  return std::move(configuration.manifest);
}

Error manifest_needed(std::string_view instead) {
  return {ErrorCode::manifest_not_found, "there is no Torvyn.toml in this folder",
          "name a project's folder with -C DIR or its manifest with --manifest PATH; " + std::string(instead)};
}

std::filesystem::path audit_log_path() {
  constexpr const char* name = "audit.jsonl";
  if (const auto state = folder_in("STATE_DIRECTORY"); state.is_absolute()) return state / name;
  if (const auto state = folder_in("TORVYN_STATE_DIR"); !state.empty()) return std::filesystem::absolute(state) / name;
  if (const auto state = folder_in("XDG_STATE_HOME"); state.is_absolute()) return state / "torvyn" / name;
  if (const auto home = folder_in("HOME"); home.is_absolute()) return home / ".local" / "state" / "torvyn" / name;
  return {};
}

std::filesystem::path cache_directory() { return cache_folder("compiled"); }
std::filesystem::path build_cache_directory() { return cache_folder("build"); }

}  // namespace torvyn::cli
