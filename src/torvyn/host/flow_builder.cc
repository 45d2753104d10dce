#include "torvyn/host/flow_builder.h"

#include <memory>
#include <utility>

#include "torvyn/host/native_stages.h"

namespace torvyn::host {

using config::NodeConfig;
using contracts::Role;

NodeConfig& FlowBuilder::add(std::string node, std::string component) {
  NodeConfig& added = definition_.config.nodes.emplace_back();
  added.name = std::move(node);
  added.component = std::move(component);
  return added;
}

NodeConfig& FlowBuilder::add_native(std::string node, NativeNode native) {
  definition_.natives.insert_or_assign(node, std::move(native));
  std::string component = "native:" + node;
  return add(std::move(node), std::move(component));
}

NodeConfig& FlowBuilder::component(std::string node, std::string path_or_builtin) {
  definition_.natives.erase(node);
  return add(std::move(node), std::move(path_or_builtin));
}

NodeConfig& FlowBuilder::source(std::string node, SourceFunction function) {
  return add_native(std::move(node), {.role = Role::source, .does = std::move(function)});
}

NodeConfig& FlowBuilder::processor(std::string node, ProcessFunction function) {
  return add_native(std::move(node), {.role = Role::processor, .does = std::move(function)});
}

NodeConfig& FlowBuilder::router(std::string node, ProcessFunction function) {
  return add_native(std::move(node), {.role = Role::router, .does = std::move(function)});
}

NodeConfig& FlowBuilder::sink(std::string node, SinkFunction function) {
  return add_native(std::move(node), {.role = Role::sink, .does = std::move(function)});
}

Inlet FlowBuilder::inlet(std::string node, const InletLimits& limits) {
  const Inlet inlet(std::make_shared<Inlet::Queue>(limits));
  add_native(std::move(node), {.role = Role::source, .does = inlet});
  return inlet;
}

FlowBuilder& FlowBuilder::connect(std::string_view from, std::string_view to, const config::StreamConfig& stream) {
  config::EdgeConfig& edge = definition_.config.edges.emplace_back();
  const auto split = [](std::string_view end, std::string& node, std::string& port) {
    const std::size_t dot = end.find('.');
    node = end.substr(0, dot);
    if (dot != std::string_view::npos) port = end.substr(dot + 1);
  };
  split(from, edge.from_node, edge.from_port);
  split(to, edge.to_node, edge.to_port);
  edge.stream = stream;
  return *this;
}

}  // namespace torvyn::host
