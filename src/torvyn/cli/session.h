// What all commands share: the options, the screen, and how a result is told.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "torvyn/cli/options.h"
#include "torvyn/cli/screen.h"
#include "torvyn/config/layers.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

inline constexpr int exit_success = 0;
inline constexpr int exit_failed = 1;  // the work failed
inline constexpr int exit_usage = 2;   // it could not even be begun: usage, or something needed is missing

struct Session {
  const GlobalOptions& options;
  Screen& screen;  // stderr

  bool json() const noexcept { return options.format == OutputFormat::json; }
  // Whether a person wants to read how things go.
  bool chatty() const noexcept { return !json() && !options.quiet; }
};

// The exit code of a command that ends with this error before it has begun its work.
int exit_code_of(const Error& error) noexcept;

// Tells why a command failed: drawn on the screen, or as JSON on stdout. Returns `exit_code`.
int report_failure(const Session& session, std::string_view command, const Error& error, int exit_code);
int report_failure(const Session& session, std::string_view command, const Error& error);

// Writes a result to stdout. The exit code: failure, and said so, where it cannot be written.
int print_result(const Session& session, std::string_view text);

// All that is configured: Torvyn.toml or what --manifest names, where there is one, laid over the user's and the machine's configuration,
// and under the environment and --set.
// Errors: of config::load_configuration.
Result<config::Configuration> find_configuration(const Session& session);

// Its manifest: Torvyn.toml, or what --manifest names. Nothing where there is no Torvyn.toml and none was asked for.
// Errors: of find_configuration.
Result<std::optional<config::Manifest>> find_manifest(const Session& session);

// E0001, for a command that cannot do without. `instead` says what else can be done.
Error manifest_needed(std::string_view instead);

// Where compiled code is kept: below TORVYN_HOME, XDG_CACHE_HOME or HOME. Empty where none of them is set.
std::filesystem::path cache_directory();

// Where builds keep tools that were fetched, and what components of source files in a pipeline are built into. Likewise.
std::filesystem::path build_cache_directory();
// Where the audit log is kept when `audit_path` doesn't say: in the folder that a service manager keeps for the service, in TORVYN_STATE_DIR, or in
// the user's for state. Empty where there is none of them.
std::filesystem::path audit_log_path();

}  // namespace torvyn::cli
