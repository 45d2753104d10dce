// Everything that keeps a flow from being linked, not only the first of it; nothing is started.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/contracts/compatibility.h"
#include "torvyn/contracts/contract_validator.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/engine/engine.h"
#include "torvyn/linker/linker.h"
#include "torvyn/types/error.h"

namespace torvyn::linker {

// What a project says of a node's component beside the flow.
struct Terms {
  std::vector<std::string> granted;                  // capabilities it gets, by name
  std::optional<std::vector<std::string>> declared;  // those it says it may use; none = nothing is said
  std::vector<std::string> required;                 // those of them that it cannot do without
  std::vector<std::string> accepts;                  // content types, `*` for any part; empty = nothing is said
  std::vector<std::string> produces;
};

struct ExamRequest {
  std::filesystem::path base_directory;  // of paths in the flow
  const BuiltinCatalog* builtins = nullptr;
  const contracts::ContractValidator* validator = nullptr;
  std::function<Terms(const config::NodeConfig&)> terms;  // empty = nothing is said of any
  bool strict_imports = false;                            // what is not granted is an error
};

// A capability that imports of a component belong to.
struct NeededCapability {
  std::string name;
  std::vector<std::string> imports;
  bool granted = false;
};

struct NodeExam {
  std::string node;
  std::string component;  // as the flow names it
  bool is_builtin = false;
  bool found = false;  // it could be looked at: what follows is known
  contracts::Role role = contracts::Role::processor;
  contracts::Contract contract = contracts::Contract::element;
  std::string interface;  // "torvyn:streaming/processor@0.1.0"; empty for a built-in stage
  std::vector<NeededCapability> capabilities;
  std::vector<std::string> accepts;
  std::vector<std::string> produces;
  std::vector<contracts::InterfaceComparison> mismatches;  // of what it was built against with this Torvyn's contract
};

struct EdgeExam {
  std::string from;
  std::string port;
  std::string to;
  std::vector<std::string>
      carries;       // content types, as far as anything is said; a filter or router carries what it gets
  bool fits = true;  // the receiver accepts at least one of them
};

struct FlowExam {
  std::string flow;
  std::vector<NodeExam> nodes;  // in file order
  std::vector<EdgeExam> edges;  // empty where the shape could not be told
  std::vector<Error> errors;
  std::vector<Error> warnings;  // shown with a `W` before their codes

  bool ok() const noexcept { return errors.empty(); }
};

// Examines a flow node by node, then its shape, then what its edges carry. Components are compiled, or come from the engine's cache.
//
// Errors: those of link_flow, all that one does not hide; E0200 where a component was built against another contract, or accepts nothing
// of what comes along an edge; E0202 where a capability that the component requires is not granted, or `strict_imports` is set and an import's capability is not. Warnings: E0103 an import
// needs a capability that the component does not declare though it declares some; E0110; E0200 something that comes is not accepted; E0202
// a capability that the component declares is not granted.
FlowExam examine_flow(const config::FlowConfig& flow, engine::Engine& engine, const ExamRequest& request);

// Whether a content type fits what is accepted: "text/plain; charset=utf-8" fits "text/*".
bool content_type_fits(std::string_view type, std::string_view accepted);

}  // namespace torvyn::linker
