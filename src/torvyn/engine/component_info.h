// What a component imports and exports, and what that makes of it in a flow.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/worlds.h"
#include "torvyn/types/error.h"

namespace torvyn::engine {

// One import or export of a component.
struct InterfaceInfo {
  std::string name;                // "torvyn:streaming/types@0.1.0"
  std::string kind;                // "instance", "function", "type", …
  std::vector<std::string> items;  // what an instance holds
};

// A part a component can play in a flow.
struct StageInfo {
  contracts::Role role = contracts::Role::processor;
  contracts::Contract contract = contracts::Contract::element;
  std::string interface;  // "torvyn:streaming/processor@0.1.0"
};

struct ComponentInfo {
  std::vector<InterfaceInfo> imports;
  std::vector<InterfaceInfo> exports;
  std::vector<StageInfo> stages;  // batch forms first: they are preferred where a component exports both
  bool has_lifecycle = false;
  bool has_acks = false;
  // A call may wait for something outside, as far as the imports tell: it can poll, or reach sockets or HTTP. Files are no reason as long as
  // nobody is granted any: guests that only print import them too.
  bool may_block = false;

  // Why its calls go by the engine's typed ones: "it imports wasi:io/poll@0.2.0". Empty: it is called directly.
  std::string typed_because;

  const StageInfo* find_stage(contracts::Role role) const noexcept;
};

// Reads the JSON that the bridge describes a component with, and finds its parts; there are none where it is no stage.
// Errors: E0007 where the description is none.
Result<ComponentInfo> read_component_info(std::string_view description);

// Whether it is a stage. Errors: E0102 where it exports no Torvyn interface (naming what it does export), E0201 where it exports one of
// another version.
Status check_stage(const ComponentInfo& info);

// The capability that an import of WASI needs ("filesystem-read" for wasi:filesystem/…), or "" where it is not WASI's or needs none.
std::string_view capability_of_import(std::string_view import_name) noexcept;

}  // namespace torvyn::engine
