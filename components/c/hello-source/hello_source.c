/* hello-source: a source of the lines "hello 0", "hello 1", … of type text/plain.
 *
 * Settings: `count`, how many (main setting; 10); `size`, the least bytes of an element, filled with dots before its
 * line's end. */
#include "torvyn/data_source.h"

#include "../common/output.h"
#include "hello_core.h"

static hello_t hello;
static uint8_t* room;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = hello_init(&hello, config, error);
  torvyn_string_free(config);
  if (good) room = hello_make_room(&hello, 1);
  return good;
}

bool exports_torvyn_streaming_source_pull(exports_torvyn_streaming_source_option_output_element_t* result,
                                          exports_torvyn_streaming_source_process_error_t* error) {
  result->is_some = hello.next < hello.count;
  if (!result->is_some) return true;
  const size_t size = hello_write(&hello, room);
  if (!make_buffer(room, size, &result->val.payload, error)) return false;
  torvyn_string_dup(&result->val.meta.content_type, "text/plain"); /* the caller's side frees it */
  result->val.meta.sequence = 0;                                   /* the host's to fill in */
  result->val.meta.timestamp_ns = 0;
  return true;
}

void exports_torvyn_streaming_source_notify_backpressure(exports_torvyn_streaming_source_backpressure_signal_t signal) {
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
