// What a manifest may hold, as data: the reader checks against it, and whatever describes the manifest to others (a JSON schema,
// a page of documentation) is made from it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace torvyn::config {

enum class ValueType : std::uint8_t {
  text,          // with `minimum` bytes at least
  text_list,     // a list of texts
  name,          // see is_name
  project_name,  // see is_project_name
  version,       // see is_semver
  choice,        // one of `choices`
  count,         // an integer
  ratio,         // a number from 0.0 to below 1.0
  flag,          // true or false
  size,          // "64MiB", or an integer of bytes; also as `KEY_bytes`
  rate,          // "64KiB/s"; otherwise as a size
  duration,      // "250ms"; also as an integer `KEY_ms` or `KEY_s`
  table,         // [KEY], as in `table`
  table_list,    // [[KEY]], each as in `table`
  table_map,     // [KEY.NAME], each as in `table`; NAME is a `name`
};

struct TableSchema;

struct KeySchema {
  std::string_view name;
  ValueType type = ValueType::text;
  std::string_view summary;  // half a sentence
  std::string_view example;  // as written in a manifest, key and all
  bool required = false;
  std::uint64_t minimum =
      0;  // of a count, size, rate or duration, in units of 1, bytes, bytes/s, ns; of a text, its bytes
  std::uint64_t maximum = std::numeric_limits<std::uint64_t>::max();
  std::span<const std::string_view> choices = {};
  const TableSchema* table = nullptr;  // of a table, table_list, table_map
  bool or_table = false;  // a text or choice that may be a table instead: as in `table`, or a free one if null
};

struct TableSchema {
  std::span<const KeySchema> keys;

  // Null where there is none of that name; spellings with a unit are not names.
  const KeySchema* find(std::string_view name) const noexcept;
};

// The whole of Torvyn.toml. Lives as long as the program.
const TableSchema& manifest_schema() noexcept;

}  // namespace torvyn::config
