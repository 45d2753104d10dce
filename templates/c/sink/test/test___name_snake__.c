#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

int main(void) {
  const torvyn_element in = torvyn_test_element("hello");
  assert(count(&in));
  assert(count(&in));
  assert(elements == 2 && bytes == 10);
  assert(report());
}
