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
  return key.type == ValueType::table || key.type == ValueType::table_list || key.type == ValueType::table_map;
}

TEST(Schema, DescribesEveryKey) {
  std::set<std::string> seen;
  walk(manifest_schema(), "", [&](const std::string& path, const KeySchema& key) {
    const std::string name = path + "." + std::string(key.name);
    EXPECT_FALSE(key.summary.empty()) << name;
    EXPECT_TRUE(is_table(key) ? key.example.starts_with('[') : key.example.starts_with(std::string(key.name) + " = "))
        << name << ": " << key.example;
    EXPECT_EQ(key.type == ValueType::choice, !key.choices.empty()) << name;
    EXPECT_TRUE(!is_table(key) || key.table != nullptr) << name;
    EXPECT_LT(key.minimum, key.maximum) << name;
    // `from` and `to` share a table, which is walked twice.
    const bool is_shared = path.ends_with(".from") || path.ends_with(".to");
    EXPECT_TRUE(seen.insert(name).second || is_shared) << name << " is there twice";
  });
  EXPECT_GT(seen.size(), 50U);
}

// An example is what a hint tells people to write.
TEST(Schema, AcceptsItsOwnExamples) {
  const std::string project = "[torvyn]\nname = \"x\"\nversion = \"0.1.0\"\ncontract_version = \"0.1.0\"\n";
  const auto manifest_with = [&](const std::string& path, const KeySchema& key) -> std::string {
    const std::string line = std::string(key.example) + "\n";
    if (is_table(key)) return project;
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
    return project + "[" + path + "]\n" + line;
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
