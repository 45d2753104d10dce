/* overflow: recurses until the stack is used up. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static volatile uint64_t bottom = UINT64_MAX;

__attribute__((noinline)) static uint64_t dig(uint64_t depth) {
  return depth == bottom ? 0 : 1 + 3 * dig(depth + 1); /* not a tail call, and no loop either */
}

static bool overflow(stream_element_t* input, torvyn_streaming_types_process_result_t* result, process_error_t* error) {
  input->meta.timestamp_ns = dig(0);
  return pass(input, result, error);
}

MISBEHAVING_PROCESSOR(overflow)
