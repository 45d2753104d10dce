// The interfaces by which a component takes part in a flow, and the worlds that ask for them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace torvyn::contracts {

// What a stage does. A component's role follows from the interface it exports.
enum class Role : std::uint8_t { source, processor, filter, router, aggregator, sink };

// "source", "processor", … Static.
constexpr std::string_view role_name(Role role) noexcept {
  switch (role) {
    case Role::source:
      return "source";
    case Role::processor:
      return "processor";
    case Role::filter:
      return "filter";
    case Role::router:
      return "router";
    case Role::aggregator:
      return "aggregator";
    case Role::sink:
      return "sink";
  }
  return "unknown";
}

// How elements reach a component: one a call, or a run of them a call.
enum class Contract : std::uint8_t { element, batch };

// An interface that makes a component a stage.
struct StageInterface {
  std::string_view name;  // without version: "torvyn:streaming/processor"
  std::string_view version;
  Role role;
  Contract contract;
};

// All of them; batch forms after the per-element ones. Static.
std::span<const StageInterface> stage_interfaces() noexcept;

// The one called `name`, which has no version. Null if there is none.
const StageInterface* find_stage_interface(std::string_view name) noexcept;

// "torvyn:streaming/processor@0.1.0" taken apart. The views point into the text it was made of.
struct InterfaceName {
  std::string_view name;     // "torvyn:streaming/processor"
  std::string_view version;  // "0.1.0"; "" where none stands
};
InterfaceName split_interface_name(std::string_view text) noexcept;

// Whether who has version `have` of an interface can serve who asks for `want`. From 1.0 on the major version decides, before that the
// minor one: 0.1 and 0.2 are not compatible.
bool compatible_versions(std::string_view have, std::string_view want) noexcept;

// A world of the contract packages.
struct World {
  std::string_view name;     // "managed-transform"
  std::string_view package;  // "torvyn:streaming"
  std::string_view version;  // "0.1.0"
  Role role;
  Contract contract;
  bool has_lifecycle;  // takes settings

  std::string full_name() const;    // "torvyn:streaming/managed-transform@0.1.0"
  std::string header_name() const;  // "managed_transform": a C source includes "torvyn/managed_transform.h"
};

// All of them. Names are unique among them. Static.
std::span<const World> worlds() noexcept;

// By short name, full name, or full name without version. Null if there is none.
const World* find_world(std::string_view name) noexcept;

}  // namespace torvyn::contracts
