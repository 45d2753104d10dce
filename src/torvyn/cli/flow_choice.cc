#include "torvyn/cli/flow_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "torvyn/config/json_text.h"
#include "torvyn/config/nearest.h"
#include "torvyn/connectors/connectors.h"
#include "torvyn/pipeline/pipeline_string.h"
#include "torvyn/pipeline/topology.h"

namespace torvyn::cli {
namespace {

using config::EdgeConfig;
using config::FlowConfig;
using config::NodeConfig;

enum class End { source, sink };

// Those that no edge leads to.
std::vector<NodeConfig*> first_nodes(FlowConfig& flow) {
  std::vector<NodeConfig*> found;
  for (NodeConfig& node : flow.nodes) {
    const bool has_input = std::ranges::find(flow.edges, node.name, &EdgeConfig::to_node) != flow.edges.end();
    const bool gets_letters = std::ranges::find(flow.nodes, node.name, &NodeConfig::dead_letter) != flow.nodes.end();
    if (!has_input && !gets_letters) found.push_back(&node);
  }
  return found;
}

// Those that edges lead to from the first ones, and none leads on from: where dead letters end up is no end of a flow.
std::vector<NodeConfig*> last_nodes(FlowConfig& flow) {
  std::set<std::string_view> reached;
  std::vector<std::string_view> next;
  for (const NodeConfig* const node : first_nodes(flow)) next.push_back(node->name);
  while (!next.empty()) {
    const std::string_view from = next.back();
    next.pop_back();
    for (const EdgeConfig& edge : flow.edges)
      if (edge.from_node == from && reached.insert(edge.to_node).second) next.push_back(edge.to_node);
  }
  std::vector<NodeConfig*> found;
  for (NodeConfig& node : flow.nodes) {
    const bool leads_on = std::ranges::find(flow.edges, node.name, &EdgeConfig::from_node) != flow.edges.end();
    if (!leads_on && reached.contains(node.name)) found.push_back(&node);
  }
  return found;
}

// The one source or the one sink.
Result<NodeConfig*> find_end(FlowConfig& flow, End end) {
  const bool source = end == End::source;
  std::vector<NodeConfig*> found;
  if (!flow.edges.empty()) {
    found = source ? first_nodes(flow) : last_nodes(flow);
  } else if (const std::vector<std::size_t> chain = pipeline::implied_chain(flow); chain.size() >= 2) {
    found.push_back(&flow.nodes[source ? chain.front() : chain.back()]);
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

// A built-in stage that does about failures what `instead_of` did.
NodeConfig builtin(std::string_view name, std::vector<std::pair<std::string, std::string>> settings,
                   const NodeConfig& instead_of) {
  NodeConfig node;
  node.on_error = instead_of.on_error;
  node.retries = instead_of.retries;
  node.retry_backoff_ns = instead_of.retry_backoff_ns;
  node.dead_letter = instead_of.dead_letter;
  node.dead_letter_where = instead_of.dead_letter_where;
  node.component = fmt::format("builtin:{}", name);
  node.config = settings.empty() ? std::string() : config::json_object(settings);
  node.settings = std::move(settings);
  return node;
}

NodeConfig file_stage(const std::string& typed, const std::filesystem::path& base, const NodeConfig& instead_of) {
  const bool elsewhere = !base.empty() && base != ".";
  const std::string path = elsewhere ? std::filesystem::absolute(typed).string() : typed;
  return builtin("file", {{"path", path}}, instead_of);
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
    replace(*node, builtin("stdin", {}, *node));
  } else if (is_generator(input)) {
    TORVYN_LET(FlowConfig generator, pipeline::parse_pipeline(input));
    if (generator.nodes.size() != 1)
      return fail(ErrorCode::usage, "`--input` takes one stage, not a pipeline", "--input 'generate count=1000'");
    replace(*node, std::move(generator.nodes.front()));
  } else {
    replace(*node, file_stage(input, base, *node));
  }
  return {};
}

Status replace_sink(FlowConfig& flow, const std::string& output, const std::filesystem::path& base) {
  TORVYN_LET(NodeConfig* const node, find_end(flow, End::sink));
  replace(*node, output == "-" ? builtin("stdout", {}, *node) : file_stage(output, base, *node));
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
