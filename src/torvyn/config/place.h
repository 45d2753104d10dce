// An error's place in a text.
#pragma once

#include "torvyn/config/flow_config.h"
#include "torvyn/types/error.h"

namespace torvyn::config {

// The same error at `where`: file, line, column, and, where the text is at hand, its line and the bytes to underline. An error
// that has a place keeps it; a `where` with line 0 changes nothing.
Error placed(Error error, const SourceLocation& where);

}  // namespace torvyn::config
