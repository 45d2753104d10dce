#include <stdlib.h>

#include "torvyn/data_sink.h"
#include "torvyn/transform.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  (void)error;
  torvyn_list_u8_t bytes;
  torvyn_streaming_types_method_buffer_read_all(input->payload, &bytes);
  torvyn_streaming_types_buffer_drop_borrow(input->payload);
  torvyn_streaming_types_flow_context_drop_borrow(input->context);
  bytes.ptr[0] = '*';
  torvyn_streaming_types_own_mutable_buffer_t made;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(bytes.len, &made, &why)) abort();
  torvyn_streaming_types_borrow_mutable_buffer_t writing = torvyn_streaming_types_borrow_mutable_buffer(made);
  if (!torvyn_streaming_types_method_mutable_buffer_append(writing, &bytes, &why)) abort();
  torvyn_list_u8_free(&bytes);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  torvyn_streaming_types_mutable_buffer_drop_own(made);
  return true;
}
