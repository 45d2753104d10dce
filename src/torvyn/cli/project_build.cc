#include "torvyn/cli/project_build.h"

#include <string_view>
#include <utility>

namespace torvyn::cli {

std::filesystem::path built_path(const config::Manifest& manifest, const config::ComponentConfig& component) {
  return (manifest.directory / "target" / (component.name + ".wasm")).lexically_normal();
}

contracts::BuildRequest request_for(const config::Manifest& manifest, const config::ComponentConfig& component) {
  contracts::BuildRequest request;
  request.sources = {(manifest.directory / component.path).lexically_normal()};
  request.output = built_path(manifest, component);
  request.work_dir = (manifest.directory / "target" / component.name).lexically_normal();
  return request;
}

Result<contracts::BuildOutput> build_on_screen(contracts::BuildRequest request, const std::string& name,
                                               const Session& session) {
  Screen& screen = session.screen;
  request.color = screen.terminal().color;
  request.on_output = [&screen](std::string_view text) { screen.print(text); };
  if (session.chatty() && screen.terminal().interactive) screen.show_live("building " + name);
  Result<contracts::BuildOutput> built = contracts::build_component(request);
  screen.clear_live();
  return built;
}

}  // namespace torvyn::cli
