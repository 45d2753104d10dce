// A flow made in code: components, built-in stages and functions of the program, in one graph.
//
//   host::FlowBuilder flow("main");
//   const host::Inlet in = flow.inlet("in");
//   flow.component("shout", "./shout.wasm");
//   flow.sink("out", [](const host::ElementView& element) -> host::StageResult { …; return {}; });
//   TORVYN_LET(const FlowId id, host->start_flow(flow.definition()));
//   in.push("hello");
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "torvyn/config/flow_config.h"
#include "torvyn/host/native_stage.h"

namespace torvyn::host {

// What a host is given to run.
struct FlowDefinition {
  config::FlowConfig config;
  std::map<std::string, NativeNode> natives = {};  // by node, whose `component` then says nothing
};

// Nodes without edges form one chain, in the order they were added. What is wrong shows when the flow is prepared or started.
// Thread: one at a time.
class FlowBuilder {
 public:
  explicit FlowBuilder(std::string name) { definition_.config.name = std::move(name); }

  // A component by its path, or a built-in stage by its name. What is returned can be set further, until the next node is added: settings, on_error,
  // limits, grants.
  config::NodeConfig& component(std::string node, std::string path_or_builtin);

  config::NodeConfig& source(std::string node, SourceFunction function);
  // Gives none, one or several elements for each; `pass` makes it a filter.
  config::NodeConfig& processor(std::string node, ProcessFunction function);
  // Each output says its port: `outputs.to("errors"); outputs.pass();`
  config::NodeConfig& router(std::string node, ProcessFunction function);
  config::NodeConfig& sink(std::string node, SinkFunction function);
  // A source that the program fills. One flow uses it at a time, and such a flow is not restarted after failures.
  Inlet inlet(std::string node, const InletLimits& limits = {});

  // "node" or "node.port"; the port is `output` or `input` where none is said.
  FlowBuilder& connect(std::string_view from, std::string_view to, const config::StreamConfig& stream = {});

  // Weight, priority, time-outs: all that a manifest can say of a flow.
  config::FlowConfig& config() noexcept { return definition_.config; }

  const FlowDefinition& definition() const noexcept { return definition_; }

 private:
  config::NodeConfig& add(std::string node, std::string component);
  config::NodeConfig& add_native(std::string node, NativeNode native);

  FlowDefinition definition_;
};

}  // namespace torvyn::host
