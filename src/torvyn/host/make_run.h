// A definition becomes a flow that can run. Inside this folder only.
#pragma once

#include <cstdint>
#include <memory>

#include "torvyn/host/shared.h"

namespace torvyn::host {

// As Host::prepare. `shared` outlives the run. Whether the host's `flow_ended` hears of a flow that was started: those that the host keeps.
enum class Audience : std::uint8_t { nobody, host };
Result<std::unique_ptr<FlowRun>> make_run(Shared& shared, const FlowDefinition& flow, const RunLimits& limits,
                                          Audience audience);

}  // namespace torvyn::host
