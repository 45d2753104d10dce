#include "torvyn/linker/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace torvyn::linker {
namespace {

struct Also {
  std::string_view needed;
  std::string_view opens;
};
constexpr std::array<Also, 5> others{{{"filesystem-read", "filesystem-write"},
                                      {"tcp-connect", "tcp-listen"},
                                      // What sockets of both kinds import is counted among TCP's.
                                      {"tcp-connect", "udp"},
                                      {"tcp-connect", "name-lookup"},
                                      {"environment", "arguments"}}};

std::string way_out(const config::NodeConfig& node, std::string_view capability) {
  return fmt::format("grant it: capabilities = [\"{}\"] in [security.grants.\"{}\"], or `grants` of the node",
                     capability, std::filesystem::path(node.component).filename().string());
}

}  // namespace

bool opens_import(std::span<const std::string_view> granted, std::string_view needed) noexcept {
  const auto has = [granted](std::string_view name) { return std::ranges::find(granted, name) != granted.end(); };
  return has(needed) ||
         std::ranges::any_of(others, [&](const Also& also) { return also.needed == needed && has(also.opens); });
}

Status check_grants(const config::NodeConfig& node, const engine::ComponentInfo& info,
                    std::span<const config::Capability> grants, bool strict_imports) {
  for (const config::Capability& needed : node.required) {
    const bool granted = std::ranges::any_of(grants, [&needed](const config::Capability& grant) {
      return config::includes(grant, needed) || (needed.scope.empty() && grant.name == needed.name);
    });
    if (granted) continue;
    const std::string text = needed.scope.empty() ? needed.name : needed.name + ":" + needed.scope;
    return fail(ErrorCode::capability_not_granted,
                fmt::format("`{}` cannot do without the capability `{}`, and was not granted it", node.component, text),
                way_out(node, text));
  }
  if (!strict_imports) return {};
  std::vector<std::string_view> names;
  for (const config::Capability& grant : grants) names.push_back(grant.name);
  for (const engine::InterfaceInfo& import : info.imports) {
    const std::string_view capability = engine::capability_of_import(import.name);
    if (capability.empty() || opens_import(names, capability)) continue;
    return fail(ErrorCode::capability_not_granted,
                fmt::format("`{}` imports `{}`, which belongs to the capability `{}`, and that is not granted "
                            "(`strict_imports` is set)",
                            node.component, import.name, capability),
                way_out(node, capability) +
                    "; or leave `strict_imports` out: what is not granted is then refused when it is "
                    "called");
  }
  return {};
}

}  // namespace torvyn::linker
