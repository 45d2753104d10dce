// A document as a manifest. Inside this folder only.
#pragma once

#include "torvyn/config/document.h"
#include "torvyn/config/manifest.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Reads all of `document` but where its file is. Requires: `apply_schema` found nothing wrong with what it was made of.
// Errors: E0201 another contract version; E0702 what no single key shows: a name given twice, settings that contradict each other.
Result<Manifest> read_tree(const Document& document);

}  // namespace torvyn::config
