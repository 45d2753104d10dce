// Words to whoever runs the component, through torvyn:diagnostics: no grant, no WASI. On the host machine, in a test,
// they go to stderr. torvyn_panic(format, ...) of torvyn/log.h says why and where, and ends the instance.
#pragma once

#include <string_view>

#include "torvyn/log.h"

namespace torvyn {

enum class Level { trace = TORVYN_TRACE, debug, info, warn, error };

// One message; cut at 4 KiB.
inline void log(Level level, std::string_view text) {
  torvyn_log_text(static_cast<torvyn_level>(level), text.data(), text.size());
}

}  // namespace torvyn
