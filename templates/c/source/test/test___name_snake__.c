#include <assert.h>
#include <torvyn/test.h>

#include "../src/{{name_snake}}.c"

int main(void) {
  assert(torvyn_test_init(configure, "{\"count\": 2}"));

  torvyn_output out = {0};
  assert(tick(&out));
  assert(tick(&out));
  assert(!tick(&out)); /* the end */
  torvyn_end_written(&out);
  torvyn_output_free(&out);

  assert(!torvyn_test_init(configure, "{\"count\": \"many\"}"));
  assert(strstr(torvyn_test_error(), "`count` is \"many\"") != NULL);
}
