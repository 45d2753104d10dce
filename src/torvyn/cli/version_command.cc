#include <fmt/format.h>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/text.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/engine/engine.h"

namespace torvyn::cli {

int show_versions(const VersionOptions&, const Session& session) {
  const contracts::World& world = contracts::worlds().front();
  const Versions versions{.torvyn = TORVYN_VERSION,
                          .contract = fmt::format("{}@{}", world.package, world.version),
                          .engine = fmt::format("wasmtime {}", engine::engine_version()),
                          .bridge = TORVYN_BRIDGE_VERSION};
  if (session.json()) return print_result(session, version_json({.command = "version"}, versions));
  std::string text = fmt::format("torvyn {}\n", versions.torvyn);
  text += aligned({{"contract", versions.contract}, {"engine", versions.engine}, {"bridge", versions.bridge}});
  return print_result(session, text);
}

}  // namespace torvyn::cli
