#include "torvyn/linker/flow_exam.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "torvyn/config/place.h"
#include "torvyn/linker/grants.h"
#include "torvyn/linker/stages.h"
#include "torvyn/pipeline/topology.h"
#include "torvyn/types/file.h"

namespace torvyn::linker {

using config::FlowConfig;
using config::NodeConfig;
using contracts::Role;

namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

// What the place of a node asks for, where the node itself could not be asked.
Role likely_role(const Place& place) {
  if (!place.has_input) return Role::source;
  return place.has_output ? Role::processor : Role::sink;
}

class Exam {
 public:
  Exam(const FlowConfig& flow, engine::Engine& engine, const ExamRequest& request)
      : flow_(flow), engine_(engine), request_(request), places_(places_of(flow)) {
    result_.flow = flow.name;
  }

  FlowExam run() {
    for (std::size_t index = 0; index < flow_.nodes.size(); ++index) examine_node(flow_.nodes[index], places_[index]);
    examine_shape();
    return std::move(result_);
  }

 private:
  void add(std::vector<Error>& list, Error error, const NodeConfig& node) {
    list.push_back(placed_at(std::move(error), flow_, node));
  }
  void add(Status status, const NodeConfig& node) {
    if (!status) add(result_.errors, std::move(status).error(), node);
  }

  void examine_node(const NodeConfig& node, const Place& place) {
    NodeExam& exam = result_.nodes.emplace_back();
    exam.node = node.name;
    exam.component = node.component;
    exam.role = likely_role(place);
    Result<FoundStage> found = find_stage(node, engine_, *request_.builtins, request_.base_directory, loaded_);
    if (!found) return add(result_.errors, std::move(found).error(), node);
    exam.found = true;
    if (found->builtin) {
      exam.is_builtin = true;
      exam.role = builtin_role(*found->builtin, place);
      add(check_placement(node, exam.role), node);
      return add(check_builtin(node), node);
    }
    const engine::ComponentInfo& info = found->component->info();
    const engine::StageInfo& stage = choose_stage(info, place);
    exam.role = stage.role;
    exam.contract = stage.contract;
    exam.interface = stage.interface;
    examine_contract(node, *found->component, exam);
    add(check_settings(node, info), node);
    add(check_instances(node, stage.role), node);
    add(check_placement(node, stage.role), node);
    if (!request_.terms) return;
    const Terms terms = request_.terms(node);
    exam.accepts = terms.accepts;
    exam.produces = terms.produces;
    examine_capabilities(node, info, terms, exam);
  }

  // What the validator finds it says in full; what the engine finds beyond that is about other imports.
  void examine_contract(const NodeConfig& node, const engine::Component& component, NodeExam& exam) {
    const Result<std::vector<std::uint8_t>> bytes = read_file(component_path(node, request_.base_directory));
    Result<contracts::WitModel> model = bytes ? contracts::read_component(*bytes, node.component) : fail(bytes.error());
    if (!model) return add(result_.errors, std::move(model).error(), node);
    contracts::ComponentReport report = request_.validator->check_component(*model, node.component);
    exam.mismatches = std::move(report.mismatches);
    for (Error& warning : report.warnings) add(result_.warnings, std::move(warning), node);
    if (report.errors.empty()) return add(component.check_imports(), node);
    for (Error& error : report.errors) add(result_.errors, std::move(error), node);
  }

  void examine_capabilities(const NodeConfig& node, const engine::ComponentInfo& info, const Terms& terms,
                            NodeExam& exam) {
    const std::vector<std::string_view> granted(terms.granted.begin(), terms.granted.end());
    for (const engine::InterfaceInfo& import : info.imports) {
      const std::string_view name = engine::capability_of_import(import.name);
      if (name.empty()) continue;
      const auto known = std::ranges::find(exam.capabilities, name, &NeededCapability::name);
      if (known != exam.capabilities.end()) {
        known->imports.push_back(import.name);
      } else {
        exam.capabilities.push_back({std::string(name), {import.name}, opens_import(granted, name)});
      }
    }
    for (const NeededCapability& needed : exam.capabilities) {
      const std::string what = fmt::format("`{}` imports `{}`, which belongs to the capability `{}`", node.component,
                                           fmt::join(needed.imports, "`, `"), needed.name);
      if (terms.declared && !needed.granted && !contains(*terms.declared, needed.name))
        add(result_.warnings,
            {ErrorCode::undeclared_capability, what + ", and the component does not declare that it needs it",
             fmt::format("add \"{}\" to `requires` of its [[component]], or build it without the import", needed.name)},
            node);
      if (request_.strict_imports && !needed.granted)
        add(result_.errors,
            {ErrorCode::capability_not_granted, what + ", and it is not granted (`strict_imports` is set)",
             fmt::format("grant it: capabilities = [\"{}\"] in [security.grants.COMPONENT], or strict_imports = false",
                         needed.name)},
            node);
    }
    if (!terms.declared) return;
    for (const std::string& declared : *terms.declared) {
      if (contains(terms.granted, declared)) continue;
      add(contains(terms.required, declared) ? result_.errors : result_.warnings,
          {ErrorCode::capability_not_granted,
           fmt::format("`{}` says that it needs the capability `{}`, and nothing grants it", node.component, declared),
           fmt::format("capabilities = [\"{}\"] in [security.grants.COMPONENT]", declared)},
          node);
    }
  }

  void examine_shape() {
    std::vector<pipeline::RoledNode> roled;
    for (std::size_t index = 0; index < flow_.nodes.size(); ++index)
      roled.push_back({&flow_.nodes[index], result_.nodes[index].role});
    Result<pipeline::Graph> graph = pipeline::check_graph(flow_, roled);
    if (!graph) {
      result_.errors.push_back(std::move(graph).error());
      return;
    }
    std::vector<Names> arriving(flow_.nodes.size());
    for (const std::size_t index : graph->order) {
      const NodeExam& node = result_.nodes[index];
      // These pass on what they get.
      const bool forwards = node.role == Role::filter || node.role == Role::router;
      const Names& produced = node.produces.empty() && forwards ? arriving[index] : node.produces;
      for (const pipeline::GraphEdge& edge : graph->edges) {
        if (edge.from != index) continue;
        const std::string& port = graph->ports[index][edge.port];
        // A dead letter is what arrived, not what is produced.
        const bool is_letter = graph->dead_letter_port[index] == edge.port;
        const Names& carried = is_letter ? arriving[index] : produced;
        for (const std::string& type : carried)
          if (!contains(arriving[edge.to], type)) arriving[edge.to].push_back(type);
        examine_edge({node.node, port, result_.nodes[edge.to].node, carried, true}, edge);
      }
    }
  }

  void examine_edge(EdgeExam exam, const pipeline::GraphEdge& edge) {
    const NodeConfig& to = flow_.nodes[edge.to];
    const Names& accepts = result_.nodes[edge.to].accepts;
    Names refused;
    if (!accepts.empty())
      for (const std::string& type : exam.carries)
        if (std::ranges::none_of(accepts, [&type](const auto& one) { return content_type_fits(type, one); }))
          refused.push_back(type);
    exam.fits = refused.empty() || refused.size() < exam.carries.size();
    if (!refused.empty()) {
      Error error(ErrorCode::interfaces_incompatible,
                  fmt::format("`{}` gives {}, and `{}` accepts {}: {} {}", exam.from, fmt::join(exam.carries, ", "),
                              exam.to, fmt::join(accepts, ", "), fmt::join(refused, ", "),
                              refused.size() == 1 ? "does not fit" : "do not fit"),
                  "put a stage between them that converts, or mend `accepts` and `produces` of their [[component]]s");
      if (edge.config != nullptr) error = config::placed(std::move(error), edge.config->where);
      add(exam.fits ? result_.warnings : result_.errors, std::move(error), to);
    }
    result_.edges.push_back(std::move(exam));
  }

  const FlowConfig& flow_;
  engine::Engine& engine_;
  const ExamRequest& request_;
  std::vector<Place> places_;
  LoadedComponents loaded_;
  FlowExam result_;
};

// "text/plain" of "Text/plain; charset=utf-8".
std::string essence(std::string_view type) {
  std::string text(type.substr(0, type.find(';')));
  while (text.ends_with(' ')) text.pop_back();
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

bool content_type_fits(std::string_view type, std::string_view accepted) {
  const std::string one = essence(type);
  const std::string other = essence(accepted);
  const auto part_fits = [](std::string_view given, std::string_view wanted) {
    return given == "*" || wanted == "*" || given == wanted;
  };
  const std::size_t slash = one.find('/');
  const std::size_t other_slash = other.find('/');
  if (slash == std::string::npos || other_slash == std::string::npos) return part_fits(one, other);
  return part_fits(std::string_view(one).substr(0, slash), std::string_view(other).substr(0, other_slash)) &&
         part_fits(std::string_view(one).substr(slash + 1), std::string_view(other).substr(other_slash + 1));
}

FlowExam examine_flow(const FlowConfig& flow, engine::Engine& engine, const ExamRequest& request) {
  return Exam(flow, engine, request).run();
}

}  // namespace torvyn::linker
