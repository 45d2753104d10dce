/* {{name}}: a router that sends the lines of errors to the port "errors", and all others to "output". */
#include <torvyn/router.h>

static bool begins_with(const torvyn_element* in, const char* text) {
  const size_t size = strlen(text);
  return in->size >= size && memcmp(in->bytes, text, size) == 0;
}

static bool by_level(const torvyn_element* in, torvyn_ports* ports) {
  torvyn_route(ports, begins_with(in, "ERROR") ? "errors" : "output");
  return true;
}

TORVYN_ROUTER(by_level)
