// The machine's [ceilings] over everything else. Inside this folder only.
#pragma once

#include "torvyn/config/document.h"
#include "torvyn/config/node_ceilings.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// Holds the joined `document` against its [ceilings]. What is written and asks for more is E0502 at its place, with the ceiling's place in
// the hint. What is not written and would be more by default is set to the ceiling, with the ceiling's place.
Status apply_ceilings(Document& document);

// Those of a joined document that bound nodes.
NodeCeilings node_ceilings(const Document& document);

}  // namespace torvyn::config
