// A document held against the schema. Inside this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "torvyn/config/document.h"
#include "torvyn/config/schema.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Checks `document`, which has one source, against `schema`, and brings it into one form: keys spelled with a unit get their plain
// name, and `quantity` or `number` is set where the type has one. Which sections there may be, and whether keys are required, depends
// on the layer it is. Errors: E0700, E0701, E0702 with their place; the first in file order, but for required keys that are missing:
// those are seen at the end of their table.
Status apply_schema(Document& document, const TableSchema& schema);

// The document of a text of at most manifest_bytes_max, checked against manifest_schema(). Errors: E0004, E0002, those of apply_schema.
Result<Document> checked_document(std::string_view text, Source source);

// The schema of a key however it is spelled; null if there is none. `factor` is what one of its integer is worth for a spelling with a
// unit (`max_memory_bytes`, `timeout_ms`), and 0 for the plain name.
const KeySchema* find_key(const TableSchema& schema, std::string_view name, std::uint64_t& factor);

// The value of a key's `fallback`. Requires: it has one.
Value default_value(const KeySchema& key);

// "64 MiB", "250 ms", "0.5": a quantity as a message says it.
std::string shown_quantity(ValueType type, std::uint64_t quantity);

}  // namespace torvyn::config
