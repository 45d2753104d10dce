// A component's file, looked at: what it is, asks for and consists of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/cli/terminal.h"
#include "torvyn/contracts/wasm_contents.h"
#include "torvyn/engine/component_info.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

// Something of the machine that a component imports.
struct CapabilityNeed {
  std::string name;                     // "filesystem-read"
  std::vector<std::string> interfaces;  // "wasi:filesystem/types@0.2.0"
  bool needs_grant = false;             // not among what every component has
};

struct Inspection {
  std::string file;
  std::string grant_name;  // what the component is called in [security.grants.NAME]
  std::uint64_t size_bytes = 0;
  engine::ComponentInfo info;
  contracts::WasmContents contents;
  std::vector<CapabilityNeed> needs;
  std::string path;              // "typed"; empty where it is no stage
  std::string path_reason;       // why it is called that way; likewise
  std::string engine;            // "wasmtime 48.0.8"
  std::vector<Error> obstacles;  // why it would not run here; empty: it does
};

// What the imports ask of the machine, by capability.
std::vector<CapabilityNeed> needs_of(const engine::ComponentInfo& info);

// A piece of Torvyn.toml with what has to be granted, to be pasted and narrowed; a comment where nothing has to.
std::string grants_block(std::string_view grant_name, std::span<const CapabilityNeed> needs);

// For people. With `verbose`, interfaces with what is in them, and the modules.
std::string draw_inspection(const Inspection& inspection, const Palette& palette, bool verbose);

// One part alone: "exports", "imports", "sizes", "modules", "memory", "producers" or "grants".
// Requires: `section` is one of them.
std::string draw_section(const Inspection& inspection, std::string_view section);

}  // namespace torvyn::cli
