// A flow's definition, linked, and made into a plan as often as the flow is started. Inside this folder only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "torvyn/host/flow_builder.h"
#include "torvyn/host/masked_events.h"
#include "torvyn/host/shared.h"
#include "torvyn/reactor/executor.h"
#include "torvyn/reactor/flow_plan.h"
#include "torvyn/security/sandbox.h"
#include "torvyn/types/ids.h"

namespace torvyn::host {

// Thread: one at a time.
class FlowMaker {
 public:
  // `shared` outlives this.
  FlowMaker(Shared& shared, FlowDefinition flow, const RunLimits& limits);

  // Fills in what the settings refer to, and links.
  Status link();

  // The same without what was filled in.
  Error masked(Error error) const;
  observability::FlowReport masked(observability::FlowReport report) const;

  const config::FlowConfig& flow() const noexcept { return flow_.config; }
  linker::LinkedFlow& linked() noexcept { return linked_; }
  std::optional<std::uint64_t> timeout_ns() const {
    return limits_.timeout_ns ? limits_.timeout_ns : flow_.config.timeout_ns;
  }

  Result<reactor::FlowPlan> plan(reactor::Interrupt& interrupt);

  // What a program puts into the flow from now on wakes it.
  void wake_by_inlets(reactor::Waker* flow);

  // As many as the node has instances.
  Result<std::vector<std::unique_ptr<reactor::Stage>>> make_stages(const linker::LinkedNode& node,
                                                                   reactor::Interrupt& interrupt);

 private:
  linker::BuiltinCatalog catalog() const;
  Result<std::unique_ptr<reactor::Stage>> builtin_stage(const linker::LinkedNode& node, reactor::Interrupt& interrupt);
  std::unique_ptr<reactor::Stage> component_stage(const linker::LinkedNode& node, const security::Sandbox& sandbox);

  Shared& shared_;
  FlowDefinition flow_;
  RunLimits limits_;
  TraceId trace_id_;
  std::optional<MaskedEvents> masked_events_;  // where something was filled in
  linker::LinkedFlow linked_;                  // points into `flow_`
};

}  // namespace torvyn::host
