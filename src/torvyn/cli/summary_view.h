// What a run did, as a person reads it at its end.
#pragma once

#include <string>

#include "torvyn/cli/terminal.h"
#include "torvyn/observability/flow_report.h"

namespace torvyn::cli {

// The closing line, the table of stages, and what is worth a remark:
//
//   completed in 1.46 s: 500,000 pulled = 499,993 delivered + 7 dead-lettered
//    stage     path       in       out      errors  restarts  p50      p99      copies
//    file      builtin    -        500,000  0       0         0.05 µs  0.2 µs   -
//    upper     direct ×4  500,000  500,000  7       1         0.19 µs  0.41 µs  500,000 read + 499,993 written, 122 MiB
//    …
//    stream        elements  dropped  peak  backpressure
//    upper → slow  499,993   1,200    64    81 times, 340 ms
//   buffers 100 % reused · latency 0.5 µs p50, 2 µs p99 · 7 dead letters from upper to rejected
//   first error: upper, element 3,120, invalid-input: not UTF-8 at byte 14
//
// What happened nowhere has no column, line or remark. Streams that dropped something are shown, all of them if verbose. The error
// of a failed flow is not in it.
struct SummaryOptions {
  bool verbose = false;  // time and memory of the stages, all streams, and all errors that were kept
  bool named = false;    // begin with the flow's name: it is one of several
};
std::string draw_summary(const observability::FlowReport& report, const Palette& palette,
                         const SummaryOptions& options = {});

}  // namespace torvyn::cli
