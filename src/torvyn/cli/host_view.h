// What a running host answered, as a person reads it: JSON in, text out. What a host sends is a stranger's: members that are missing or of another
// type are shown as `-`.
#pragma once

#include <string>
#include <string_view>

#include "torvyn/cli/terminal.h"

namespace torvyn::cli {

//  flow   id  state      pulled   delivered  errors  time
//  main   1   running    120,332  120,268    0       12 s
//  later  -   unstarted  -        -          -       -
//
// `all`: those too that have ended well and were started again since.
std::string draw_flows(std::string_view flows_json, bool all, const Palette& palette);

// One flow: how it stands, its stages and its streams.
std::string draw_flow(std::string_view flow_json, const Palette& palette);

// A line a flow: what was done about it, or would be done.
std::string draw_reload(std::string_view reload_json, const Palette& palette);

// The table of a live view: the host's line, then a line a flow with its rate since `before_json`, an earlier answer; empty for none.
std::string draw_top(std::string_view host_json, std::string_view flows_json, std::string_view before_json,
                     double seconds, const Palette& palette);

}  // namespace torvyn::cli
