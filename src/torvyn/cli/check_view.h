// What `check` and `link` found, as a person reads it: data in, text out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "torvyn/cli/terminal.h"
#include "torvyn/linker/flow_exam.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// One thing that was checked.
struct Check {
  std::string name;          // "manifest", "wit", "component", "capabilities", "deprecations", "link"
  std::string subject;       // the file, folder, component or flow; may be empty
  std::string skipped = {};  // why it was not checked; empty = it was
  std::vector<Error> errors = {};
  std::vector<Error> warnings = {};

  bool ok() const noexcept { return errors.empty(); }
};

//  manifest  ok       Torvyn.toml
//  wit       1 error  wit
//  link      -        main: `upper` is not built
std::string draw_checks(std::span<const Check> checks, const Palette& palette);

// A flow, its stages and its streams:
//
//   main: ok
//    node   component    role       interface
//    in     file         source     builtin
//    upper  upper.wasm   processor  torvyn:streaming/processor@0.1.0
//    out    stdout       sink       builtin
//    in → upper → out
//
// `detail` adds capabilities and content types where there are any.
std::string draw_exam(const linker::FlowExam& exam, const Palette& palette, bool detail);

}  // namespace torvyn::cli
