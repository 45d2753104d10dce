// What is new in a flow's definition. Inside this folder only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "torvyn/host/flow_registry.h"

namespace torvyn::host {

struct FlowDifference {
  bool shape = false;                        // more than components: nodes, edges, settings, limits
  std::vector<std::string> components = {};  // nodes that have another component, in the order of the flow

  bool any() const noexcept { return shape || !components.empty(); }
};

// `before.stamps` may lack nodes: of those, the path alone counts. Where things were written makes no difference, nor does `description`.
FlowDifference compare(const FlowOrigin& before, const config::FlowConfig& next,
                       const std::filesystem::path& base_directory);

// Of the nodes whose component is a file that is there.
FileStamps stamps_of(const config::FlowConfig& flow, const std::filesystem::path& base_directory);

}  // namespace torvyn::host
