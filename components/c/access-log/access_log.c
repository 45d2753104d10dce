/* access-log: a processor that turns lines of a web server's access log into JSON, of type application/json. A line
 * that cannot be read is invalid-input, with what is wrong and at which byte. No settings. access_log_core.h says what
 * becomes of what. */
#include "torvyn/transform.h"

#include "../common/element.h"
#include "../common/output.h"
#include "access_log_core.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  static bytes_t json; /* kept from call to call: its room is used again */
  torvyn_list_u8_t line = take_payload(input);
  torvyn_string_free(&input->meta.content_type);

  access_log_error_t why;
  json.len = 0;
  const bool converted = access_log_convert(line.ptr, line.len, &json, &why);
  torvyn_list_u8_free(&line);
  if (!converted) {
    return fail_with(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INVALID_INPUT, access_log_error_text(&why));
  }
  if (!make_buffer(json.ptr, json.len, &result->val.emit.payload, error)) return false;
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  torvyn_string_dup(&result->val.emit.meta.content_type, "application/json");
  return true;
}
