// One setting from outside the files: an assignment of the command line or a variable of the environment, as a document of its own.
// Inside this folder only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/document.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// How the two call themselves in messages.
inline constexpr std::string_view assignment_source = "<--set>";
inline constexpr std::string_view environment_source = "<environment>";

// "flow.main.nodes.upper.timeout=250ms", checked against the schema. `weaker` is what it will be laid over: its flows and nodes are those
// that can be named.
// Errors: E0006 no path or no value; E0001 a project's key without a project; E0207; those of apply_schema; all but E0006 with their place.
Result<Document> assignment_document(std::string_view assignment, const Value& weaker);

// What a variable of the environment sets.
struct VariableMeaning {
  enum class Kind { setting, grant, own, unknown };
  Kind kind = Kind::unknown;
  std::string path;  // of a setting
};

// Requires: begins with TORVYN_.
VariableMeaning meaning_of_variable(std::string_view name);

// The variable `name`, which is a setting of `path`. Errors: those of apply_schema, with their place.
Result<Document> variable_document(std::string_view name, std::string_view value, std::string_view path);

}  // namespace torvyn::config
