/* {{name}}: an aggregator that takes numbers, one an element, and gives their count, smallest, largest and mean at the end of the
 * stream. What is no number is an error about that element; the flow in Torvyn.toml skips it. */
#include <inttypes.h>
#include <torvyn/aggregator.h>

static uint64_t count;
static double sum, smallest, largest;

static bool add(const torvyn_element* in, torvyn_output* out) {
  (void)out; /* results may be given here too */
  char text[64];
  char* end = text;
  double value = 0;
  if (in->size < sizeof text) {
    memcpy(text, in->bytes, in->size);
    text[in->size] = 0;
    value = strtod(text, &end);
  }
  if (end == text)
    return torvyn_fail(TORVYN_INVALID_INPUT, "no number: \"%.*s\"", (int)in->size, (const char*)in->bytes);
  if (count == 0 || value < smallest) smallest = value;
  if (count == 0 || value > largest) largest = value;
  sum += value;
  count++;
  return true;
}

static bool report(torvyn_output* out) {
  if (count == 0) return true;
  torvyn_print(out, "%" PRIu64 " numbers from %g to %g, mean %g\n", count, smallest, largest, sum / (double)count);
  return true;
}

TORVYN_AGGREGATOR(add, .flush = report)
