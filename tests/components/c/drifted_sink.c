/* drifted-sink: a sink whose `element-meta` is not the contract's. */
#include "torvyn/drifted_sink.h"

bool exports_torvyn_streaming_0_1_9_sink_push(exports_torvyn_streaming_0_1_9_sink_stream_element_t* element,
                                              exports_torvyn_streaming_0_1_9_sink_backpressure_signal_t* result,
                                              exports_torvyn_streaming_0_1_9_sink_process_error_t* error) {
  torvyn_string_free(&element->meta.content_type);
  torvyn_streaming_0_1_9_types_buffer_drop_borrow(element->payload);
  torvyn_streaming_0_1_9_types_flow_context_drop_borrow(element->context);
  *result = TORVYN_STREAMING_0_1_9_TYPES_BACKPRESSURE_SIGNAL_READY;
  return true;
}

bool exports_torvyn_streaming_0_1_9_sink_complete(exports_torvyn_streaming_0_1_9_sink_process_error_t* error) {
  return true;
}
