/* spin: never returns. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static volatile bool forever = true;

static bool spin(stream_element_t* input, torvyn_streaming_types_process_result_t* result, process_error_t* error) {
  while (forever) {
  }
  return pass(input, result, error);
}

MISBEHAVING_PROCESSOR(spin)
