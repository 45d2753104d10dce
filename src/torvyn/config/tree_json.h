// Values of a document as JSON. Inside this folder only.
#pragma once

#include <string>

#include "torvyn/config/document.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Adds `value` to `json`, tables in their order. Errors: E0702, a number that is not finite.
Status append_json(const Document& document, const Value& value, std::string& json);

// A text or date as it is, anything else as JSON.
Status append_plain(const Document& document, const Value& value, std::string& text);

}  // namespace torvyn::config
