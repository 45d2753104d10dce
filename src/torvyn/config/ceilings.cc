#include "torvyn/config/ceilings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/schema.h"
#include "torvyn/config/schema_check.h"

namespace torvyn::config {
namespace {

class CeilingWalk {
 public:
  CeilingWalk(Document& document, const Value& ceilings) : document_(document), ceilings_(ceilings) {}

  Status table(Value& value, const TableSchema& schema) {
    for (const KeySchema& key : schema.keys) {
      if (key.reach == Reach::machine) continue;
      if (key.type == ValueType::table) {
        // A section that nobody wrote has defaults too.
        if (value.find(key.name) != nullptr || bounds_within(*key.table))
          TORVYN_TRY(table(table_in(value, key.name, {}), *key.table));
      } else if (key.type == ValueType::table_map) {
        Value* const named = value.find(key.name);
        if (named == nullptr) continue;
        for (Entry& entry : named->entries) TORVYN_TRY(table(entry.value, *key.table));
      } else if (key.type == ValueType::table_list) {
        Value* const list = value.find(key.name);
        if (list == nullptr) continue;
        for (Value& item : list->items) TORVYN_TRY(table(item, *key.table));
      } else if (!key.ceiling.empty()) {
        if (const Value* ceiling = ceilings_.find(key.ceiling)) TORVYN_TRY(bound(value, key, *ceiling));
      }
    }
    return {};
  }

 private:
  bool bounds_within(const TableSchema& schema) const {
    return std::ranges::any_of(schema.keys, [this](const KeySchema& key) {
      return !key.ceiling.empty() && ceilings_.find(key.ceiling) != nullptr;
    });
  }

  Status bound(Value& table, const KeySchema& key, const Value& ceiling) {
    Value* const value = table.find(key.name);
    if (key.type == ValueType::capability_list) return bound_grants(table, key, value, ceiling);
    if (value != nullptr) {
      if (value->quantity <= ceiling.quantity) return {};
      return fail(document_.error(
          ErrorCode::beyond_ceiling,
          fmt::format("`{}` is {}, and this machine allows {} at most", key.name,
                      shown_quantity(key.type, value->quantity), shown_quantity(key.type, ceiling.quantity)),
          way_out(ceiling), value->place));
    }
    if (!key.inherits.empty()) return {};  // from what is bounded itself
    if (!key.fallback.empty() && default_value(key).quantity <= ceiling.quantity) return {};
    table.entries.push_back({std::string(key.name), ceiling.place, ceiling});
    return {};
  }

  Status bound_grants(Value& table, const KeySchema& key, Value* value, const Value& ceiling) {
    std::vector<Capability> allowed;
    for (const Value& item : ceiling.items) allowed.push_back(*parse_capability(item.text));
    const auto may = [&allowed](const Value& item) {
      const Capability asked = *parse_capability(item.text);
      return std::ranges::any_of(allowed, [&asked](const Capability& one) { return includes(one, asked); });
    };
    if (value != nullptr) {
      for (const Value& item : value->items) {
        if (may(item)) continue;
        return fail(document_.error(ErrorCode::beyond_ceiling,
                                    fmt::format("`{}` may not be granted on this machine", item.text), way_out(ceiling),
                                    item.place));
      }
      return {};
    }
    if (key.fallback.empty()) return {};
    Value lowered = default_value(key);
    if (std::erase_if(lowered.items, [&may](const Value& item) { return !may(item); }) == 0) return {};
    lowered.place = ceiling.place;
    table.entries.push_back({std::string(key.name), ceiling.place, std::move(lowered)});
    return {};
  }

  std::string way_out(const Value& ceiling) const {
    const SourceLocation where = document_.at(ceiling.place);
    return fmt::format("ask for less, or have the ceiling raised: {}:{}:{}", where.file, where.line, where.column);
  }

  Document& document_;
  const Value& ceilings_;
};

}  // namespace

Status apply_ceilings(Document& document) {
  const Value* const ceilings = document.root.find("ceilings");
  if (ceilings == nullptr) return {};
  const Value copy = *ceilings;  // sections are added beside it
  return CeilingWalk(document, copy).table(document.root, manifest_schema());
}

NodeCeilings node_ceilings(const Document& document) {
  NodeCeilings bounds;
  const Value* const ceilings = document.root.find("ceilings");
  if (ceilings == nullptr) return bounds;
  const auto quantity = [ceilings](std::string_view key) -> std::optional<std::uint64_t> {
    const Value* const value = ceilings->find(key);
    return value == nullptr ? std::nullopt : std::optional(value->quantity);
  };
  bounds.max_memory_bytes = quantity("max_memory_per_component");
  bounds.timeout_ns = quantity("invocation_timeout");
  bounds.max_log_bytes_per_s = quantity("max_log");
  bounds.max_handles = quantity("max_handles");
  bounds.max_host_buffers_bytes = quantity("max_host_buffers");
  if (const auto share = quantity("max_cpu"))
    bounds.max_cpu = static_cast<double>(*share) / static_cast<double>(whole_share);
  if (const Value* const capabilities = ceilings->find("capabilities")) {
    bounds.capabilities.emplace();
    for (const Value& item : capabilities->items) bounds.capabilities->push_back(*parse_capability(item.text));
  }
  return bounds;
}

}  // namespace torvyn::config
