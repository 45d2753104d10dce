// Torvyn.toml as plain structs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/config/runtime_config.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// `[[component]]`.
struct ComponentConfig {
  std::string name;
  std::string path;           // folder or source file, relative to the manifest
  std::string language;       // "c", "cpp", "rust", "go", "python", "javascript"; empty = found from the sources
  std::string build_command;  // empty = the language's own
  std::vector<Capability> required_capabilities;  // `requires`
  std::vector<std::string> accepts;               // content types; empty = nothing said
  std::vector<std::string> produces;
  SourceLocation where;
};

struct Manifest {
  std::filesystem::path path;       // of the file itself
  std::filesystem::path directory;  // paths in the manifest are relative to this; "." rather than empty
  std::string name;
  std::string version;
  std::string contract_version;  // 0.1.x
  std::string description;
  std::vector<std::string> authors;
  std::string license;
  std::string repository;
  std::vector<ComponentConfig> components;
  std::vector<FlowConfig> flows;                  // in file order
  std::vector<Capability> required_capabilities;  // `[capabilities.required]`: those that are true
  std::vector<Capability> optional_capabilities;  // `[capabilities.optional]`
  RuntimeConfig runtime;
  ObservabilityConfig observability;
  ApiConfig api;
  LogConfig log;
  SecurityConfig security;
  RegistryConfig registry;

  // Takes `file` for its path, and that one's folder for its directory.
  void place_in(const std::filesystem::path& file);

  // Null where there is none; valid while the manifest is.
  const FlowConfig* find_flow(std::string_view name) const noexcept;
  const ComponentConfig* find_component(std::string_view name) const noexcept;
};

// What `on_error` names: an action for some cases, and for the `others` one, its `default`. A plain action is that alone.
struct ErrorActions {
  std::optional<ErrorAction> invalid_input = {};
  std::optional<ErrorAction> unavailable = {};
  std::optional<ErrorAction> internal = {};
  std::optional<ErrorAction> deadline_exceeded = {};
  std::optional<ErrorAction> others = {};
};

// The rule that ErrorPolicy tells. `has_dead_letter`: the node has a dead-letter node.
ErrorPolicy error_policy(const ErrorActions& named, bool has_dead_letter);

// What the choices of `on_error`, `on_trap` and `backpressure_policy` mean. Requires: one of those that manifest_schema() has.
ErrorAction error_action(std::string_view choice);
TrapAction trap_action(std::string_view choice);
Placement placement(std::string_view choice);
FullPolicy full_policy(std::string_view choice);

// The longest manifest that is read. A manifest is written by hand; this one would be a mistake.
inline constexpr std::uint64_t manifest_bytes_max = 4 * mib;

// Reads a manifest, and nothing but it: load_configuration (layers.h) lays it over what the machine and the user say. Errors: E0001 not there; E0004 a folder, unreadable or too long; E0002 not TOML; E0201 another contract
// version; E0700 wrong type or a required key missing; E0701 unknown key, with the nearest valid one; E0702 out of range,
// or given twice. The first error of the file is the one returned, with line and column, and the source line for a caret; E0001,
// E0004 and a rare E0002 have the file only.
//
// Where both `[capabilities.torvyn] max-memory` and `[runtime] max_memory_per_component` are given, the smaller one holds.
Result<Manifest> load_manifest(const std::filesystem::path& path);

// The same from text; `name` stands for the file in messages. Paths stay as written.
Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& name);

}  // namespace torvyn::config
