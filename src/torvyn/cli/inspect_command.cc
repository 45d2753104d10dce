#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/cli/commands.h"
#include "torvyn/cli/json_view.h"
#include "torvyn/cli/text.h"
#include "torvyn/config/units.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/engine/engine.h"

namespace torvyn::cli {
namespace {

using engine::InterfaceInfo;

Result<Inspection> look_at(const std::filesystem::path& file) {
  // Nothing is instantiated here: no pool of slots.
  TORVYN_LET(const auto wasm,
             engine::WasmEngine::create({.max_instances = 0, .cache_directory = cache_directory(), .events = nullptr}));
  TORVYN_LET(const auto component, wasm->load_any(file));
  Inspection inspection{.file = file.string(),
                        .size_bytes = std::filesystem::file_size(file),
                        .info = component->info(),
                        .path = {},
                        .engine = fmt::format("wasmtime {}", engine::engine_version()),
                        .obstacles = {}};
  Status is_stage = engine::check_stage(inspection.info);
  if (is_stage)
    inspection.path = component->path();
  else
    inspection.obstacles.push_back(std::move(is_stage).error());
  if (Status linked = component->check_imports(); !linked) inspection.obstacles.push_back(std::move(linked).error());
  return inspection;
}

std::string name_of(const InterfaceInfo& interface, bool verbose) {
  std::string text = printable(interface.name);
  if (verbose && !interface.items.empty()) text += printable(fmt::format(" ({})", fmt::join(interface.items, ", ")));
  return text;
}

// "a processor", "a source and a sink".
std::string roles(const engine::ComponentInfo& info) {
  if (info.stages.empty()) return "no stage of Torvyn's contract";
  std::string text;
  for (const engine::StageInfo& stage : info.stages) {
    const std::string_view role = contracts::role_name(stage.role);
    if (text.contains(role)) continue;  // in both contracts
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", role == "aggregator" ? "an" : "a", role);
  }
  return text;
}

// Imports under who provides them: Torvyn, WASI by capability, nobody we know.
std::string provider(std::string_view import) {
  if (import.starts_with("torvyn:")) return "torvyn";
  const std::string_view capability = engine::capability_of_import(import);
  if (!capability.empty()) return fmt::format("wasi, capability {}", capability);
  return import.starts_with("wasi:") ? "wasi, no capability needed" : "other";
}

// A label in the first row, the others below it.
void add_rows(std::vector<std::vector<std::string>>& rows, std::string_view label,
              const std::vector<std::string>& values) {
  for (std::size_t index = 0; index < values.size(); ++index)
    rows.push_back({index == 0 ? std::string(label) : std::string(), values[index]});
}

std::string draw(const Inspection& inspection, const Palette& palette, bool verbose) {
  const engine::ComponentInfo& info = inspection.info;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> values;
  for (const engine::StageInfo& stage : info.stages)
    values.push_back(
        fmt::format("{}, {}", stage.interface,
                    stage.contract == contracts::Contract::batch ? "runs of elements" : "one element a call"));
  add_rows(rows, "stage", values);
  if (!info.stages.empty()) {
    add_rows(rows, "settings", {info.has_lifecycle ? "taken by init" : "none: no lifecycle"});
    add_rows(rows, "path", {inspection.path});
  }

  values.clear();
  for (const InterfaceInfo& exported : info.exports) values.push_back(name_of(exported, verbose));
  add_rows(rows, "exports", values);

  std::map<std::string, std::vector<std::string>> imports;
  for (const InterfaceInfo& import : info.imports) imports[provider(import.name)].push_back(name_of(import, verbose));
  values.clear();
  for (const auto& [from, names] : imports) {
    values.push_back(from);
    for (const std::string& name : names) values.push_back("  " + name);
  }
  add_rows(rows, "imports", values);
  for (const Error& obstacle : inspection.obstacles)
    add_rows(rows, "obstacle", {fmt::format("{}: {}", code_string(obstacle.code()), printable(obstacle.message()))});
  add_rows(rows, "engine", {inspection.engine});

  return fmt::format("{}: {}, {}\n", palette.strong(printable(inspection.file)), roles(info),
                     config::format_size(inspection.size_bytes)) +
         aligned(rows);
}

}  // namespace

int inspect_component(const InspectOptions& options, const Session& session) {
  const Result<Inspection> inspection = look_at(options.file);
  if (!inspection) return report_failure(session, "inspect", inspection.error());
  if (session.json()) return print_result(session, inspect_json({.command = "inspect"}, *inspection));
  return print_result(session, draw(*inspection, Palette(examine_terminal(STDOUT_FILENO, session.options.color).color),
                                    session.options.verbose));
}

}  // namespace torvyn::cli
