/* A source of temperatures, "SENSOR CELSIUS\n".
 *
 * Setting: `count`, how many (10). */
#include <inttypes.h>
#include <torvyn/source.h>

static uint64_t count = 10;
static uint64_t given;

static bool configure(torvyn_settings* settings) { return torvyn_setting_number(settings, "count", &count); }

static bool measure(torvyn_output* out) {
  if (given == count) return false;
  const char* const sensor = given % 2 == 0 ? "kitchen" : "cellar";
  const uint64_t celsius = (given % 2 == 0 ? 20 : 10) + given;
  torvyn_print(out, "%s %" PRIu64 "\n", sensor, celsius);
  given++;
  return true;
}

TORVYN_SOURCE(measure, .init = configure)
