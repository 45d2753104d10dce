/* A processor that turns "SENSOR CELSIUS" into "SENSOR FAHRENHEIT". */
#include <torvyn/processor.h>

static bool convert(const torvyn_element* in, torvyn_output* out) {
  char line[128], sensor[64];
  double celsius;
  if (in->size >= sizeof line) return torvyn_fail(TORVYN_INVALID_INPUT, "a line of %zu bytes", in->size);
  memcpy(line, in->bytes, in->size);
  line[in->size] = 0;
  if (sscanf(line, "%63s %lf", sensor, &celsius) != 2)
    return torvyn_fail(TORVYN_INVALID_INPUT, "not \"SENSOR CELSIUS\": \"%s\"", line);
  torvyn_print(out, "%s %.1f\n", sensor, celsius * 9 / 5 + 32);
  return true;
}

TORVYN_PROCESSOR(convert)
