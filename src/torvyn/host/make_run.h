// A definition becomes a flow that can run. Inside this folder only.
#pragma once

#include <memory>

#include "torvyn/host/shared.h"

namespace torvyn::host {

// As Host::prepare. `shared` outlives the run.
Result<std::unique_ptr<FlowRun>> make_run(Shared& shared, const config::FlowConfig& flow, const RunLimits& limits);

}  // namespace torvyn::host
