#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

static bool takes(const char* text) {
  torvyn_output out = {0};
  const torvyn_element in = torvyn_test_element(text);
  const bool taken = add(&in, &out);
  torvyn_output_free(&out);
  return taken;
}

int main(void) {
  assert(takes("1.5\n"));
  assert(takes("-3\n"));
  assert(takes("6"));
  assert(!takes("six"));
  assert(strcmp(torvyn_test_error(), "no number: \"six\"") == 0);

  torvyn_output out = {0};
  assert(report(&out));
  torvyn_end_written(&out);
  assert(torvyn_output_is(&out, 0, "3 numbers from -3 to 6, mean 1.5\n"));
  torvyn_output_free(&out);
}
