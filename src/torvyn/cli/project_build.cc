#include "torvyn/cli/project_build.h"

#include <fmt/format.h>

#include <functional>
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
  request.language = contracts::find_language(component.language);
  request.command = component.build_command;
  std::error_code ignored;
  if (std::filesystem::path wit = manifest.directory / "wit"; std::filesystem::is_directory(wit, ignored))
    request.wit_dir = wit.lexically_normal();
  return request;
}

std::optional<contracts::BuildRequest> request_for_file(const std::filesystem::path& path,
                                                        const std::filesystem::path& base) {
  if (!contracts::language_of_file(path)) return std::nullopt;
  contracts::BuildRequest request;
  request.sources = {(base / path).lexically_normal()};
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::weakly_canonical(request.sources.front(), ignored);
  const std::filesystem::path cache = build_cache_directory();
  const std::string name = file.stem().string();
  request.work_dir = cache.empty()
                         ? file.parent_path() / "target" / name
                         : cache / "stages" / fmt::format("{}-{:016x}", name, std::hash<std::string>{}(file.string()));
  request.output = request.work_dir / (name + ".wasm");
  return request;
}

Result<contracts::BuildOutput> build_on_screen(contracts::BuildRequest request, const std::string& name,
                                               const Session& session) {
  Screen& screen = session.screen;
  request.color = screen.terminal().color;
  request.cache_dir = build_cache_directory();
  request.on_output = [&screen](std::string_view text) { screen.print(text); };
  if (session.chatty()) request.on_note = [&screen](std::string_view text) { screen.print(fmt::format("{}\n", text)); };
  if (session.chatty() && screen.terminal().interactive) screen.show_live("building " + name);
  Result<contracts::BuildOutput> built = contracts::build_component(request);
  screen.clear_live();
  return built;
}

}  // namespace torvyn::cli
