// What a run did, as a person reads it at its end.
#pragma once

#include <string>

#include "torvyn/cli/terminal.h"
#include "torvyn/observability/flow_report.h"

namespace torvyn::cli {

// The closing line, the table of stages, and what is worth a remark:
//
//   completed in 1.46 s: 500,000 pulled = 499,993 delivered + 7 skipped
//    stage  path     in       out      errors  p50      p99      copies
//    file   builtin  -        500,000  0       0.05 µs  0.2 µs   -
//    upper  typed    500,000  499,993  7       0.19 µs  0.41 µs  500,000 read + 499,993 written, 122 MiB
//    …
//   buffers 100 % reused · first error: upper, element 3,120, invalid-input: not UTF-8 at byte 14
//
// `verbose` adds time and memory of the stages, and all errors that were kept. The error of a failed flow is not in it.
std::string draw_summary(const observability::FlowReport& report, const Palette& palette, bool verbose = false);

}  // namespace torvyn::cli
