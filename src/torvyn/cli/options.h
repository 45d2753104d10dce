// The command line as data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "torvyn/cli/terminal.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

namespace torvyn::cli {

enum class OutputFormat : std::uint8_t { human, json };

// What every command takes, before or after its name.
struct GlobalOptions {
  OutputFormat format = OutputFormat::human;
  ColorChoice color = ColorChoice::automatic;
  bool quiet = false;                    // errors and warnings alone
  bool verbose = false;                  // more of everything
  std::filesystem::path directory;       // to work in; empty = where we are
  std::filesystem::path manifest;        // empty = Torvyn.toml
  std::vector<std::string> assignments;  // of --set, as typed
};

struct RunOptions {
  std::string pipeline;                       // a pipeline, or the name of a flow; empty = the manifest's flow
  std::vector<std::string> flows;             // of the manifest, side by side; no name twice
  std::optional<std::string> input;           // a path, "-", or "generate …"; not for several flows
  std::optional<std::string> output;          // a path, or "-"; likewise
  std::optional<std::uint64_t> elements_max;  // of each flow, like the next two
  std::optional<std::uint64_t> timeout_ns;
  std::optional<std::uint64_t> errors_max;
  bool no_build = false;
  bool watch = false;                 // sources are built again when they change
  std::optional<Severity> log_level;  // empty = info, debug with --verbose, warn with --quiet
  std::filesystem::path summary;      // empty = the screen
};

struct CheckOptions {
  bool schema = false;  // show the schema of manifests instead
  bool strict = false;  // warnings are errors
};

struct InspectOptions {
  std::filesystem::path file;
  std::string section;  // the part to show; empty = all
};

struct BuildOptions {
  std::vector<std::filesystem::path> sources;  // empty = the manifest's components
  std::filesystem::path output;
  std::filesystem::path work_dir;
  std::string world;
  std::filesystem::path wit_dir;
  bool release = false;
  std::vector<std::string> flags;
  std::string component;  // empty = all of them
};

struct InitOptions {
  std::filesystem::path directory;  // named after the project; empty = where we are
  std::string template_name;        // empty = transform
  std::string language;
  std::string contract_version;  // empty = the one this binary has
  bool interactive = false;
  bool force = false;
  bool no_git = false;
  bool no_example = false;
};

struct LinkOptions {
  std::string flow;                  // empty = all of the manifest
  std::filesystem::path components;  // where built components are; empty = target/
  bool detail = false;
};

struct ExplainOptions {
  std::string code;
};

struct DoctorOptions {
  std::vector<std::string> languages;  // empty = all
  bool fix = false;
  bool yes = false;
};

struct StagesOptions {
  std::string stage;  // empty = all
};

struct ServeOptions {
  bool no_build = false;
  std::optional<Severity> log_level;  // empty = that of `[log] filter`
};

// Of the commands that talk to a running host, `host` is what --host says: a name, a socket or a URL; empty = the only one there is.
struct PsOptions {
  std::string host;
  std::string flow;  // shown with its stages; empty = all flows, a line each
  bool all = false;  // earlier runs of flows too
};

struct TopOptions {
  std::string host;
  std::uint64_t interval_ns = 1'000'000'000;
  bool once = false;
};

struct StartOptions {
  std::string host;
  std::string flow;
  std::string pipeline;  // empty = the flow of the host's manifest
  std::optional<std::uint64_t> elements_max;
  std::optional<std::uint64_t> timeout_ns;
};

struct CancelOptions {
  std::string host;
  std::string flow;
  bool drain = false;    // what is in flight is finished
  bool no_wait = false;  // until it has ended
};

struct SwapOptions {
  std::string host;
  std::string flow;
  std::string node;
  std::string component;
  bool flush = false;
};

struct ReloadOptions {
  std::string host;
  bool dry_run = false;
};

struct LevelOptions {
  std::string host;
  std::string level;  // empty = it is shown
};

struct CompletionsOptions {
  std::string shell;
};

struct ManOptions {};

struct VersionOptions {};

// Text that was asked for by --help or --version.
struct TextOptions {
  std::string text;
};

using Command =
    std::variant<RunOptions, CheckOptions, LinkOptions, InspectOptions, BuildOptions, InitOptions, DoctorOptions,
                 ExplainOptions, StagesOptions, ServeOptions, PsOptions, TopOptions, StartOptions, CancelOptions,
                 SwapOptions, ReloadOptions, LevelOptions, CompletionsOptions, ManOptions, VersionOptions, TextOptions>;

struct CommandLine {
  GlobalOptions global;  // as far as they could be read
  std::string name;      // of the command, as typed; may be empty
  Result<Command> command;
};

// Reads `arguments`, without the program's name. The environment's TORVYN_LOG stands in for --log-level.
// Errors: E0006, with the nearest name for an unknown command or option.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace torvyn::cli
