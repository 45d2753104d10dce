// The components of a flow that have sources here: built, and put in the flow's nodes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/cli/session.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/config/host_settings.h"
#include "torvyn/config/manifest.h"
#include "torvyn/contracts/build.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// A node whose component is built here.
struct BuiltStage {
  std::string name;  // as messages call the component
  std::string node;
  contracts::BuildRequest request;
  std::filesystem::path component;            // the file, as the flow knows it
  std::vector<std::filesystem::path> inputs;  // what it was made of
};

// Where a flow's components come from.
struct ComponentOrigins {
  const config::Manifest* manifest = nullptr;  // null: there is none
  const config::SecurityConfig& security;
  std::filesystem::path base;  // of the paths in the flow; empty = the current folder
  bool build = true;           // false: what was built before is used
};

// Builds the components that the flow names and that have sources here, and puts their files, with the grants of their names, in the nodes.
// Errors: E0210 a source or a component that is not there; of contracts::build_component.
Result<std::vector<BuiltStage>> build_components_of(config::FlowConfig& flow, const ComponentOrigins& origins,
                                                    const Session& session);

}  // namespace torvyn::cli
