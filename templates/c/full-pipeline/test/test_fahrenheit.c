#include <assert.h>
#include <torvyn/test.h>

#include "../src/fahrenheit.c"

int main(void) {
  torvyn_output out = {0};
  const torvyn_element in = torvyn_test_element("kitchen 20\n");
  assert(convert(&in, &out));
  torvyn_end_written(&out);
  assert(torvyn_output_is(&out, 0, "kitchen 68.0\n"));

  const torvyn_element other = torvyn_test_element("kitchen warm\n");
  assert(!convert(&other, &out));
  assert(strstr(torvyn_test_error(), "not \"SENSOR CELSIUS\"") != NULL);
  torvyn_output_free(&out);
}
