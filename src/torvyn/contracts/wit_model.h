// What WIT packages or a component say, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/wit.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// Where something stands in WIT; lines and columns count from 1, columns count bytes. Empty for what comes from a component.
struct WitPlace {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// What types and functions have in common.
struct WitDefinition {
  std::string name;  // of a method with its resource: "buffer.read"
  std::string text;  // as WIT
  // Equal for what is the same on the wire, in any model: names of types and parameters don't count, nor versions; names of fields,
  // cases and resources do.
  std::string shape;
  std::vector<std::string>
      refers;              // the named types it is made of, at first hand: "torvyn:streaming/types@0.1.0.buffer"
  std::string deprecated;  // the version since which; empty = it is not
  WitPlace place;
};

struct WitFunction : WitDefinition {};

struct WitType : WitDefinition {
  bool is_resource = false;
  std::string used_from;  // where `use` brought it in: its full name there
};

struct WitInterface {
  std::string name;  // "torvyn:streaming/types@0.1.0"; empty for one written inside a world
  std::vector<WitType> types;
  std::vector<WitFunction> functions;
  std::string deprecated;
  WitPlace place;

  // Null where there is none; valid while the model is.
  const WitType* find_type(std::string_view type) const noexcept;
  const WitFunction* find_function(std::string_view function) const noexcept;
};

// An import or export of a world.
struct WitItem {
  std::string name;                      // "torvyn:streaming/types@0.1.0", or that of a function or type
  std::optional<std::size_t> interface;  // index into the model's
  std::optional<WitFunction> function;
  std::optional<WitType> type;
  std::string deprecated;
  WitPlace place;
};

struct WitWorld {
  std::string name;     // "transform"
  std::string package;  // "torvyn:streaming@0.1.0"
  std::vector<WitItem> imports;
  std::vector<WitItem> exports;
  std::string deprecated;
  WitPlace place;

  std::string full_name() const;  // "torvyn:streaming/transform@0.1.0"
};

struct WitModel {
  std::vector<WitInterface> interfaces;
  std::vector<WitWorld> worlds;
  std::optional<std::size_t> component;  // the world that a component is

  // By name with or without version; of several versions the one compatible with `name`'s, else any. Null where there is none.
  const WitInterface* find_interface(std::string_view name) const noexcept;
  // By a type's full name, "torvyn:streaming/types@0.1.0.buffer", its version taken as above.
  const WitType* find_type(std::string_view full_name) const noexcept;
};

// Reads WIT packages, in any order; all that they use is among them. Errors: of wit_model.
Result<WitModel> read_wit(std::span<const WitFile> files);

// Reads a component without compiling it. Of each interface it has what the component uses, and no places.
// Errors: E0104 where it is none, with what it is instead; `name` stands for it.
Result<WitModel> read_component(std::span<const std::uint8_t> wasm, std::string_view name);

}  // namespace torvyn::contracts
