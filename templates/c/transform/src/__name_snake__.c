/* {{name}}: a processor that makes ASCII letters upper case. */
#include <torvyn/processor.h>

static bool shout(const torvyn_element* in, torvyn_output* out) {
  uint8_t* const to = torvyn_extend(out, in->size);
  for (size_t i = 0; i < in->size; ++i) {
    const bool is_lower = in->bytes[i] >= 'a' && in->bytes[i] <= 'z';
    to[i] = (uint8_t)(is_lower ? in->bytes[i] - 'a' + 'A' : in->bytes[i]);
  }
  torvyn_end(out);
  return true;
}

TORVYN_PROCESSOR(shout)
