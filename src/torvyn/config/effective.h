// What holds and where it comes from, of a joined document. Inside this folder only.
#pragma once

#include <vector>

#include "torvyn/config/document.h"
#include "torvyn/config/layers.h"

namespace torvyn::config {

// Every setting as it holds: what is written, else what is inherited, else the default.
std::vector<EffectiveValue> effective_values(const Document& document, bool has_project);

// A W0700 for each key that is written and that this version does not act on.
std::vector<Notice> inert_settings(const Document& document);

}  // namespace torvyn::config
