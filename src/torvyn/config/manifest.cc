#include "torvyn/config/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "torvyn/config/document.h"
#include "torvyn/config/json_text.h"
#include "torvyn/config/names.h"
#include "torvyn/config/schema_check.h"
#include "torvyn/types/assert.h"
#include "torvyn/types/file.h"

namespace torvyn::config {
namespace {

// Everything here runs behind `apply_schema`: types, ranges and required keys are as the schema says.

void read_text(const Value& table, std::string_view key, std::string& target) {
  if (const Value* value = table.find(key)) target = value->text;
}

// Into any integer that holds the schema's range.
template <class T>
void read_quantity(const Value& table, std::string_view key, T& target) {
  if (const Value* value = table.find(key)) target = static_cast<T>(value->quantity);
}
template <class T>
void read_quantity(const Value& table, std::string_view key, std::optional<T>& target) {
  if (const Value* value = table.find(key)) target = static_cast<T>(value->quantity);
}

constexpr std::pair<std::string_view, ErrorAction> error_actions[] = {
    {"fail", ErrorAction::fail},
    {"skip", ErrorAction::skip},
    {"retry", ErrorAction::retry},
    {"dead-letter", ErrorAction::dead_letter},
};
constexpr std::pair<std::string_view, TrapAction> trap_actions[] = {
    {"fail", TrapAction::fail},
    {"restart", TrapAction::restart},
};
constexpr std::pair<std::string_view, FullPolicy> full_policies[] = {
    {"block", FullPolicy::block},
    {"drop-oldest", FullPolicy::drop_oldest},
    {"drop-newest", FullPolicy::drop_newest},
    {"error", FullPolicy::error},
};

template <class T, std::size_t Count>
T meaning_of(std::string_view choice, const std::pair<std::string_view, T> (&choices)[Count]) {
  const auto found = std::ranges::find(choices, choice, &std::pair<std::string_view, T>::first);
  TORVYN_ASSERT(found != std::end(choices), "the schema has no choice that is not here");
  return found->second;
}

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

// An edge's own or the runtime's, which calls the depth differently.
template <class T>
void read_stream(const Value& table, std::string_view depth_key, T& stream) {
  read_quantity(table, depth_key, stream.queue_depth);
  read_quantity(table, "queue_bytes", stream.queue_bytes);
  if (const Value* policy = table.find("backpressure_policy")) stream.full_policy = full_policy(policy->text);
  if (const Value* ratio = table.find("low_watermark_ratio")) stream.low_watermark_ratio = ratio->number;
}

class ManifestReader {
 public:
  explicit ManifestReader(const Document& document) : document_(document) {}

  Result<Manifest> read() const {
    Manifest manifest;
    TORVYN_TRY(read_project(*document_.root.find("torvyn"), manifest));
    if (const Value* components = document_.root.find("component"))
      TORVYN_TRY(read_components(*components, manifest.components));
    if (const Value* flows = document_.root.find("flow")) {
      for (const Entry& entry : flows->entries) {
        TORVYN_LET(FlowConfig flow, read_flow(entry));
        manifest.flows.push_back(std::move(flow));
      }
    }
    manifest.runtime = read_runtime();
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
    if (const Value* authors = table.find("authors")) {
      for (const Value& author : authors->items) manifest.authors.push_back(author.text);
    }
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

  Result<FlowConfig> read_flow(const Entry& entry) const {
    FlowConfig flow;
    flow.name = entry.key;
    flow.where = document_.at(entry.place);
    read_text(entry.value, "description", flow.description);
    read_quantity(entry.value, "timeout", flow.timeout_ns);
    read_quantity(entry.value, "deadline", flow.deadline_ns);
    read_quantity(entry.value, "weight", flow.weight);
    read_quantity(entry.value, "priority", flow.priority);
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
    read_quantity(entry.value, "timeout", node.timeout_ns);
    read_quantity(entry.value, "max_memory", node.max_memory_bytes);
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
    if (const Value* config = entry.value.find("config")) {
      TORVYN_TRY(append_plain(*config, node.config));
      for (const Entry& setting : config->entries) {
        std::string text;
        TORVYN_TRY(append_plain(setting.value, text));
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

  RuntimeConfig read_runtime() const {
    RuntimeConfig runtime;
    if (const Value* table = document_.root.find("runtime")) {
      read_quantity(*table, "max_memory_per_component", runtime.max_memory_per_component_bytes);
      read_quantity(*table, "max_handles", runtime.max_handles);
      read_quantity(*table, "max_host_buffers", runtime.max_host_buffers_bytes);
      read_quantity(*table, "max_log", runtime.max_log_bytes_per_s);
      read_quantity(*table, "invocation_timeout", runtime.invocation_timeout_ns);
      read_quantity(*table, "component_init_timeout", runtime.component_init_timeout_ns);
      read_quantity(*table, "component_teardown_timeout", runtime.component_teardown_timeout_ns);
      read_quantity(*table, "max_batch", runtime.max_batch);
      read_quantity(*table, "max_batch_bytes", runtime.max_batch_bytes);
      read_quantity(*table, "max_instances", runtime.max_instances);
      read_quantity(*table, "compile_cache", runtime.compile_cache);
      read_quantity(*table, "worker_threads", runtime.worker_threads);
      if (const Value* backpressure = table->find("backpressure"))
        read_stream(*backpressure, "default_queue_depth", runtime.backpressure);
      if (const Value* pools = table->find("pools")) read_pools(*pools, runtime.pools);
    }
    const Value* capabilities = document_.root.find("capabilities");
    if (const Value* asked = capabilities == nullptr ? nullptr : capabilities->find("torvyn")) {
      read_quantity(*asked, "max-buffer-size", runtime.max_buffer_size_bytes);
      if (const Value* memory = asked->find("max-memory")) {
        const Value* table = document_.root.find("runtime");
        const Value* allowed = table == nullptr ? nullptr : table->find("max_memory_per_component");
        runtime.max_memory_per_component_bytes =
            allowed == nullptr ? memory->quantity : std::min(memory->quantity, allowed->quantity);
      }
    }
    return runtime;
  }

  static void read_pools(const Value& table, PoolConfig& pools) {
    read_quantity(table, "small_pool_size", pools.small_pool_size);
    read_quantity(table, "medium_pool_size", pools.medium_pool_size);
    read_quantity(table, "large_pool_size", pools.large_pool_size);
    read_quantity(table, "huge_pool_size", pools.huge_pool_size);
    if (const Value* policy = table.find("exhaustion_policy")) pools.fallback_alloc = policy->text == "fallback-alloc";
  }

  // A text or date as it is, anything else as JSON.
  Status append_plain(const Value& value, std::string& text) const {
    if (value.kind != Value::Kind::text && value.kind != Value::Kind::date) return append_json(value, text);
    text += value.text;
    return {};
  }

  Status append_json(const Value& value, std::string& json) const {
    switch (value.kind) {
      case Value::Kind::text:
      case Value::Kind::date:
        json += json_string(value.text);
        return {};
      case Value::Kind::integer:
        json += std::to_string(value.integer);
        return {};
      case Value::Kind::boolean:
        json += value.boolean ? "true" : "false";
        return {};
      case Value::Kind::number:
        if (!std::isfinite(value.number)) {
          return fail(
              document_.error(ErrorCode::out_of_range, "infinity and nan have no place in a component's settings",
                              "settings are handed over as JSON, which knows finite numbers only", value.place));
        }
        json += json_number(value.number);
        return {};
      case Value::Kind::list:
        json += '[';
        for (const Value& item : value.items) {
          if (&item != &value.items.front()) json += ',';
          TORVYN_TRY(append_json(item, json));
        }
        json += ']';
        return {};
      case Value::Kind::table:
        json += '{';
        for (const Entry& entry : value.entries) {
          if (&entry != &value.entries.front()) json += ',';
          json += json_string(entry.key) + ':';
          TORVYN_TRY(append_json(entry.value, json));
        }
        json += '}';
        return {};
    }
    return {};
  }

  const Document& document_;
};

// Unlike torvyn::read_file, stops where no manifest goes on: a pipe may have no end.
Result<std::string> read_manifest(const std::filesystem::path& path) {
  const std::string file = path.string();
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
    return fail(Error(ErrorCode::io_failed, fmt::format("`{}` is a folder, not a manifest", file),
                      fmt::format("name the file in it: {}", (path / "Torvyn.toml").string()))
                    .at_file(file));
  }
  struct Closer {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  const std::unique_ptr<std::FILE, Closer> stream(std::fopen(path.c_str(), "rbe"));
  if (stream == nullptr) {
    const int number = errno;
    if (number != ENOENT && number != ENOTDIR) return fail(io_error("cannot read", file, number).at_file(file));
    return fail(Error(ErrorCode::manifest_not_found, fmt::format("there is no manifest `{}`", file),
                      "go to the project's folder, name the file with --manifest, or make a project with `torvyn init`")
                    .at_file(file));
  }
  std::string text;
  std::array<char, 64 * kib> chunk;
  while (const std::size_t length = std::fread(chunk.data(), 1, chunk.size(), stream.get())) {
    text.append(chunk.data(), length);
    if (text.size() > manifest_bytes_max) break;
  }
  if (std::ferror(stream.get()) != 0) return fail(io_error("cannot read", file, errno).at_file(file));
  return text;
}

}  // namespace

ErrorPolicy error_policy(const ErrorActions& named, bool has_dead_letter) {
  ErrorPolicy policy;
  const std::pair<ErrorAction*, std::optional<ErrorAction>> cases[] = {
      {&policy.invalid_input, named.invalid_input},
      {&policy.unavailable, named.unavailable},
      {&policy.internal, named.internal},
      {&policy.deadline_exceeded, named.deadline_exceeded},
  };
  bool uses_dead_letter = named.others == ErrorAction::retry;
  for (const auto& [action, given] : cases) {
    *action = given.value_or(named.others.value_or(*action));
    uses_dead_letter = uses_dead_letter || *action == ErrorAction::dead_letter;
  }
  if (named.others.has_value() && named.others != ErrorAction::retry) {
    policy.exhausted = *named.others;
  } else if (uses_dead_letter && has_dead_letter) {
    policy.exhausted = ErrorAction::dead_letter;
  }
  // The same input would be invalid again: it is retried only where that is said of it by name.
  if (named.others == ErrorAction::retry && !named.invalid_input) policy.invalid_input = policy.exhausted;
  return policy;
}

ErrorAction error_action(std::string_view choice) { return meaning_of(choice, error_actions); }
TrapAction trap_action(std::string_view choice) { return meaning_of(choice, trap_actions); }
FullPolicy full_policy(std::string_view choice) { return meaning_of(choice, full_policies); }

const FlowConfig* Manifest::find_flow(std::string_view wanted) const noexcept {
  const auto flow = std::ranges::find(flows, wanted, &FlowConfig::name);
  return flow == flows.end() ? nullptr : &*flow;
}

const ComponentConfig* Manifest::find_component(std::string_view wanted) const noexcept {
  const auto component = std::ranges::find(components, wanted, &ComponentConfig::name);
  return component == components.end() ? nullptr : &*component;
}

Result<Manifest> load_manifest(const std::filesystem::path& path) {
  TORVYN_LET(const std::string text, read_manifest(path));
  return parse_manifest(text, path);
}

Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& name) {
  const std::string file = name.string();
  if (text.size() > manifest_bytes_max) {
    return fail(
        Error(ErrorCode::io_failed, fmt::format("`{}` has more than 4 MiB, which no manifest should need", file))
            .at_file(file));
  }
  TORVYN_LET(Document document, parse_document(text, file));
  TORVYN_TRY(apply_schema(document, manifest_schema()));
  TORVYN_LET(Manifest manifest, ManifestReader(document).read());
  manifest.path = name;
  manifest.directory = name.has_parent_path() ? name.parent_path() : ".";
  return manifest;
}

}  // namespace torvyn::config
