// Effective configuration as a person and a program read it: data in, text out.
#pragma once

#include <span>
#include <string>

#include "torvyn/cli/cli_events.h"
#include "torvyn/cli/terminal.h"
#include "torvyn/config/layers.h"

namespace torvyn::cli {

// A section a paragraph, a setting a line: its value, and where it comes from. References in settings are shown as they were written;
// nothing here has ever seen what they stand for.
//
//   [runtime]
//    worker_threads            0         default
//    max_memory_per_component  "128MiB"  Torvyn.toml:7:28
//    fuel_per_invocation       500       TORVYN_RUNTIME_FUEL_PER_INVOCATION, no effect in this version
std::string draw_configuration(std::span<const config::EffectiveValue> values, const Palette& palette);

// A list of objects: `path`, `value`, `origin` (`layer`, and `file`, `line`, `column` or `variable` where it has them), `ceiling`,
// `inherited_from`, `effective` (false for a key that this version does not act on).
std::string configuration_json(std::span<const config::EffectiveValue> values);

// A notice as a warning.
Warning warning_of(const config::Notice& notice);

}  // namespace torvyn::cli
