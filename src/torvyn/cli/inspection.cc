#include "torvyn/cli/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "torvyn/cli/text.h"
#include "torvyn/config/units.h"

namespace torvyn::cli {
namespace {

using config::format_size;
using engine::InterfaceInfo;

using Rows = std::vector<std::vector<std::string>>;

// How a capability is granted: with a scope to be narrowed, or without a grant at all.
struct CapabilityForm {
  std::string_view name;
  std::string_view scope;  // an example of one
  std::string_view meaning;
};
constexpr std::array grantable = std::to_array<CapabilityForm>({
    {"filesystem-read", "./data", "the folder it may read"},
    {"name-lookup", "example.com", "the names it may look up"},
    {"tcp-connect", "example.com:443", "whom it may connect to"},
    {"udp", "example.com:53", "whom it may send to"},
    {"http-client", "example.com:443", "whom it may send requests to"},
    {"environment", "LANG", "the variable it may see"},
});

const CapabilityForm* form_of(std::string_view capability) {
  const auto* const found = std::ranges::find(grantable, capability, &CapabilityForm::name);
  return found == grantable.end() ? nullptr : found;
}

std::string_view without_version(std::string_view interface) { return interface.substr(0, interface.find('@')); }

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
void add_rows(Rows& rows, std::string_view label, const std::vector<std::string>& values) {
  for (std::size_t index = 0; index < values.size(); ++index)
    rows.push_back({index == 0 ? std::string(label) : std::string(), values[index]});
}

std::vector<std::string> stage_lines(const Inspection& inspection) {
  std::vector<std::string> lines;
  for (const engine::StageInfo& stage : inspection.info.stages)
    lines.push_back(
        fmt::format("{}, {}", stage.interface,
                    stage.contract == contracts::Contract::batch ? "runs of elements" : "one element a call"));
  return lines;
}

std::vector<std::string> export_lines(const Inspection& inspection, bool verbose) {
  std::vector<std::string> lines;
  for (const InterfaceInfo& exported : inspection.info.exports) lines.push_back(name_of(exported, verbose));
  return lines;
}

std::vector<std::string> import_lines(const Inspection& inspection, bool verbose) {
  std::map<std::string, std::vector<std::string>> imports;
  for (const InterfaceInfo& import : inspection.info.imports)
    imports[provider(import.name)].push_back(name_of(import, verbose));
  std::vector<std::string> lines;
  for (const auto& [from, names] : imports) {
    lines.push_back(from);
    for (const std::string& name : names) lines.push_back("  " + name);
  }
  if (lines.empty()) lines.emplace_back("nothing");
  return lines;
}

std::vector<std::string> memory_lines(const Inspection& inspection) {
  std::vector<std::string> lines;
  for (const contracts::CoreMemory& memory : inspection.contents.memories)
    lines.push_back(fmt::format(
        "{} at first, {}", format_size(memory.initial_bytes),
        memory.maximum_bytes ? fmt::format("at most {}", format_size(*memory.maximum_bytes))
                             : "no maximum of its own: the flow's limit holds, 64 MiB unless it says otherwise"));
  if (lines.empty()) lines.emplace_back("none");
  return lines;
}

// The sections in columns of their own, so that the sizes stand under each other.
std::vector<std::string> size_lines(const Inspection& inspection) {
  const auto& sections = inspection.contents.sections;
  std::size_t width = 0;
  for (const auto& section : sections) width = std::max(width, display_width(printable(section.name)));
  std::vector<std::string> lines;
  for (const auto& section : sections) {
    const std::string name = printable(section.name);
    const double share = 100.0 * static_cast<double>(section.bytes) /
                         static_cast<double>(std::max<std::uint64_t>(inspection.size_bytes, 1));
    lines.push_back(fmt::format("{}{:>10}{:>5.0f} %", name + std::string(width - display_width(name), ' '),
                                format_size(section.bytes), share));
  }
  return lines;
}

std::vector<std::string> module_lines(const Inspection& inspection) {
  std::vector<std::string> lines;
  for (const contracts::CoreModule& module : inspection.contents.modules)
    lines.push_back(fmt::format("{}: {}, {} function{}, {} of code, {} of data",
                                module.name.empty() ? "without a name" : printable(module.name),
                                format_size(module.size_bytes), module.functions, module.functions == 1 ? "" : "s",
                                format_size(module.code_bytes), format_size(module.data_bytes)));
  if (lines.empty()) lines.emplace_back("none");
  return lines;
}

// A line for languages, one for tools, one for SDKs.
std::vector<std::string> producer_lines(const Inspection& inspection) {
  std::map<std::string, std::vector<std::string>> fields;
  for (const contracts::Producer& producer : inspection.contents.producers)
    fields[producer.field].push_back(producer.name + (producer.version.empty() ? "" : " ") + producer.version);
  std::vector<std::string> lines;
  for (const auto& [field, names] : fields)
    lines.push_back(printable(fmt::format("{}: {}", field, fmt::join(names, ", "))));
  if (lines.empty()) lines.emplace_back("it doesn't say");
  return lines;
}

std::string as_lines(const std::vector<std::string>& lines) { return fmt::format("{}\n", fmt::join(lines, "\n")); }

// Sections of no more than this are told as one, unless they are asked for.
constexpr std::size_t sizes_shown = 5;

}  // namespace

std::vector<CapabilityNeed> needs_of(const engine::ComponentInfo& info) {
  std::vector<CapabilityNeed> needs;
  for (const InterfaceInfo& import : info.imports) {
    const std::string_view capability = engine::capability_of_import(import.name);
    if (capability.empty()) continue;
    auto found = std::ranges::find(needs, capability, &CapabilityNeed::name);
    if (found == needs.end())
      found = needs.insert(
          found, {.name = std::string(capability), .interfaces = {}, .needs_grant = form_of(capability) != nullptr});
    found->interfaces.push_back(import.name);
  }
  std::ranges::sort(needs, {}, &CapabilityNeed::name);
  return needs;
}

std::string grants_block(std::string_view grant_name, std::span<const CapabilityNeed> needs) {
  Rows rows;
  for (const CapabilityNeed& need : needs) {
    const CapabilityForm* const form = form_of(need.name);
    if (form == nullptr) continue;
    std::vector<std::string_view> interfaces;
    for (const std::string& interface : need.interfaces) interfaces.push_back(without_version(interface));
    rows.push_back({fmt::format(" \"{}:{}\",", need.name, form->scope),
                    printable(fmt::format("# {}; {}", form->meaning, fmt::join(interfaces, ", ")))});
  }
  if (rows.empty())
    return printable(fmt::format(
               "# {} needs no grants: it asks for nothing of the machine but what every component has.", grant_name)) +
           "\n";
  return "# What an import that is not granted answers is an error or nothing at all, and language runtimes import "
         "much that they never\n"
         "# use: keep the lines of what the component is meant to do, and narrow them.\n" +
         printable(fmt::format("[security.grants.{}]", grant_name)) + "\ncapabilities = [\n" + aligned(rows) + "]\n";
}

std::string draw_inspection(const Inspection& inspection, const Palette& palette, bool verbose) {
  Rows rows;
  add_rows(rows, "stage", stage_lines(inspection));
  if (!inspection.info.stages.empty()) {
    add_rows(rows, "settings", {inspection.info.has_lifecycle ? "taken by init" : "none: no lifecycle"});
    add_rows(rows, "path", {fmt::format("{}: {}", inspection.path, inspection.path_reason)});
  }
  add_rows(rows, "exports", export_lines(inspection, verbose));
  add_rows(rows, "imports", import_lines(inspection, verbose));
  for (const Error& obstacle : inspection.obstacles)
    add_rows(rows, "obstacle", {fmt::format("{}: {}", code_string(obstacle.code()), printable(obstacle.message()))});
  add_rows(rows, "memory", memory_lines(inspection));
  std::vector<std::string> sizes = size_lines(inspection);
  if (!verbose && sizes.size() > sizes_shown) {
    const std::size_t left_out = sizes.size() - sizes_shown;
    sizes.resize(sizes_shown);
    sizes.push_back(fmt::format("… {} smaller with --verbose", left_out));
  }
  add_rows(rows, "size", sizes);
  if (verbose) add_rows(rows, "modules", module_lines(inspection));
  add_rows(rows, "made by", producer_lines(inspection));
  add_rows(rows, "engine", {inspection.engine});

  const bool is_plain = inspection.info.stages.empty() || inspection.contents.language.empty();
  const bool grants = std::ranges::any_of(inspection.needs, &CapabilityNeed::needs_grant);
  if (!grants) add_rows(rows, "grants", {"none needed"});
  std::string text = fmt::format("{}: {}{}, {}\n", palette.strong(printable(inspection.file)), roles(inspection.info),
                                 is_plain ? "" : fmt::format(" in {}", inspection.contents.language),
                                 format_size(inspection.size_bytes)) +
                     aligned(rows);
  if (grants) text += "\n" + grants_block(inspection.grant_name, inspection.needs);
  return text;
}

std::string draw_section(const Inspection& inspection, std::string_view section) {
  if (section == "exports") {
    std::vector<std::string> lines = export_lines(inspection, true);
    if (lines.empty()) lines.emplace_back("none");
    return as_lines(lines);
  }
  if (section == "imports") return as_lines(import_lines(inspection, true));
  if (section == "sizes") return as_lines(size_lines(inspection));
  if (section == "modules") return as_lines(module_lines(inspection));
  if (section == "memory") return as_lines(memory_lines(inspection));
  if (section == "producers") return as_lines(producer_lines(inspection));
  return grants_block(inspection.grant_name, inspection.needs);
}

}  // namespace torvyn::cli
