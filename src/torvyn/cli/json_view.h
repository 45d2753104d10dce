// Reports as JSON: one object each, with the names that spec and documentation promise. Bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/check_view.h"
#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/doctor.h"
#include "torvyn/cli/explanations.h"
#include "torvyn/cli/inspection.h"
#include "torvyn/config/layers.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/engine/component_info.h"
#include "torvyn/linker/flow_exam.h"
#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// What every command's object begins with.
struct JsonHead {
  std::string_view command;
  int exit_code = 0;
  std::span<const Error> errors = {};
  std::span<const Warning> warnings = {};
  std::span<const Error> cautions = {};  // warnings with all that an error knows; they follow the others
};

// A component, built.
struct BuiltComponent {
  std::string name;
  std::string language;   // "rust"; empty for a core module or a command of one's own
  std::string component;  // the file
  std::string world;      // in full, or empty
  std::string path;       // "typed"; empty where it is no stage
  std::uint64_t size_bytes = 0;
  bool up_to_date = false;
};

// A project, made.
struct CreatedProject {
  std::string name;
  std::string directory;
  std::string language;
  std::string template_name;
  bool repository = false;  // a git repository was made for it
  bool example = false;     // it has a flow that runs at once
  std::vector<std::string> files;
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
std::string init_json(const JsonHead& head, const CreatedProject& created);
// With the effective configuration, see configuration_json, where one is given.
std::string check_json(const JsonHead& head, std::span<const Check> checks, const config::Configuration* configuration);
std::string link_json(const JsonHead& head, std::span<const linker::FlowExam> flows);
std::string version_json(const JsonHead& head, const Versions& versions);
std::string doctor_json(const JsonHead& head, std::span<const Finding> findings, std::span<const Fix> fixes);
std::string stages_json(const JsonHead& head, std::span<const connectors::BuiltinInfo> stages);
std::string explain_json(const JsonHead& head, const Explanation& explanation);

}  // namespace torvyn::cli
