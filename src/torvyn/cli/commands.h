// The commands. Each tells its result and returns the exit code of the process.
#pragma once

#include "torvyn/cli/options.h"
#include "torvyn/cli/session.h"

namespace torvyn::cli {

int run_flow(const RunOptions& options, const Session& session);
int inspect_component(const InspectOptions& options, const Session& session);
int build_components(const BuildOptions& options, const Session& session);
int explain_code(const ExplainOptions& options, const Session& session);
int show_versions(const VersionOptions& options, const Session& session);

}  // namespace torvyn::cli
