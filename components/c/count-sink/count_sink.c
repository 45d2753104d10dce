/* count-sink: a sink that reads every element and logs "N elements, M bytes" when the stream is complete. No
 * settings. */
#include "torvyn/data_sink.h"

#include "../common/element.h"
#include "count_core.h"

static count_t count;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_streaming_sink_push(exports_torvyn_streaming_sink_stream_element_t* element,
                                        exports_torvyn_streaming_sink_backpressure_signal_t* result,
                                        exports_torvyn_streaming_sink_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(element);
  count.elements++;
  count.bytes += bytes.len;
  torvyn_list_u8_free(&bytes);
  torvyn_string_free(&element->meta.content_type);
  *result = TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
  return true;
}

bool exports_torvyn_streaming_sink_complete(exports_torvyn_streaming_sink_process_error_t* error) {
  count_report(&count);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
