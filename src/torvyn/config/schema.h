// What a manifest may hold, as data: the reader checks against it, takes defaults from it, and what describes the manifest to others
// (json_schema.h, and docs/configuration.md by it) is made from it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace torvyn::config {

enum class ValueType : std::uint8_t {
  text,               // with `minimum` bytes at least
  text_list,          // a list of texts
  address,            // "HOST:PORT", or "" for none
  name,               // see is_name
  project_name,       // see is_project_name
  version,            // see is_semver
  choice,             // one of `choices`
  count,              // an integer
  ratio,              // a number from 0.0 to below 1.0
  share,              // a number from 0.0 to 1.0; its quantity is in millionths
  flag,               // true or false
  size,               // "64MiB", or an integer of bytes; also as `KEY_bytes`
  rate,               // "64KiB/s"; otherwise as a size
  duration,           // "250ms"; also as an integer `KEY_ms` or `KEY_s`
  file_mode,          // "0600", or 0o600
  capability_list,    // a list of what parse_capability reads
  capability_map,     // a table of capabilities that are true or false
  content_type_list,  // a list of media types, the part behind the slash may be *
  table,              // [KEY], as in `table`
  table_list,         // [[KEY]], each as in `table`
  table_map,          // [KEY.NAME], each as in `table`; NAME is a `name`, or what `any_name` allows
};

struct TableSchema;

// Which files may hold a section.
enum class Reach : std::uint8_t {
  project,   // a project's Torvyn.toml
  settings,  // that, and the configuration of the user and of the machine
  machine,   // the configuration of the machine alone
};

struct KeySchema {
  std::string_view name;
  ValueType type = ValueType::text;
  std::string_view summary;  // half a sentence
  std::string_view example;  // as written in a manifest, key and all
  // What holds where the key is not written, as a TOML value; empty = nothing, or what `inherits` says.
  std::string_view fallback = {};
  std::string_view inherits = {};  // "runtime.max_log": the setting that holds instead
  std::string_view ceiling = {};   // the key of [ceilings] that bounds it
  bool required = false;
  // Of a count, size, rate, duration or share, in units of 1, bytes, bytes/s, ns, millionths; of a text, its bytes.
  std::uint64_t minimum = 0;
  std::uint64_t maximum = std::numeric_limits<std::uint64_t>::max();
  std::span<const std::string_view> choices = {};
  const TableSchema* table = nullptr;  // of a table, table_list, table_map
  bool or_table = false;         // a text or choice that may be a table instead: as in `table`, or a free one if null
  bool any_name = false;         // of a table_map: NAME may be any text
  bool inert = false;            // read and checked, and this version does not act on it: setting it is a warning
  bool grants = false;           // gives rights to components: never taken from the environment
  Reach reach = Reach::project;  // of a section
};

struct TableSchema {
  std::span<const KeySchema> keys;

  // Null where there is none of that name; spellings with a unit are not names.
  const KeySchema* find(std::string_view name) const noexcept;
};

// `max_memory_bytes` for `max_memory`: a key may be spelled with a unit, and is an integer of it then.
struct UnitSpelling {
  std::string_view suffix;
  std::uint64_t factor;  // what one of it is worth, in the unit of the key's quantity
};
std::span<const UnitSpelling> unit_spellings(ValueType type) noexcept;

// A share's quantity for 1.0.
inline constexpr std::uint64_t whole_share = 1'000'000;

// The whole of Torvyn.toml, and of the other files that hold configuration: which sections they may have says `reach`.
// Lives as long as the program.
const TableSchema& manifest_schema() noexcept;

}  // namespace torvyn::config
