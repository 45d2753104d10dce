// A stage's settings, checked against its table and read with their types. Internal to connectors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "torvyn/config/flow_config.h"
#include "torvyn/connectors/connectors.h"

namespace torvyn::connectors {

class Settings {
 public:
  // Requires: `node` and `info` outlive the result.
  // Errors: E0701 a key the stage does not have, E0006 one given twice or without a meaning in this position.
  static Result<Settings> read(const config::NodeConfig& node, const BuiltinInfo& info, Position position);

  // Null where it was not given.
  const std::string* find(std::string_view key) const noexcept;

  // Nothing where it was not given. Errors: E0702, placed at the value.
  Result<std::optional<std::uint64_t>> whole_number(std::string_view key) const;
  Result<std::optional<double>> positive_number(std::string_view key, double most) const;
  Result<std::optional<std::uint64_t>> size_bytes(std::string_view key, std::uint64_t least, std::uint64_t most) const;
  Result<bool> flag(std::string_view key, bool otherwise) const;

  // E0702 about the value of `key`; `wanted` completes "`key` is …".
  Error bad_value(std::string_view key, std::string_view wanted) const;
  // `error`, placed where `key` was written, or where the stage was.
  Error at(std::string_view key, Error error) const;

 private:
  struct Value {
    std::string text;
    const config::SourceLocation* where;
  };
  explicit Settings(const config::NodeConfig& node) : node_(&node) {}

  const config::NodeConfig* node_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace torvyn::connectors
