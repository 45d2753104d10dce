#include "torvyn/cli/flow_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "torvyn/config/json_text.h"
#include "torvyn/config/nearest.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/pipeline/pipeline_string.h"

namespace torvyn::cli {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;

enum class End { source, sink };

// The one node that no edge leads to (or from).
Result<NodeConfig*> find_end(FlowConfig& flow, End end) {
  const bool source = end == End::source;
  std::vector<NodeConfig*> found;
  if (flow.edges.empty()) {
    if (flow.nodes.size() >= 2) found.push_back(source ? &flow.nodes.front() : &flow.nodes.back());
  } else {
    for (NodeConfig& node : flow.nodes)
      if (std::ranges::find(flow.edges, node.name, source ? &EdgeConfig::to_node : &EdgeConfig::from_node) ==
          flow.edges.end())
        found.push_back(&node);
  }
  if (found.size() == 1) return found.front();
  return fail(ErrorCode::usage,
              source ? fmt::format("`--input` replaces the source of a flow, and `{}` has not exactly one", flow.name)
                     : fmt::format("`--output` replaces the sink of a flow, and `{}` has not exactly one", flow.name),
              "name the stage in the pipeline or the manifest instead");
}

void replace(NodeConfig& node, NodeConfig with) {
  with.name = std::move(node.name);  // edges know it by this
  node = std::move(with);
}

NodeConfig builtin(std::string_view name, std::vector<std::pair<std::string, std::string>> settings) {
  NodeConfig node;
  node.component = fmt::format("builtin:{}", name);
  node.config = settings.empty() ? std::string() : config::json_object(settings);
  node.settings = std::move(settings);
  return node;
}

NodeConfig file_stage(const std::string& typed, const std::filesystem::path& base) {
  const bool elsewhere = !base.empty() && base != ".";
  const std::string path = elsewhere ? std::filesystem::absolute(typed).string() : typed;
  return builtin("file", {{"path", path}});
}

bool is_generator(std::string_view input) { return input == "generate" || input.starts_with("generate "); }

bool is_stdout_path(std::string_view path) {
  return path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

}  // namespace

Result<const FlowConfig*> choose_flow(const config::Manifest& manifest, std::string_view name) {
  std::vector<std::string_view> names;
  for (const FlowConfig& flow : manifest.flows) names.push_back(flow.name);
  const std::string listed = fmt::format("`{}` has {}", manifest.path.string(), fmt::join(names, ", "));

  if (names.empty())
    return fail(ErrorCode::unknown_flow_or_node, fmt::format("`{}` has no flow", manifest.path.string()),
                "a flow is a section [flow.NAME] with nodes [flow.NAME.nodes.NODE]");
  if (!name.empty()) {
    if (const FlowConfig* const flow = manifest.find_flow(name)) return flow;
    const std::string_view near = config::nearest(name, names);
    const std::string question = near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
    return fail(ErrorCode::unknown_flow_or_node, fmt::format("there is no flow `{}`{}", name, question), listed);
  }
  if (names.size() == 1) return &manifest.flows.front();
  if (const FlowConfig* const flow = manifest.find_flow("main")) return flow;
  return fail(ErrorCode::unknown_flow_or_node, "there are several flows, and none of them is called main",
              listed + "; choose one: torvyn run --flow " + std::string(names.front()));
}

Status replace_source(FlowConfig& flow, const std::string& input, const std::filesystem::path& base) {
  TORVYN_LET(NodeConfig* const node, find_end(flow, End::source));
  if (input == "-") {
    replace(*node, builtin("stdin", {}));
  } else if (is_generator(input)) {
    TORVYN_LET(FlowConfig generator, pipeline::parse_pipeline(input));
    if (generator.nodes.size() != 1)
      return fail(ErrorCode::usage, "`--input` takes one stage, not a pipeline", "--input 'generate count=1000'");
    replace(*node, std::move(generator.nodes.front()));
  } else {
    replace(*node, file_stage(input, base));
  }
  return {};
}

Status replace_sink(FlowConfig& flow, const std::string& output, const std::filesystem::path& base) {
  TORVYN_LET(NodeConfig* const node, find_end(flow, End::sink));
  replace(*node, output == "-" ? builtin("stdout", {}) : file_stage(output, base));
  return {};
}

bool writes_to_stdout(const FlowConfig& flow) {
  return std::ranges::any_of(flow.nodes, [](const NodeConfig& node) {
    const connectors::BuiltinInfo* const info = connectors::find_builtin(node.component);
    if (info == nullptr) return false;
    if (info->name == "stdout") return true;
    return info->name == "file" && std::ranges::any_of(node.settings, [](const auto& setting) {
             return (setting.first.empty() || setting.first == "path") && is_stdout_path(setting.second);
           });
  });
}

}  // namespace torvyn::cli
