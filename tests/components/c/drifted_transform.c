/* drifted-transform: a processor that answers every element with an empty one, from another `allocate` than the contract's. */
#include "torvyn/drifted_transform.h"

bool exports_torvyn_streaming_0_1_9_processor_process(exports_torvyn_streaming_0_1_9_processor_stream_element_t* input,
                                                      exports_torvyn_streaming_0_1_9_processor_process_result_t* result,
                                                      exports_torvyn_streaming_0_1_9_processor_process_error_t* error) {
  torvyn_streaming_0_1_9_types_buffer_drop_borrow(input->payload);
  torvyn_streaming_0_1_9_types_flow_context_drop_borrow(input->context);
  torvyn_streaming_0_1_9_buffer_allocator_own_mutable_buffer_t buffer;
  torvyn_streaming_0_1_9_buffer_allocator_buffer_error_t refused;
  if (!torvyn_streaming_0_1_9_buffer_allocator_allocate(0, &buffer, &refused)) {
    error->tag = TORVYN_STREAMING_0_1_9_TYPES_PROCESS_ERROR_DEADLINE_EXCEEDED;
    return false;
  }
  result->tag = TORVYN_STREAMING_0_1_9_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = torvyn_streaming_0_1_9_types_method_mutable_buffer_freeze(
      torvyn_streaming_0_1_9_types_borrow_mutable_buffer(buffer));
  torvyn_streaming_0_1_9_types_mutable_buffer_drop_own(buffer);
  return true;
}
