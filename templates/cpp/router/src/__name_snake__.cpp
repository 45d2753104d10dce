// {{name}}: a router that sends the lines of errors to the port "errors", and all others to "output".
#include <string_view>

#include <torvyn/router.hpp>

std::string_view by_level(std::string_view line) { return line.starts_with("ERROR") ? "errors" : "output"; }

TORVYN_ROUTER(by_level)
