#include <torvyn/processor.h>

static bool shout(const torvyn_element* in, torvyn_output* out) {
  torvyn_emit(out, in->bytes, in->size)
  return true;
}
TORVYN_PROCESSOR(shout)
