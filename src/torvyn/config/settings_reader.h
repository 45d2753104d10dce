// A document's settings as plain structs. Inside this folder only.
#pragma once

#include "torvyn/config/document.h"
#include "torvyn/config/manifest.h"

namespace torvyn::config {

// Reads `[runtime]`, `[observability]`, `[api]`, `[log]`, `[security]` and `[registry]`, and of `[capabilities.torvyn]` what is a limit.
// Requires: `apply_schema` found nothing wrong with what `document` was made of.
// Errors: E0702, settings that contradict each other, with the place of one.
Status read_settings(const Document& document, Manifest& manifest);

// Where both `[capabilities.torvyn] max-memory` and `[runtime] max_memory_per_component` are given, the smaller one holds; where only the
// former is, that. Brings the latter of `document` to what holds.
void join_memory_limits(Document& document);

}  // namespace torvyn::config
