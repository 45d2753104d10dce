// Building the components that a manifest names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "torvyn/cli/session.h"
#include "torvyn/config/manifest.h"
#include "torvyn/contracts/component_builder.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// target/NAME.wasm beside the manifest.
std::filesystem::path built_path(const config::Manifest& manifest, const config::ComponentConfig& component);

// Builds with the compiler's messages on the screen, unchanged, and a live line that names what is built.
// Errors: of contracts::build_component.
Result<contracts::BuildOutput> build_on_screen(contracts::BuildRequest request, const std::string& name,
                                               const Session& session);

// What `torvyn build` and `torvyn run` ask for, for a component of the manifest.
contracts::BuildRequest request_for(const config::Manifest& manifest, const config::ComponentConfig& component);

}  // namespace torvyn::cli
