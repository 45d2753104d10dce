// Two versions of an interface, compared: what was added, removed or changed, and who still links.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/contracts/wit_model.h"

namespace torvyn::contracts {

enum class Change : std::uint8_t { added, removed, changed };
enum class DefinitionKind : std::uint8_t { function, type };

// "added", …; "function", …. Static.
std::string_view change_name(Change change) noexcept;
std::string_view definition_kind_name(DefinitionKind kind) noexcept;

// One function or type that is not the same on both sides.
struct Difference {
  Change change = Change::changed;
  DefinitionKind kind = DefinitionKind::function;
  std::string interface;  // it is in, without version
  std::string name;       // "push", "element-meta"
  std::string
      before;  // as WIT; empty where it is not there. Of a function both may be equal: then a type in it changed
  std::string after;
  bool on_the_wire = true;  // false: only names changed that nobody exchanges
  WitPlace after_place;     // where known
  WitPlace before_place;
};

struct InterfaceComparison {
  std::string before;  // full names with version
  std::string after;
  std::vector<Difference> functions;
  std::vector<Difference> types;  // its own, and those of other interfaces that either side's definitions are made of
  // A component that imports `before` runs where `after` is provided. What it lacks, if not: functions and resources that are gone or
  // changed, and versions that are not compatible.
  bool importers_link = true;
  // A component that exports `before` runs where `after` is called.
  bool exporters_link = true;
  std::vector<std::string> importers_lack;  // names of functions and resources
  std::vector<std::string> exporters_lack;

  bool same() const noexcept { return functions.empty() && types.empty(); }
};

// How much of the interface `before` has.
enum class Extent : std::uint8_t {
  whole,      // all of it
  used_part,  // what a component uses of it: what else there is, is not worth telling
};

// Compares `old` of the model `before` with `now` of the model `after`. A definition is the same where it is on the wire, whatever its
// types are called there; see WitDefinition::shape.
InterfaceComparison compare_interfaces(const WitModel& before, const WitInterface& old, const WitModel& after,
                                       const WitInterface& now, Extent extent = Extent::whole);

// The comparison as a person reads it: a line of summary, each difference with both sides' WIT, and who links.
std::string prose(const InterfaceComparison& comparison);

// The differences alone, each with both sides under the headings `before` and `after` ("the component has:", "this Torvyn has:"). Those
// that are not on the wire are left out.
std::string describe_differences(const InterfaceComparison& comparison, std::string_view before,
                                 std::string_view after);

}  // namespace torvyn::contracts
