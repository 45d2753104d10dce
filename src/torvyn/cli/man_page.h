// torvyn(1), in the language of man.
#pragma once

#include <string>
#include <string_view>

#include "torvyn/cli/command_line_info.h"

namespace torvyn::cli {

// The whole page, UTF-8. `version` stands in its footer.
std::string man_page(const CommandLineInfo& info, std::string_view version);

}  // namespace torvyn::cli
