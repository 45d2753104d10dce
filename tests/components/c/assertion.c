/* assertion: fails an assert. */
#include "torvyn/managed_transform.h"

#include <assert.h>

#include "misbehave.h"

static bool assert_wrongly(stream_element_t* input, torvyn_streaming_types_process_result_t* result,
                           process_error_t* error) {
  assert(input->meta.sequence != misbehave_at);
  return pass(input, result, error);
}

MISBEHAVING_PROCESSOR(assert_wrongly)
