#include "torvyn/config/schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "torvyn/config/manifest.h"

namespace torvyn::config {
namespace {

// Calls `visit` for every key of every table, with the table's name: "flow.NAME.nodes.NAME".
void walk(const TableSchema& table, const std::string& path,
          const std::function<void(const std::string& path, const KeySchema&)>& visit) {
  for (const KeySchema& key : table.keys) {
    visit(path, key);
    if (key.table == nullptr) continue;
    walk(*key.table,
         fmt::format("{}{}{}{}", path, path.empty() ? "" : ".", key.name, key.type == ValueType::table_map ? ".x" : ""),
         visit);
  }
}

bool is_table(const KeySchema& key) {
  return key.type == ValueType::capability_map || key.type == ValueType::table || key.type == ValueType::table_list ||
         key.type == ValueType::table_map;
}

TEST(Schema, DescribesEveryKey) {
  std::set<std::string> seen;
  walk(manifest_schema(), "", [&](const std::string& path, const KeySchema& key) {
    const std::string name = path + "." + std::string(key.name);
    EXPECT_FALSE(key.summary.empty()) << name;
    EXPECT_TRUE(is_table(key) ? key.example.starts_with('[') : key.example.starts_with(std::string(key.name) + " = "))
        << name << ": " << key.example;
    EXPECT_EQ(key.type == ValueType::choice, !key.choices.empty()) << name;
    EXPECT_TRUE(!is_table(key) || key.type == ValueType::capability_map || key.table != nullptr) << name;
    EXPECT_LT(key.minimum, key.maximum) << name;
    // `from` and `to` share a table, which is walked twice.
    const bool is_shared = path.ends_with(".from") || path.ends_with(".to");
    EXPECT_TRUE(seen.insert(name).second || is_shared) << name << " is there twice";
  });
  EXPECT_GT(seen.size(), 140U);
}

// The key that a path of plain names leads to; null if there is none.
const KeySchema* key_at(std::string_view path) {
  const TableSchema* table = &manifest_schema();
  while (true) {
    const std::size_t dot = path.find('.');
    const KeySchema* const key = table->find(path.substr(0, dot));
    if (dot == std::string_view::npos || key == nullptr) return key;
    table = key->table;
    path.remove_prefix(dot + 1);
  }
}

TEST(Schema, InheritsFromAndIsBoundedByKeysOfTheSameType) {
  const TableSchema& ceilings = *manifest_schema().find("ceilings")->table;
  std::set<std::string_view> used;
  walk(manifest_schema(), "", [&](const std::string& path, const KeySchema& key) {
    const std::string name = path + "." + std::string(key.name);
    if (!key.inherits.empty()) {
      const KeySchema* const other = key_at(key.inherits);
      ASSERT_NE(other, nullptr) << name;
      EXPECT_EQ(other->type, key.type) << name;
      EXPECT_TRUE(key.fallback.empty()) << name;
    }
    if (!key.ceiling.empty()) {
      const KeySchema* const ceiling = ceilings.find(key.ceiling);
      ASSERT_NE(ceiling, nullptr) << name;
      EXPECT_EQ(ceiling->type, key.type) << name;
      used.insert(key.ceiling);
    }
  });
  for (const KeySchema& ceiling : ceilings.keys) EXPECT_TRUE(used.contains(ceiling.name)) << ceiling.name;
}

// What the schema says holds by default, and what the structs do, is the same.
TEST(Schema, HasTheDefaultsOfTheStructs) {
  std::string text = "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n";
  std::string table;
  walk(manifest_schema(), "", [&](const std::string& path, const KeySchema& key) {
    if (key.fallback.empty() || path == "security.grants.x") return;
    if (path != table) text += fmt::format("[{}]\n", path);
    if (path != table && path == "flow.x.nodes.x") text += "component = \"c\"\n";
    table = path;
    text += fmt::format("{} = {}\n", key.name, key.fallback);
  });
  const Result<Manifest> manifest = parse_manifest(text, "Torvyn.toml");
  ASSERT_TRUE(manifest.has_value()) << manifest.error().to_string() << text;
  EXPECT_EQ(manifest->runtime, RuntimeConfig{});
  EXPECT_EQ(manifest->observability, ObservabilityConfig{});
  EXPECT_EQ(manifest->api, ApiConfig{});
  EXPECT_EQ(manifest->log, LogConfig{});
  EXPECT_EQ(manifest->security, SecurityConfig{});
  EXPECT_EQ(manifest->registry, RegistryConfig{});
  ASSERT_EQ(manifest->flows.size(), 1U);
  const FlowConfig& flow = manifest->flows[0];
  const FlowConfig plain_flow;
  EXPECT_EQ(flow.weight, plain_flow.weight);
  EXPECT_EQ(flow.priority, plain_flow.priority);
  EXPECT_EQ(flow.autostart, plain_flow.autostart);
  EXPECT_EQ(flow.restart_on_failure, plain_flow.restart_on_failure);
  EXPECT_EQ(flow.restart_backoff_ns, plain_flow.restart_backoff_ns);
  EXPECT_EQ(flow.restart_max, plain_flow.restart_max);
  ASSERT_EQ(flow.nodes.size(), 1U);
  const NodeConfig plain_node;
  EXPECT_EQ(flow.nodes[0].retries, plain_node.retries);
  EXPECT_EQ(flow.nodes[0].retry_backoff_ns, plain_node.retry_backoff_ns);
  EXPECT_EQ(flow.nodes[0].on_trap, plain_node.on_trap);
  EXPECT_EQ(flow.nodes[0].restarts, plain_node.restarts);
  EXPECT_EQ(flow.nodes[0].restart_window_ns, plain_node.restart_window_ns);
  EXPECT_EQ(flow.nodes[0].instances, plain_node.instances);
}

// An example is what a hint tells people to write.
TEST(Schema, AcceptsItsOwnExamples) {
  const std::string project = "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n";
  const auto manifest_with = [&](const std::string& path, const KeySchema& key) -> std::string {
    const std::string line = std::string(key.example) + "\n";
    if (is_table(key) || path == "ceilings") return project;
    if (path == "torvyn") return key.required ? project : project + line;
    if (path == "component") {
      std::string others;
      if (key.name != "name") others += "name = \"n\"\n";
      if (key.name != "path") others += "path = \"p\"\n";
      return project + "[[component]]\n" + others + line;
    }
    if (path == "flow.x.nodes.x")
      return project + "[" + path + "]\n" + (key.required ? "" : "component = \"c\"\n") + line;
    if (path == "flow.x.nodes.x.on_error")
      return project + "[flow.x.nodes.x]\ncomponent = \"c\"\n[" + path + "]\n" + line;
    if (path == "flow.x.edges") {
      std::string others;
      if (key.name != "from") others += "from = \"a\"\n";
      if (key.name != "to") others += "to = \"b\"\n";
      return project + "[[flow.x.edges]]\n" + others + line;
    }
    if (path.starts_with("flow.x.edges.")) {
      const bool is_from = path.ends_with(".from");
      return project + "[[flow.x.edges]]\n" + (is_from ? "to" : "from") + " = \"b\"\n[flow.x.edges." +
             (is_from ? "from" : "to") + "]\n" + (key.required ? "" : "node = \"a\"\n") + line;
    }
    // One is nothing without the other.
    std::string other;
    if (key.name == "tls_cert") other = "tls_key = \"k\"\n";
    if (key.name == "tls_key") other = "tls_cert = \"c\"\n";
    return project + "[" + path + "]\n" + other + line;
  };
  walk(manifest_schema(), "", [&](const std::string& path, const KeySchema& key) {
    const std::string text = manifest_with(path, key);
    const Result<Manifest> manifest = parse_manifest(text, "Torvyn.toml");
    EXPECT_TRUE(manifest.has_value()) << text << (manifest ? "" : manifest.error().to_string());
  });
}

TEST(Schema, FindsPlainNamesOnly) {
  const KeySchema* runtime = manifest_schema().find("runtime");
  ASSERT_NE(runtime, nullptr);
  EXPECT_NE(runtime->table->find("component_init_timeout"), nullptr);
  EXPECT_EQ(runtime->table->find("component_init_timeout_ms"), nullptr);
}

}  // namespace
}  // namespace torvyn::config
