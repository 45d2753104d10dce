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

Result<std::optional<config::Manifest>> find_manifest(const Session& session) {
  const std::filesystem::path& named = session.options.manifest;
  std::error_code error;
  if (named.empty() && !std::filesystem::exists(manifest_name, error)) return std::nullopt;
  TORVYN_LET(config::Manifest manifest, config::load_manifest(named.empty() ? manifest_name : named));
  return manifest;
}

Error manifest_needed(std::string_view instead) {
  return {ErrorCode::manifest_not_found, "there is no Torvyn.toml in this folder",
          "name a project's folder with -C DIR or its manifest with --manifest PATH; " + std::string(instead)};
}

std::filesystem::path cache_directory() {
  if (const auto home = folder_in("TORVYN_HOME"); !home.empty()) return home / "cache" / "compiled";
  // A relative XDG_CACHE_HOME is to be ignored, says its specification.
  if (const auto caches = folder_in("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "torvyn" / "compiled";
  if (const auto home = folder_in("HOME"); !home.empty()) return home / ".cache" / "torvyn" / "compiled";
  return {};
}

}  // namespace torvyn::cli
