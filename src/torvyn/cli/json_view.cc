#include "torvyn/cli/json_view.h"

#include <nlohmann/json.hpp>

#include "torvyn/cli/config_view.h"
#include "torvyn/observability/report_json.h"

namespace torvyn::cli {
namespace {

using Json = nlohmann::ordered_json;
using observability::FlowReport;

void add_text(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json of_error(const Error& error) { return Json::parse(observability::error_json(error)); }

Json of_errors(std::span<const Error> errors) {
  Json list = Json::array();
  for (const Error& error : errors) list.push_back(of_error(error));
  return list;
}

Json of_cautions(std::span<const Error> warnings) {
  Json list = Json::array();
  for (const Error& warning : warnings) {
    Json object = of_error(warning);
    object["code"] = warning_code_string(warning.code());
    list.push_back(std::move(object));
  }
  return list;
}

Json of_head(const JsonHead& head) {
  Json warnings = Json::array();
  for (const Warning& warning : head.warnings) {
    Json object = {{"code", warning.code}, {"message", warning.message}};
    add_text(object, "hint", warning.hint);
    add_text(object, "file", warning.file);
    if (warning.line != 0) {
      object["line"] = warning.line;
      object["column"] = warning.column;
    }
    add_text(object, "node", warning.node);
    warnings.push_back(std::move(object));
  }
  for (Json& caution : of_cautions(head.cautions)) warnings.push_back(std::move(caution));
  return {{"command", head.command},
          {"exit_code", head.exit_code},
          {"errors", of_errors(head.errors)},
          {"warnings", std::move(warnings)}};
}

void add_report(Json& json, const FlowReport& report) { json.update(Json::parse(observability::report_json(report))); }

Json of_interface(const engine::InterfaceInfo& interface) {
  return {{"name", interface.name}, {"kind", interface.kind}, {"items", interface.items}};
}

void add_contents(Json& json, const contracts::WasmContents& contents) {
  json["language"] = contents.language;
  json["producers"] = Json::array();
  for (const contracts::Producer& producer : contents.producers)
    json["producers"].push_back({{"field", producer.field}, {"name", producer.name}, {"version", producer.version}});
  json["memories"] = Json::array();
  for (const contracts::CoreMemory& memory : contents.memories) {
    Json object = {{"initial_bytes", memory.initial_bytes}};
    if (memory.maximum_bytes) object["maximum_bytes"] = *memory.maximum_bytes;
    json["memories"].push_back(std::move(object));
  }
  json["modules"] = Json::array();
  for (const contracts::CoreModule& module : contents.modules)
    json["modules"].push_back({{"name", module.name},
                               {"size_bytes", module.size_bytes},
                               {"code_bytes", module.code_bytes},
                               {"data_bytes", module.data_bytes},
                               {"functions", module.functions}});
  json["sizes"] = Json::array();
  for (const contracts::SectionSize& section : contents.sections)
    json["sizes"].push_back({{"name", section.name}, {"bytes", section.bytes}});
}

Json of_positions(connectors::Positions positions) {
  Json list = Json::array();
  if (positions.source) list.push_back("source");
  if (positions.sink) list.push_back("sink");
  return list;
}

std::string_view contract_name(contracts::Contract contract) {
  return contract == contracts::Contract::batch ? "batch" : "element";
}

Json of_differences(std::span<const contracts::Difference> differences) {
  Json list = Json::array();
  for (const contracts::Difference& difference : differences)
    list.push_back({{"kind", contracts::definition_kind_name(difference.kind)},
                    {"interface", difference.interface},
                    {"name", difference.name},
                    {"change", contracts::change_name(difference.change)},
                    {"component", difference.before},
                    {"torvyn", difference.after}});
  return list;
}

Json of_node(const linker::NodeExam& node) {
  Json object = {{"node", node.node}, {"component", node.component}, {"found", node.found}};
  if (!node.found) return object;
  object["role"] = contracts::role_name(node.role);
  object["builtin"] = node.is_builtin;
  if (node.is_builtin) return object;
  object["contract"] = contract_name(node.contract);
  object["interface"] = node.interface;
  object["capabilities"] = Json::array();
  for (const linker::NeededCapability& capability : node.capabilities)
    object["capabilities"].push_back(
        {{"name", capability.name}, {"granted", capability.granted}, {"imports", capability.imports}});
  object["accepts"] = node.accepts;
  object["produces"] = node.produces;
  object["mismatches"] = Json::array();
  for (const contracts::InterfaceComparison& mismatch : node.mismatches) {
    Json differences = of_differences(mismatch.functions);
    for (Json& type : of_differences(mismatch.types)) differences.push_back(std::move(type));
    object["mismatches"].push_back(
        {{"component", mismatch.before}, {"torvyn", mismatch.after}, {"differences", std::move(differences)}});
  }
  return object;
}

Json of_exam(const linker::FlowExam& exam) {
  Json flow = {{"name", exam.flow}, {"ok", exam.ok()}, {"nodes", Json::array()}, {"edges", Json::array()}};
  for (const linker::NodeExam& node : exam.nodes) flow["nodes"].push_back(of_node(node));
  for (const linker::EdgeExam& edge : exam.edges)
    flow["edges"].push_back(
        {{"from", edge.from}, {"port", edge.port}, {"to", edge.to}, {"carries", edge.carries}, {"fits", edge.fits}});
  flow["errors"] = of_errors(exam.errors);
  flow["warnings"] = of_cautions(exam.warnings);
  return flow;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

}  // namespace

std::string head_json(const JsonHead& head) { return text_of(of_head(head)); }

std::string run_json(const JsonHead& head, const FlowReport& report) {
  Json json = of_head(head);
  add_report(json, report);
  return text_of(json);
}

std::string runs_json(const JsonHead& head, std::span<const FlowReport> reports) {
  Json json = of_head(head);
  json["flows"] = Json::array();
  for (const FlowReport& report : reports) add_report(json["flows"].emplace_back(Json::object()), report);
  return text_of(json);
}

std::string inspect_json(const JsonHead& head, const Inspection& inspection) {
  const engine::ComponentInfo& info = inspection.info;
  Json json = of_head(head);
  json["file"] = inspection.file;
  json["size_bytes"] = inspection.size_bytes;
  json["stages"] = Json::array();
  for (const engine::StageInfo& stage : info.stages)
    json["stages"].push_back({{"role", contracts::role_name(stage.role)},
                              {"contract", contract_name(stage.contract)},
                              {"interface", stage.interface}});
  json["lifecycle"] = info.has_lifecycle;
  json["path"] = inspection.path;
  json["path_reason"] = inspection.path_reason;
  json["imports"] = Json::array();
  for (const auto& import : info.imports) {
    Json object = of_interface(import);
    add_text(object, "capability", std::string(engine::capability_of_import(import.name)));
    json["imports"].push_back(std::move(object));
  }
  json["exports"] = Json::array();
  for (const auto& exported : info.exports) json["exports"].push_back(of_interface(exported));
  json["capabilities"] = Json::array();
  for (const CapabilityNeed& need : inspection.needs)
    json["capabilities"].push_back(
        {{"name", need.name}, {"interfaces", need.interfaces}, {"needs_grant", need.needs_grant}});
  json["grants"] = grants_block(inspection.grant_name, inspection.needs);
  add_contents(json, inspection.contents);
  json["obstacles"] = of_errors(inspection.obstacles);
  json["engine"] = inspection.engine;
  return text_of(json);
}

std::string build_json(const JsonHead& head, std::span<const BuiltComponent> built) {
  Json json = of_head(head);
  json["components"] = Json::array();
  for (const BuiltComponent& one : built)
    json["components"].push_back({{"name", one.name},
                                  {"component", one.component},
                                  {"language", one.language},
                                  {"world", one.world},
                                  {"path", one.path},
                                  {"size_bytes", one.size_bytes},
                                  {"up_to_date", one.up_to_date}});
  return text_of(json);
}

std::string init_json(const JsonHead& head, const CreatedProject& created) {
  Json json = of_head(head);
  json["name"] = created.name;
  json["directory"] = created.directory;
  json["language"] = created.language;
  json["template"] = created.template_name;
  json["repository"] = created.repository;
  json["files"] = created.files;
  return text_of(json);
}

std::string check_json(const JsonHead& head, std::span<const Check> checks,
                       const config::Configuration* configuration) {
  Json json = of_head(head);
  if (configuration != nullptr) json["configuration"] = Json::parse(configuration_json(configuration->values));
  json["checks"] = Json::array();
  for (const Check& check : checks) {
    Json object = {{"name", check.name}, {"subject", check.subject}, {"ok", check.ok()}};
    if (!check.skipped.empty()) object["skipped"] = check.skipped;
    object["errors"] = of_errors(check.errors);
    object["warnings"] = of_cautions(check.warnings);
    json["checks"].push_back(std::move(object));
  }
  return text_of(json);
}

std::string link_json(const JsonHead& head, std::span<const linker::FlowExam> flows) {
  Json json = of_head(head);
  json["flows"] = Json::array();
  for (const linker::FlowExam& exam : flows) json["flows"].push_back(of_exam(exam));
  return text_of(json);
}

std::string version_json(const JsonHead& head, const Versions& versions) {
  Json json = of_head(head);
  json["torvyn"] = versions.torvyn;
  json["contract"] = versions.contract;
  json["engine"] = versions.engine;
  json["bridge"] = versions.bridge;
  return text_of(json);
}

std::string doctor_json(const JsonHead& head, std::span<const Finding> findings, std::span<const Fix> fixes) {
  Json json = of_head(head);
  json["findings"] = Json::array();
  for (const Finding& finding : findings)
    json["findings"].push_back({{"area", finding.area},
                                {"what", finding.what},
                                {"ok", finding.ok()},
                                {"needed", finding.needed},
                                {"found", finding.found},
                                {"problem", finding.problem},
                                {"fix", finding.fix},
                                {"needs_root", finding.needs_root}});
  json["fixes"] = Json::array();
  for (const Fix& fix : fixes) json["fixes"].push_back({{"command", fix.command}, {"exit_code", fix.exit_code}});
  return text_of(json);
}

std::string stages_json(const JsonHead& head, std::span<const connectors::BuiltinInfo> stages) {
  Json json = of_head(head);
  json["stages"] = Json::array();
  for (const connectors::BuiltinInfo& stage : stages) {
    Json settings = Json::array();
    for (const connectors::SettingInfo& setting : stage.settings) {
      Json object = {{"key", setting.key}, {"type", setting.type}, {"help", setting.help}, {"main", setting.main}};
      if (!setting.default_value.empty()) object["default"] = setting.default_value;
      object["positions"] = of_positions(setting.positions);
      settings.push_back(std::move(object));
    }
    json["stages"].push_back({{"name", stage.name},
                              {"summary", stage.summary},
                              {"positions", of_positions(stage.positions)},
                              {"settings", std::move(settings)}});
  }
  return text_of(json);
}

std::string explain_json(const JsonHead& head, const Explanation& explanation) {
  Json json = of_head(head);
  json["code"] = explanation.code;
  json["title"] = explanation.title;
  json["page"] = explanation.page;
  json["example"] = explanation.example;
  return text_of(json);
}

}  // namespace torvyn::cli
