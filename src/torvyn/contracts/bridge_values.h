// Private to contracts: WIT files on their way to the bridge, and what it says of them.
#pragma once

#include <span>
#include <vector>

#include "torvyn_bridge_values.h"

#include "torvyn/contracts/wit.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

using bridge::take;
using bridge::text_of;
using bridge::view_of;

// Valid as long as the files' texts are.
std::vector<tvb_wit_file> bridge_files(std::span<const WitFile> files);

// The error a failure means: E0100 and E0101 for WIT, E0007 for a panic; `otherwise` for the rest. It stays the bridge's.
Error error_of(const tvb_failure& failure, ErrorCode otherwise);

// The same, and frees it.
Error take_error(tvb_failure& failure, ErrorCode otherwise);

}  // namespace torvyn::contracts
