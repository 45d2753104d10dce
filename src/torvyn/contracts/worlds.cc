#include "torvyn/contracts/worlds.h"

#include <algorithm>
#include <array>

namespace torvyn::contracts {
namespace {

constexpr std::array interfaces = {
    StageInterface{"torvyn:streaming/source", "0.1.0", Role::source, Contract::element},
    StageInterface{"torvyn:streaming/processor", "0.1.0", Role::processor, Contract::element},
    StageInterface{"torvyn:streaming/sink", "0.1.0", Role::sink, Contract::element},
    StageInterface{"torvyn:filtering/filter", "0.1.0", Role::filter, Contract::element},
    StageInterface{"torvyn:filtering/router", "0.1.0", Role::router, Contract::element},
    StageInterface{"torvyn:aggregation/aggregator", "0.1.0", Role::aggregator, Contract::element},
    StageInterface{"torvyn:batching/batch-source", "0.1.0", Role::source, Contract::batch},
    StageInterface{"torvyn:batching/batch-processor", "0.1.0", Role::processor, Contract::batch},
    StageInterface{"torvyn:batching/batch-router", "0.1.0", Role::router, Contract::batch},
    StageInterface{"torvyn:batching/batch-aggregator", "0.1.0", Role::aggregator, Contract::batch},
    StageInterface{"torvyn:batching/batch-sink", "0.1.0", Role::sink, Contract::batch},
};

constexpr std::array all_worlds = {
    World{"transform", "torvyn:streaming", "0.1.0", Role::processor, Contract::element, false},
    World{"managed-transform", "torvyn:streaming", "0.1.0", Role::processor, Contract::element, true},
    World{"data-source", "torvyn:streaming", "0.1.0", Role::source, Contract::element, true},
    World{"data-sink", "torvyn:streaming", "0.1.0", Role::sink, Contract::element, true},
    World{"content-filter", "torvyn:filtering", "0.1.0", Role::filter, Contract::element, true},
    World{"content-router", "torvyn:filtering", "0.1.0", Role::router, Contract::element, true},
    World{"stream-aggregator", "torvyn:aggregation", "0.1.0", Role::aggregator, Contract::element, true},
    World{"batch-transform", "torvyn:batching", "0.1.0", Role::processor, Contract::batch, false},
    World{"managed-batch-transform", "torvyn:batching", "0.1.0", Role::processor, Contract::batch, true},
    World{"batch-data-source", "torvyn:batching", "0.1.0", Role::source, Contract::batch, true},
    World{"batch-data-sink", "torvyn:batching", "0.1.0", Role::sink, Contract::batch, true},
    World{"batch-content-router", "torvyn:batching", "0.1.0", Role::router, Contract::batch, true},
    World{"batch-stream-aggregator", "torvyn:batching", "0.1.0", Role::aggregator, Contract::batch, true},
};

}  // namespace

std::span<const StageInterface> stage_interfaces() noexcept { return interfaces; }

const StageInterface* find_stage_interface(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(interfaces, name, &StageInterface::name);
  return found == interfaces.end() ? nullptr : found;
}

InterfaceName split_interface_name(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool compatible_versions(std::string_view have, std::string_view want) noexcept {
  const auto track = [](std::string_view version) {
    const std::size_t major_end = version.find('.');
    if (!version.starts_with("0.")) return version.substr(0, major_end);
    return version.substr(0, version.find('.', major_end + 1));
  };
  return track(have) == track(want);
}

std::string World::full_name() const {
  std::string text(package);
  text.append("/").append(name).append("@").append(version);
  return text;
}

std::string World::header_name() const {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

std::span<const World> worlds() noexcept { return all_worlds; }

const World* find_world(std::string_view name) noexcept {
  const auto matches = [name](const World& world) {
    return name == world.name || name == world.full_name() || name == split_interface_name(world.full_name()).name;
  };
  const auto* const found = std::ranges::find_if(all_worlds, matches);
  return found == all_worlds.end() ? nullptr : found;
}

}  // namespace torvyn::contracts
