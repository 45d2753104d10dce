/* double-return: returns a buffer that it has returned before. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static own_buffer_t returned;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = misbehave_init(config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (input->meta.sequence != misbehave_at) {
    const bool good = pass(input, result, error);
    if (good) returned = result->val.emit.payload;
    return good;
  }
  drop_borrows(input);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = returned;
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
