// Reports as JSON: one object each, with the names that spec and documentation promise. Bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/explanations.h"
#include "torvyn/engine/component_info.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// What every command's object begins with.
struct JsonHead {
  std::string_view command;
  int exit_code = 0;
  std::span<const Error> errors = {};
  std::span<const Warning> warnings = {};
};

// A component's file, looked at.
struct Inspection {
  std::string file;
  std::uint64_t size_bytes = 0;
  engine::ComponentInfo info;
  std::string path;              // "typed"; empty where it is no stage
  std::string engine;            // "wasmtime 48.0.8"
  std::vector<Error> obstacles;  // why it would not run here; empty: it does
};

// A component, built.
struct BuiltComponent {
  std::string component;  // the file
  std::string world;      // in full, or empty
  std::string path;       // "typed"; empty where it is no stage
  std::uint64_t size_bytes = 0;
  bool up_to_date = false;
};

struct Versions {
  std::string torvyn;
  std::string contract;
  std::string engine;
  std::string bridge;
};

// The head alone, for a command that failed before it had more to say.
std::string head_json(const JsonHead& head);
std::string run_json(const JsonHead& head, const observability::FlowReport& report);
// Flows side by side: what run_json says of one is said of each in the list `flows`.
std::string runs_json(const JsonHead& head, std::span<const observability::FlowReport> reports);
std::string inspect_json(const JsonHead& head, const Inspection& inspection);
std::string build_json(const JsonHead& head, std::span<const BuiltComponent> built);
std::string version_json(const JsonHead& head, const Versions& versions);
std::string explain_json(const JsonHead& head, const Explanation& explanation);

}  // namespace torvyn::cli
