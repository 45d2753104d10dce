#include "torvyn/engine/component_info.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace torvyn::engine {
namespace {

using contracts::InterfaceName;
using contracts::split_interface_name;

// Where a guest can wait. The streams of its stdio are not among them: the host takes what is written at once, and stdin is closed.
constexpr std::array<std::string_view, 3> waiting_interfaces{"wasi:io/poll@", "wasi:sockets/", "wasi:http/"};

std::vector<InterfaceInfo> read_interfaces(const nlohmann::json& list) {
  std::vector<InterfaceInfo> interfaces;
  for (const auto& item : list)
    interfaces.push_back({.name = item.value("name", ""),
                          .kind = item.value("kind", ""),
                          .items = item.value("items", std::vector<std::string>{})});
  return interfaces;
}

std::string list_names(const std::vector<InterfaceInfo>& interfaces) {
  if (interfaces.empty()) return "it exports nothing";
  std::string text = "it exports ";
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    if (i != 0) text += ", ";
    if (i == 8) return text + "… (" + std::to_string(interfaces.size()) + " in all)";
    text += "`" + interfaces[i].name + "`";
  }
  return text;
}

}  // namespace

const StageInfo* ComponentInfo::find_stage(contracts::Role role) const noexcept {
  const auto found = std::ranges::find(stages, role, &StageInfo::role);
  return found == stages.end() ? nullptr : &*found;
}

Result<ComponentInfo> read_component_info(std::string_view description) {
  const nlohmann::json json = nlohmann::json::parse(description, nullptr, false);
  if (!json.is_object())
    return fail(ErrorCode::internal_error, "the engine described a component in a way we don't understand");
  ComponentInfo info;
  info.imports = read_interfaces(json.value("imports", nlohmann::json::array()));
  info.exports = read_interfaces(json.value("exports", nlohmann::json::array()));
  if (const auto why = json.find("typed_because"); why != json.end() && why->is_string())
    info.typed_because = why->get<std::string>();
  info.may_block = std::ranges::any_of(info.imports, [](const InterfaceInfo& import) {
    return std::ranges::any_of(waiting_interfaces,
                               [&import](std::string_view prefix) { return import.name.starts_with(prefix); });
  });
  for (const InterfaceInfo& exported : info.exports) {
    const InterfaceName name = split_interface_name(exported.name);
    if (name.name == "torvyn:streaming/lifecycle") info.has_lifecycle = true;
    if (name.name == "torvyn:acks/acks") info.has_acks = true;
    const contracts::StageInterface* known = contracts::find_stage_interface(name.name);
    if (known == nullptr || !contracts::compatible_versions(known->version, name.version)) continue;
    const bool batch = known->contract == contracts::Contract::batch;
    const auto first_element = std::ranges::find(info.stages, contracts::Contract::element, &StageInfo::contract);
    info.stages.insert(batch ? first_element : info.stages.end(), {known->role, known->contract, exported.name});
  }
  return info;
}

Status check_stage(const ComponentInfo& info) {
  if (!info.stages.empty()) return {};
  for (const InterfaceInfo& exported : info.exports) {
    const InterfaceName name = split_interface_name(exported.name);
    if (const contracts::StageInterface* known = contracts::find_stage_interface(name.name))
      return fail(ErrorCode::version_incompatible,
                  "the component exports `" + exported.name + "`; this Torvyn speaks version " +
                      std::string(known->version) + ", and " +
                      std::string(name.version.empty() ? "no version" : name.version) + " is not compatible with it",
                  "rebuild the component against " + std::string(known->name) + "@" + std::string(known->version) +
                      ", or use a Torvyn that speaks its version");
  }
  return fail(ErrorCode::no_torvyn_interface, "the component exports no Torvyn interface: " + list_names(info.exports),
              "a stage exports one of torvyn:streaming/{source,processor,sink}, torvyn:filtering/{filter,router}, "
              "torvyn:aggregation/aggregator or their batch forms in torvyn:batching");
}

std::string_view capability_of_import(std::string_view import_name) noexcept {
  struct Entry {
    std::string_view prefix;
    std::string_view capability;
  };
  // The longest prefix that fits comes first.
  static constexpr std::array entries{
      Entry{"wasi:filesystem/", "filesystem-read"},
      Entry{"wasi:sockets/ip-name-lookup", "name-lookup"},
      Entry{"wasi:sockets/udp", "udp"},
      Entry{"wasi:sockets/", "tcp-connect"},
      Entry{"wasi:http/", "http-client"},
      Entry{"wasi:clocks/", "clocks"},
      Entry{"wasi:random/", "random"},
      Entry{"wasi:cli/environment", "environment"},
      Entry{"wasi:cli/std", "stdio"},
      Entry{"wasi:cli/terminal", "stdio"},
  };
  for (const Entry& entry : entries)
    if (import_name.starts_with(entry.prefix)) return entry.capability;
  return {};
}

}  // namespace torvyn::engine
