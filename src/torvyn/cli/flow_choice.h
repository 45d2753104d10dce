// Which flow is run, and from where to where.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "torvyn/config/flow_config.h"
#include "torvyn/config/manifest.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// The flow called `name`; for an empty name the only one, or the one called `main`. Valid while the manifest is.
// Errors: E0207, listing the flows.
Result<const config::FlowConfig*> choose_flow(const config::Manifest& manifest, std::string_view name);

// Puts what --input names in place of the flow's source: `-` is stdin, `generate …` a generator, anything else a file, which does
// about failures what the source did. The path is as typed, from the current folder; `base` is where the flow's own paths are
// taken from.
// Errors: E0006 where the flow has not one source; E0005 in the words behind `generate`.
Status replace_source(config::FlowConfig& flow, const std::string& input, const std::filesystem::path& base);

// The same with --output and the flow's sink; `-` is stdout. Where dead letters end up is not meant.
Status replace_sink(config::FlowConfig& flow, const std::string& output, const std::filesystem::path& base);

// Whether a stage writes to this process's stdout, so that nothing else may.
bool writes_to_stdout(const config::FlowConfig& flow);

}  // namespace torvyn::cli
