// What a node's component asks for, held against what it was granted.
#pragma once

#include <span>
#include <string_view>

#include "torvyn/config/capability.h"
#include "torvyn/config/flow_config.h"
#include "torvyn/engine/component_info.h"
#include "torvyn/types/error.h"

namespace torvyn::linker {

// Whether grants of these capabilities open anything of what `needed` stands for, which is a capability that an import belongs to: an import of
// files belongs to the right to read, and whoever may write has it as well.
bool opens_import(std::span<const std::string_view> granted, std::string_view needed) noexcept;

// Errors: E0202 a capability that the node's component cannot do without, or, with `strict_imports`, one that an import of it belongs to, is not
// among `grants`.
Status check_grants(const config::NodeConfig& node, const engine::ComponentInfo& info,
                    std::span<const config::Capability> grants, bool strict_imports);

}  // namespace torvyn::linker
