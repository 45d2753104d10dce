// Errors and reports as JSON, with the names that the documentation promises: what `--format json` and the inspection API say of them.
#pragma once

#include <string>

#include "torvyn/observability/flow_report.h"
#include "torvyn/types/error.h"

namespace torvyn::observability {

// An object: `code`, `message`, `hint`, and of `file`, `line`, `column`, `flow`, `node`, `component`, `element`, `element_bytes`, `element_place`,
// `trap`, `guest_backtrace`, `guest_lines` and `consequence` those that are known. Bytes that are not UTF-8 become U+FFFD.
std::string error_json(const Error& error);

// An object: `flow`, `copies`, `bytes_copied`, `stages`, `streams`, `pools`.
std::string report_json(const FlowReport& report);

// A list, one object a tier.
std::string pools_json(const resources::PoolStats& pools);

}  // namespace torvyn::observability
