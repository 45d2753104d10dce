#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

int main(void) {
  torvyn_output out = {0};
  const torvyn_element in = torvyn_test_element("ERROR 7: no route\n");
  assert(shout(&in, &out));
  assert(out.count == 1);
  assert(torvyn_output_is(&out, 0, "ERROR 7: NO ROUTE\n"));
  torvyn_output_free(&out);
}
