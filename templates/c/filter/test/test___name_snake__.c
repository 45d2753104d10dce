#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

static bool keeps(const char* text) {
  const torvyn_element in = torvyn_test_element(text);
  return matches(&in);
}

int main(void) {
  assert(!torvyn_test_init(configure, NULL)); /* a pattern is needed */

  assert(torvyn_test_init(configure, "{\"pattern\": \"ERROR\"}"));
  assert(keeps("ERROR"));
  assert(keeps("an ERROR here"));
  assert(!keeps("ERRO"));
  assert(!keeps(""));
}
