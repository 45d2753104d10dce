/* {{name}}: a sink that counts elements and bytes, and logs the sums when the stream is complete. */
#include <inttypes.h>
#include <torvyn/sink.h>

static uint64_t elements;
static uint64_t bytes;

static bool count(const torvyn_element* in) {
  elements++;
  bytes += in->size;
  return true;
}

static bool report(void) {
  torvyn_log(TORVYN_INFO, "%" PRIu64 " elements, %" PRIu64 " bytes", elements, bytes);
  return true;
}

TORVYN_SINK(count, .complete = report)
