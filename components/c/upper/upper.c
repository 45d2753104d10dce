/* upper: a processor that makes ASCII letters upper case. No settings. */
#include "torvyn/transform.h"

#include "../common/element.h"
#include "../common/output.h"
#include "upper_core.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(input);
  upper(bytes.ptr, bytes.len);
  const bool made = make_buffer(bytes.ptr, bytes.len, &result->val.emit.payload, error);
  torvyn_list_u8_free(&bytes);
  if (!made) {
    torvyn_string_free(&input->meta.content_type);
    return false;
  }
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta; /* the content type moves to the output */
  return true;
}
