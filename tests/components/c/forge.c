/* forge: returns a handle it was never given. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static bool forge(stream_element_t* input, torvyn_streaming_types_process_result_t* result, process_error_t* error) {
  drop_borrows(input);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = (own_buffer_t){12345};
  return true;
}

MISBEHAVING_PROCESSOR(forge)
