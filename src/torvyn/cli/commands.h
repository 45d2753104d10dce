// The commands. Each tells its result and returns the exit code of the process.
#pragma once

#include "torvyn/cli/options.h"
#include "torvyn/cli/session.h"

namespace torvyn::cli {

int run_flow(const RunOptions& options, const Session& session);
int check_project(const CheckOptions& options, const Session& session);
int inspect_component(const InspectOptions& options, const Session& session);
int build_components(const BuildOptions& options, const Session& session);
int init_project(const InitOptions& options, const Session& session);
int link_flows(const LinkOptions& options, const Session& session);
int explain_code(const ExplainOptions& options, const Session& session);
int examine_machine(const DoctorOptions& options, const Session& session);
int show_stages(const StagesOptions& options, const Session& session);
int serve_flows(const ServeOptions& options, const Session& session);
int show_flows(const PsOptions& options, const Session& session);
int watch_host(const TopOptions& options, const Session& session);
int start_flow(const StartOptions& options, const Session& session);
int cancel_flow(const CancelOptions& options, const Session& session);
int swap_component(const SwapOptions& options, const Session& session);
int reload_manifest(const ReloadOptions& options, const Session& session);
int show_level(const LevelOptions& options, const Session& session);
int print_completions(const CompletionsOptions& options, const Session& session);
int print_man_page(const ManOptions& options, const Session& session);
int show_versions(const VersionOptions& options, const Session& session);

}  // namespace torvyn::cli
