/* A sink that logs each reading, and how many there were when the stream is complete. */
#include <inttypes.h>
#include <torvyn/sink.h>

static uint64_t readings;

static bool show(const torvyn_element* in) {
  const size_t size = in->size > 0 && in->bytes[in->size - 1] == '\n' ? in->size - 1 : in->size;
  torvyn_log(TORVYN_INFO, "%.*s F", (int)size, (const char*)in->bytes);
  readings++;
  return true;
}

static bool finish(void) {
  torvyn_log(TORVYN_INFO, "%" PRIu64 " readings", readings);
  return true;
}

TORVYN_SINK(show, .complete = finish)
