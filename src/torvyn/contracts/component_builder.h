// `torvyn build`: C and C++ sources, or a core module, to a component.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// What to build. Relative paths are taken from the current folder; nothing of where a build runs ends up in its
// component, so the same sources give the same bytes anywhere.
struct BuildRequest {
  // One or more .c, .cc, .cpp or .cxx files; or one folder, which stands for those directly in it; or one core module
  // (.wasm).
  std::vector<std::filesystem::path> sources;
  // The component. Empty: beside the sources, named after the first file or the folder. Its folder is made where it is
  // missing.
  std::filesystem::path output;
  // Generated bindings, objects and the stamp of the last build. Empty: target/NAME beside the sources. One component
  // a folder.
  std::filesystem::path work_dir;
  // A folder of WIT of one's own, with what it depends on in deps/, as usual; the contract packages are always there.
  // Its worlds can be chosen like the contract's. May be empty.
  std::filesystem::path wit_dir;
  // "managed-transform", or in full "torvyn:streaming/managed-transform@0.1.0". Empty: the one whose header the
  // sources include,
  // "torvyn/managed_transform.h". For a core module only needed where it carries no component type.
  std::string world;
  // Leaves out the line tables that let a backtrace name file and line. Function names are kept in any case.
  bool release = false;
  // Asks the compiler for coloured messages.
  bool color = false;
  // Further arguments: those that begin with -l, -L or -Wl, go to the linker, the others to the compiler.
  std::vector<std::string> flags;
  // Is given what the compiler and the linker write, unchanged, on the calling thread. May be empty.
  std::function<void(std::string_view)> on_output;
};

struct BuildOutput {
  std::filesystem::path component;
  std::string world;  // in full; empty for a core module that carried its type
  std::uint64_t size_bytes = 0;
  bool up_to_date = false;  // nothing had changed, nothing was done
};

// Builds a component, or does nothing if neither sources, headers, flags, compiler nor contract packages have changed
// since the component was built. The output is replaced in one step, and only by a component that is valid.
//
// Every component made of C or C++ can also import torvyn:diagnostics and torvyn:capabilities; imports it does not use
// don't appear in it.
//
// Thread: any; two builds with the same `work_dir` wait for each other, also across processes. Blocks for as long as
// the compiler takes.
//
// Errors: E0004 a file cannot be read or written; E0006 sources that cannot be built, no world or several; E0010 a
// tool is missing; E0011 the compiler or linker refused, with the place of the first error; E0100, E0101 WIT; E0104 a
// source that is neither code nor a core module, or a module that does not fit its world.
Result<BuildOutput> build_component(const BuildRequest& request);

}  // namespace torvyn::contracts
