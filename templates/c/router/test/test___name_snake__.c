#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

static bool goes_to(const char* text, const char* port) {
  torvyn_ports ports = {0};
  const torvyn_element in = torvyn_test_element(text);
  const bool routed = by_level(&in, &ports) && torvyn_is_routed(&ports, port);
  torvyn_ports_free(&ports);
  return routed;
}

int main(void) {
  assert(goes_to("ERROR no route", "errors"));
  assert(!goes_to("ERROR no route", "output"));
  assert(goes_to("INFO started", "output"));
}
