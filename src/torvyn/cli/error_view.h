// An error as a person reads it.
#pragma once

#include <string>

#include "torvyn/cli/terminal.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// How many lines of a guest's backtrace and of its last words are drawn.
inline constexpr std::size_t guest_lines_shown = 8;

// Draws all that is known of an error:
//
//   error[E0701]: unknown key `componnet`, did you mean `component`?
//     --> Torvyn.toml:14:1
//      |
//   14 | componnet = "upper.wasm"
//      | ^^^^^^^^^
//
//   error[E0420]: shout panicked: I cannot shout this: "hello 2"
//     where  flow main › node shout › element 2 (7 bytes; line 3 of in.txt)
//     guest  shout at src/lib.rs:8
//     wrote  about to shout
//     then   flow failed; 2 delivered, 1 failed, out.log.partial kept
//     fix    on_error = "skip" in [flow.main.nodes.shout]; torvyn explain E0420
//
// `verbose` draws all of the guest's lines.
std::string draw_error(const Error& error, const Palette& palette, bool verbose = false);

// The same for what keeps nothing from working: "warning[W0110]: …".
std::string draw_caution(const Error& warning, const Palette& palette);

}  // namespace torvyn::cli
