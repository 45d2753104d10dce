#include "torvyn/config/tree_reader.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "torvyn/config/fields.h"
#include "torvyn/config/names.h"
#include "torvyn/config/settings_reader.h"
#include "torvyn/config/tree_json.h"

namespace torvyn::config {
namespace {

ErrorPolicy read_error_policy(const Value& node) {
  ErrorActions named;
  if (const Value* written = node.find("on_error"); written != nullptr && written->kind == Value::Kind::table) {
    const std::pair<std::string_view, std::optional<ErrorAction>*> cases[] = {
        {"invalid-input", &named.invalid_input},
        {"unavailable", &named.unavailable},
        {"internal", &named.internal},
        {"deadline-exceeded", &named.deadline_exceeded},
        {"default", &named.others},
    };
    for (const auto& [name, action] : cases) {
      if (const Value* value = written->find(name)) *action = error_action(value->text);
    }
  } else if (written != nullptr) {
    named.others = error_action(written->text);
  }
  return error_policy(named, node.find("dead_letter") != nullptr);
}

class TreeReader {
 public:
  explicit TreeReader(const Document& document) : document_(document) {}

  Result<Manifest> read() const {
    Manifest manifest;
    if (const Value* project = document_.root.find("torvyn")) TORVYN_TRY(read_project(*project, manifest));
    if (const Value* components = document_.root.find("component"))
      TORVYN_TRY(read_components(*components, manifest.components));
    if (const Value* flows = document_.root.find("flow")) {
      for (const Entry& entry : flows->entries) {
        TORVYN_LET(FlowConfig flow, read_flow(entry));
        manifest.flows.push_back(std::move(flow));
      }
    }
    if (const Value* capabilities = document_.root.find("capabilities")) {
      read_flags(*capabilities, "required", manifest.required_capabilities);
      read_flags(*capabilities, "optional", manifest.optional_capabilities);
    }
    TORVYN_TRY(read_settings(document_, manifest));
    return manifest;
  }

 private:
  Status read_project(const Value& table, Manifest& manifest) const {
    read_text(table, "name", manifest.name);
    read_text(table, "version", manifest.version);
    read_text(table, "contract_version", manifest.contract_version);
    read_text(table, "description", manifest.description);
    read_text(table, "license", manifest.license);
    read_text(table, "repository", manifest.repository);
    read_texts(table, "authors", manifest.authors);
    if (!manifest.contract_version.starts_with("0.1.")) {
      return fail(document_.error(
          ErrorCode::version_incompatible,
          fmt::format("contract version {} is not 0.1.x, which is what this version runs", manifest.contract_version),
          R"(write contract_version = "0.1.0")", table.find("contract_version")->place));
    }
    return {};
  }

  Status read_components(const Value& list, std::vector<ComponentConfig>& components) const {
    std::map<std::string_view, std::uint32_t> lines;  // of the names so far
    for (const Value& item : list.items) {
      ComponentConfig component;
      component.where = document_.at(item.place);
      read_text(item, "name", component.name);
      read_text(item, "path", component.path);
      read_text(item, "language", component.language);
      read_text(item, "build_command", component.build_command);
      read_capabilities(item, "requires", component.required_capabilities);
      read_texts(item, "accepts", component.accepts);
      read_texts(item, "produces", component.produces);
      const Value& name = *item.find("name");
      if (const auto [same, is_new] = lines.emplace(name.text, name.place.line); !is_new) {
        return fail(document_.error(
            ErrorCode::out_of_range,
            fmt::format("two components are called `{}`; the other one is in line {}", name.text, same->second),
            "rename one", name.place));
      }
      components.push_back(std::move(component));
    }
    return {};
  }

  // Those that are true.
  static void read_flags(const Value& table, std::string_view key, std::vector<Capability>& capabilities) {
    const Value* const flags = table.find(key);
    if (flags == nullptr) return;
    for (const Entry& entry : flags->entries)
      if (entry.value.boolean) capabilities.push_back(*parse_capability(entry.key));
  }

  Result<FlowConfig> read_flow(const Entry& entry) const {
    FlowConfig flow;
    flow.name = entry.key;
    flow.where = document_.at(entry.place);
    read_text(entry.value, "description", flow.description);
    read_quantity(entry.value, "timeout", flow.timeout_ns);
    read_quantity(entry.value, "deadline", flow.deadline_ns);
    read_quantity(entry.value, "weight", flow.weight);
    read_quantity(entry.value, "priority", flow.priority);
    read_quantity(entry.value, "autostart", flow.autostart);
    read_choice(entry.value, "level", observability_levels, flow.level);
    if (const Value* restart = entry.value.find("restart")) flow.restart_on_failure = restart->text == "on-failure";
    read_quantity(entry.value, "restart_backoff", flow.restart_backoff_ns);
    read_quantity(entry.value, "restart_max", flow.restart_max);
    if (const Value* nodes = entry.value.find("nodes")) {
      for (const Entry& node_entry : nodes->entries) {
        TORVYN_LET(NodeConfig node, read_node(node_entry));
        flow.nodes.push_back(std::move(node));
      }
    }
    if (const Value* edges = entry.value.find("edges")) {
      for (const Value& item : edges->items) {
        EdgeConfig edge;
        edge.where = document_.at(item.place);
        TORVYN_TRY(read_endpoint(*item.find("from"), edge.from_node, edge.from_port, edge.from_where));
        TORVYN_TRY(read_endpoint(*item.find("to"), edge.to_node, edge.to_port, edge.to_where));
        read_stream(item, "queue_depth", edge.stream);
        flow.edges.push_back(std::move(edge));
      }
    }
    return flow;
  }

  Result<NodeConfig> read_node(const Entry& entry) const {
    NodeConfig node;
    node.name = entry.key;
    node.where = document_.at(entry.place);
    const Value& component = *entry.value.find("component");
    node.component = component.text;
    node.component_where = document_.at(component.place);
    read_text(entry.value, "interface", node.interface);
    read_quantity(entry.value, "timeout", node.timeout_ns);
    read_quantity(entry.value, "max_memory", node.max_memory_bytes);
    read_number(entry.value, "max_cpu", node.max_cpu);
    read_quantity(entry.value, "max_log", node.max_log_bytes_per_s);
    read_quantity(entry.value, "max_handles", node.max_handles);
    read_quantity(entry.value, "max_host_buffers", node.max_host_buffers_bytes);
    read_capabilities(entry.value, "grants", node.grants);
    read_quantity(entry.value, "retries", node.retries);
    read_quantity(entry.value, "retry_backoff", node.retry_backoff_ns);
    if (const Value* dead_letter = entry.value.find("dead_letter")) {
      node.dead_letter = dead_letter->text;
      node.dead_letter_where = document_.at(dead_letter->place);
    }
    node.on_error = read_error_policy(entry.value);
    if (const Value* on_trap = entry.value.find("on_trap")) node.on_trap = trap_action(on_trap->text);
    read_quantity(entry.value, "restarts", node.restarts);
    read_quantity(entry.value, "restart_window", node.restart_window_ns);
    read_quantity(entry.value, "instances", node.instances);
    if (const Value* where = entry.value.find("placement")) node.placement = placement(where->text);
    if (const Value* config = entry.value.find("config")) {
      node.config_where = document_.at(config->place);
      TORVYN_TRY(append_plain(document_, *config, node.config));
      for (const Entry& setting : config->entries) {
        std::string text;
        TORVYN_TRY(append_plain(document_, setting.value, text));
        node.settings.emplace_back(setting.key, std::move(text));
        node.settings_where.emplace(setting.key, document_.at(setting.place));
      }
    }
    return node;
  }

  // "node", "node.port" or { node, port }.
  Status read_endpoint(const Value& value, std::string& node, std::string& port, SourceLocation& where) const {
    where = document_.at(value.place);
    if (value.kind == Value::Kind::table) {
      read_text(value, "node", node);
      read_text(value, "port", port);
      return {};
    }
    const std::size_t dot = value.text.find('.');
    node = value.text.substr(0, dot);
    if (dot != std::string::npos) port = value.text.substr(dot + 1);
    if (is_name(node) && is_name(port)) return {};
    return fail(document_.error(ErrorCode::out_of_range, fmt::format("`{}` is no end of an edge", value.text),
                                R"(write "node", "node.port" or { node = "…", port = "…" })", value.place));
  }

  const Document& document_;
};

}  // namespace

Result<Manifest> read_tree(const Document& document) { return TreeReader(document).read(); }

}  // namespace torvyn::config
