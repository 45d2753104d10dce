// What a WebAssembly file is made of: its modules, memories and sections, and the tools it says it was made by.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "torvyn/types/error.h"

namespace torvyn::contracts {

// A core module, the machine code of a component. A component has one of its own, and often small ones that join it to its imports.
struct CoreModule {
  std::string name;  // from its name section; may be empty
  std::uint64_t size_bytes = 0;
  std::uint64_t code_bytes = 0;
  std::uint64_t data_bytes = 0;
  std::uint64_t functions = 0;  // its own, without imports
};

// A linear memory that one of the modules brings along.
struct CoreMemory {
  std::uint64_t initial_bytes = 0;
  std::optional<std::uint64_t> maximum_bytes;  // none: as far as the host lets it grow
};

// What a "producers" section says: a language, a tool that processed the file, an SDK.
struct Producer {
  std::string field;  // "language", "processed-by" or "sdk"
  std::string name;
  std::string version;  // may be empty
  friend auto operator<=>(const Producer&, const Producer&) = default;
};

// All sections of one kind together, their headers included.
struct SectionSize {
  std::string name;  // "code", "data", "names", "debug", "modules", "component", or "custom NAME"
  std::uint64_t bytes = 0;
};

struct WasmContents {
  std::vector<CoreModule> modules;  // in the order of the file
  std::vector<CoreMemory> memories;
  std::vector<Producer> producers;    // each once, by field and name
  std::vector<SectionSize> sections;  // largest first; together they are the file
  std::string language;  // "C", "C++", "Rust", "Go", "JavaScript", "Python", as far as the producers tell; else empty
};

// Reads a component or a core module, the modules and components within included. What it says is only as true as the file: names and
// producers are whatever its maker put there, bytes and all.
// Errors: E0104 where the sections don't add up, or a code section ends within a function.
Result<WasmContents> read_wasm_contents(std::span<const std::uint8_t> wasm);

}  // namespace torvyn::contracts
