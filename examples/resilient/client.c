/* client: gives the client's address of a line of a web server's log. It stands for a component that is not quite up to its work: every
 * seventh call finds something `unavailable`, and it crashes over a line that is no log line. */
#define _GNU_SOURCE /* memmem */

#include "torvyn/transform.h"

#include "../../components/c/common/element.h"
#include "../../components/c/common/output.h"

static unsigned calls;

/* The line's bytes up to the first " - ". */
static size_t address_size(const torvyn_list_u8_t* line) {
  const uint8_t* const end = memmem(line->ptr, line->len, " - ", 3);
  if (end == NULL) __builtin_trap(); /* "cannot happen" */
  return (size_t)(end - line->ptr);
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_list_u8_t line = take_payload(input);
  bytes_t address = {0};
  bytes_add(&address, line.ptr, address_size(&line));
  bytes_add_byte(&address, '\n');
  torvyn_list_u8_free(&line);

  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  const bool good = ++calls % 7 == 0
                        ? fail_text(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_UNAVAILABLE, "the directory is busy")
                        : make_buffer(address.ptr, address.len, &result->val.emit.payload, error);
  if (!good) torvyn_string_free(&input->meta.content_type);
  bytes_free(&address);
  return good;
}
