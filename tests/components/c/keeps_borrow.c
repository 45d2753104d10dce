/* keeps-borrow: returns without dropping what it was lent. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static bool keep_borrows(stream_element_t* input, torvyn_streaming_types_process_result_t* result,
                         process_error_t* error) {
  torvyn_string_free(&input->meta.content_type);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP;
  return true;
}

MISBEHAVING_PROCESSOR(keep_borrows)
