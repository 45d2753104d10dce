// Building the components that a manifest names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "torvyn/cli/session.h"
#include "torvyn/config/manifest.h"
#include "torvyn/contracts/build.h"
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

// The same for a source file that stands for a stage, such as ./shout.py: it is built into the cache, where each file has a folder. Nothing
// for what is no source file. `path` is taken from `base`.
std::optional<contracts::BuildRequest> request_for_file(const std::filesystem::path& path,
                                                        const std::filesystem::path& base);

}  // namespace torvyn::cli
