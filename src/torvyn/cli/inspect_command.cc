#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/inspection.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/project_build.h"
#include "torvyn/engine/engine.h"
#include "torvyn/types/file.h"

namespace torvyn::cli {
namespace {

// What [security.grants.NAME] calls the component of a file: the name it has in the manifest of this project, else the file's.
std::string grant_name_of(const std::filesystem::path& file, const Session& session) {
  std::error_code ignored;
  if (const auto manifest = find_manifest(session); manifest && *manifest) {
    for (const config::ComponentConfig& component : (*manifest)->components)
      if (std::filesystem::equivalent(built_path(**manifest, component), file, ignored)) return component.name;
  }
  // A file's name may hold dots, and anything else.
  std::string quoted = "\"";
  for (const char byte : file.filename().string()) {
    if (byte == '"' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  return quoted + "\"";
}

Result<Inspection> look_at(const std::filesystem::path& file, const Session& session) {
  // Nothing is instantiated here: no pool of slots.
  TORVYN_LET(const auto wasm,
             engine::WasmEngine::create({.max_instances = 0, .cache_directory = cache_directory(), .events = nullptr}));
  TORVYN_LET(const auto component, wasm->load_any(file));
  TORVYN_LET(const auto bytes, read_file(file));
  TORVYN_LET(auto contents, contracts::read_wasm_contents(bytes));
  Inspection inspection{.file = file.string(),
                        .grant_name = grant_name_of(file, session),
                        .size_bytes = bytes.size(),
                        .info = component->info(),
                        .contents = std::move(contents),
                        .needs = needs_of(component->info()),
                        .path = {},
                        .path_reason = {},
                        .engine = fmt::format("wasmtime {}", engine::engine_version()),
                        .obstacles = {}};
  Status is_stage = engine::check_stage(inspection.info);
  if (is_stage) {
    inspection.path = component->path();
    const std::string& because = inspection.info.typed_because;
    inspection.path_reason = because.empty() ? "it imports nothing but the contract" : because;
  } else {
    inspection.obstacles.push_back(std::move(is_stage).error());
  }
  if (Status linked = component->check_imports(); !linked) inspection.obstacles.push_back(std::move(linked).error());
  return inspection;
}

}  // namespace

int inspect_component(const InspectOptions& options, const Session& session) {
  const Result<Inspection> inspection = look_at(options.file, session);
  if (!inspection) return report_failure(session, "inspect", inspection.error());
  if (session.json()) return print_result(session, inspect_json({.command = "inspect"}, *inspection));
  if (!options.section.empty()) return print_result(session, draw_section(*inspection, options.section));
  return print_result(
      session, draw_inspection(*inspection, Palette(examine_terminal(STDOUT_FILENO, session.options.color).color),
                               session.options.verbose));
}

}  // namespace torvyn::cli
