// `torvyn build`: sources of any language, or a core module, to a component.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/language.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// What to build. Relative paths are taken from the current folder; nothing of where a build runs ends up in its
// component, so the same sources give the same bytes anywhere.
struct BuildRequest {
  // One folder: of a project with Cargo.toml, go.mod, pyproject.toml or package.json, else of the sources directly in it. Or source
  // files; several of them in C and C++ only. Or one core module (.wasm).
  std::vector<std::filesystem::path> sources;
  // Nothing: found from the sources.
  std::optional<Language> language = {};
  // Run by a shell in the sources' folder instead of anything else. It leaves a component or a core module in the file that
  // $TORVYN_OUTPUT names. May be empty.
  std::string command;
  // The component. Empty: beside the sources, named after the first file or the folder. Its folder is made where it is
  // missing.
  std::filesystem::path output;
  // Generated bindings, objects, the stamp of the last build, and in sdk/ the headers of the SDK. Empty: target/NAME beside the sources. One component
  // a folder.
  std::filesystem::path work_dir;
  // What the tools of a language keep between builds, and the tools themselves where they are fetched. Shared by all builds of a user.
  // Empty: the work folder, so everything is made and fetched for this component alone.
  std::filesystem::path cache_dir;
  // A folder of WIT of one's own, with what it depends on in deps/, as usual; the contract packages are always there.
  // Its worlds can be chosen like the contract's. May be empty.
  std::filesystem::path wit_dir;
  // "managed-transform", or in full "torvyn:streaming/managed-transform@0.1.0". Empty: the one whose header the
  // sources include, "torvyn/managed_transform.h", or that the SDK's header of a role includes for them,
  // <torvyn/processor.h>. For a core module only needed where it carries no component type.
  std::string world;
  // Leaves out the line tables that let a backtrace name file and line. Function names are kept in any case.
  bool release = false;
  // Asks the compiler for coloured messages.
  bool color = false;
  // Further arguments: those that begin with -l, -L or -Wl, go to the linker, the others to the compiler.
  std::vector<std::string> flags;
  // Is given what the compiler and the linker write, unchanged, on the calling thread. May be empty.
  std::function<void(std::string_view)> on_output;
  // Is given a sentence where a build takes long for a reason: something is fetched, or made once. May be empty.
  std::function<void(std::string_view)> on_note;
};

struct BuildOutput {
  std::filesystem::path component;
  std::string world;                 // in full; empty where the sources leave it to their own tools
  std::optional<Language> language;  // nothing for a core module or a command of one's own
  std::uint64_t size_bytes = 0;
  bool up_to_date = false;                    // nothing had changed, nothing was done
  std::vector<std::filesystem::path> inputs;  // files it was made of; another build is needed where one changes
};

// Builds a component, or does nothing if neither sources, headers, flags, compiler, SDK nor contract packages have changed
// since the component was built. The output is replaced in one step, and only by a component that is valid and exports what its world
// asks for.
//
// Every component made of C or C++ can also import torvyn:diagnostics and torvyn:capabilities; imports it does not use
// don't appear in it.
//
// Thread: any; two builds with the same `work_dir` wait for each other, also across processes. Blocks for as long as
// the compiler takes.
//
// Errors: E0004 a file cannot be read or written; E0006 sources that cannot be built, no world or several; E0010 a
// tool is missing; E0011 the compiler or linker refused, with the place of the first error; E0100, E0101 WIT; E0102 what was
// made exports no interface of a stage; E0104 a source that is neither code nor a core module, or a module that does not fit its
// world.
Result<BuildOutput> build_component(const BuildRequest& request);

}  // namespace torvyn::contracts
