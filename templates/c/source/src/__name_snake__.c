/* {{name}}: a source of the lines "tick 1", "tick 2", …
 *
 * Setting: `count`, how many (main setting; 10). */
#include <inttypes.h>
#include <torvyn/source.h>

static uint64_t count = 10;
static uint64_t given;

static bool configure(torvyn_settings* settings) {
  torvyn_setting_is_main(settings, "count"); /* torvyn run '{{name}}.wasm 3 ! stdout' */
  return torvyn_setting_number(settings, "count", &count);
}

static bool tick(torvyn_output* out) {
  if (given == count) return false;
  torvyn_print(out, "tick %" PRIu64 "\n", ++given);
  return true;
}

TORVYN_SOURCE(tick, .init = configure)
