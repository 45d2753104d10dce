// A TOML text as a tree that knows its places and the order of its keys. Inside this folder only: what leaves it are the plain
// structs of manifest.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "torvyn/config/flow_config.h"
#include "torvyn/config/origin.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Where a key or value stands in its document; lines and columns count from 1, columns and length count bytes. A line of 0 means
// "written nowhere": a default.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;
  std::uint32_t source = 0;  // which of the document's

  bool operator==(const Place&) const = default;
};

// What was read: a file, a variable of the environment, an option.
struct Source {
  Layer layer = Layer::project;
  std::string name = {};  // in messages
  std::shared_ptr<const std::string> text = {};
};

struct Entry;

// One value. Of the fields below `kind`, those of its kind are set.
struct Value {
  enum class Kind : std::uint8_t { text, integer, number, boolean, date, list, table };

  Kind kind = Kind::table;
  Place place;
  std::string text;  // of a text or a date
  std::int64_t integer = 0;
  double number = 0;  // of a number; after `apply_schema`, of a ratio that was written as an integer too
  bool boolean = false;
  std::vector<Value> items;
  std::vector<Entry> entries;  // in the order of the file

  // What a size, rate, duration, share, mode, count or flag comes to, in bytes, nanoseconds, millionths or 1s; set by `apply_schema`.
  std::uint64_t quantity = 0;

  // The value of a table's key; null where it has none.
  const Value* find(std::string_view key) const noexcept;
  Value* find(std::string_view key) noexcept;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

// One text as a tree; or several, where stronger ones were laid over weaker ones.
struct Document {
  std::vector<Source> sources = {Source{}};  // never empty
  Value root;

  const Source& source_of(const Place& place) const { return sources[place.source]; }
  SourceLocation at(const Place& place) const;
  Error error(ErrorCode code, std::string message, std::string hint, const Place& place) const;
};

// The table at `key` of `parent`, made where there is none; `place` stands for it then. Requires: what is there is a table.
Value& table_in(Value& parent, std::string_view key, const Place& place);

// Limits of a document, so that no text makes the reader recurse without end.
inline constexpr int nested_values_max = 32;  // lists and tables within each other
inline constexpr int key_parts_max = 32;      // of a.b.c

// Reads `text`; `source` says what it is, and gets the text itself. Errors: E0002 with the place, but for the few that toml++ fails an assertion of
// its own about.
Result<Document> parse_document(std::string_view text, Source source);

}  // namespace torvyn::config
