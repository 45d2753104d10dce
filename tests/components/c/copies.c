/* copies: a processor that gives each element on as a copy, and does nothing else to it. */
#include "torvyn/transform.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(input);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  const bool made = make_buffer(bytes.ptr, bytes.len, &result->val.emit.payload, error);
  torvyn_list_u8_free(&bytes);
  return made;
}
