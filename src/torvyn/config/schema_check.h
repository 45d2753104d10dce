// A document held against the schema. Inside this folder only.
#pragma once

#include "torvyn/config/document.h"
#include "torvyn/config/schema.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Checks `document` against `schema`, and brings it into one form: keys spelled with a unit get their plain name, and `quantity`
// or `number` is set where the type has one. Errors: E0700, E0701, E0702 with their place; the first in file order, but for
// required keys that are missing: those are seen at the end of their table.
Status apply_schema(Document& document, const TableSchema& schema);

}  // namespace torvyn::config
