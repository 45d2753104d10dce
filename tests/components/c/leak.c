/* leak: keeps the mutable handle of every output, as one does who takes `freeze` for its end. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = misbehave_init(config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (input->meta.sequence < misbehave_at) return pass(input, result, error);
  torvyn_list_u8_t bytes = take_payload(input);
  torvyn_streaming_types_own_mutable_buffer_t kept;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(bytes.len, &kept, &why)) return fail_buffer(error, &why);
  const torvyn_streaming_types_borrow_mutable_buffer_t writing = torvyn_streaming_types_borrow_mutable_buffer(kept);
  if (!torvyn_streaming_types_method_mutable_buffer_append(writing, &bytes, &why)) return fail_buffer(error, &why);
  torvyn_list_u8_free(&bytes);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
