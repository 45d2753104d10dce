/* log-sink: a sink that logs each element, 7 `text/plain` `hello`: its sequence, its content type, its payload without a line's end; and at
 * the end "complete". After every `pause`th element (main setting; 0: never) it asks for a pause; at the one whose sequence is `trap` it
 * traps. */
#include "torvyn/data_sink.h"

#include "../../hostile/hostile.h"

static uint64_t pause_after;
static uint64_t trap_at = UINT64_MAX;
static uint64_t pushed;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = number_setting(config, "pause", true, &pause_after, error) &&
                    number_setting(config, "trap", false, &trap_at, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_sink_push(exports_torvyn_streaming_sink_stream_element_t* element,
                                        exports_torvyn_streaming_sink_backpressure_signal_t* result,
                                        exports_torvyn_streaming_sink_process_error_t* error) {
  if (element->meta.sequence == trap_at) __builtin_trap();
  torvyn_list_u8_t payload = take_payload(element);
  bytes_t text = {0};
  bytes_add_number(&text, element->meta.sequence);
  bytes_add_text(&text, " `");
  bytes_add(&text, element->meta.content_type.ptr, element->meta.content_type.len);
  bytes_add_text(&text, "` `");
  bytes_add(&text, payload.ptr, payload.len - (payload.len != 0 && payload.ptr[payload.len - 1] == '\n'));
  bytes_add_text(&text, "`");
  torvyn_string_t lent = {text.ptr, text.len};
  torvyn_diagnostics_log_log(TORVYN_DIAGNOSTICS_LOG_LEVEL_INFO, &lent);
  bytes_free(&text);
  torvyn_list_u8_free(&payload);
  torvyn_string_free(&element->meta.content_type);
  *result = pause_after != 0 && ++pushed % pause_after == 0 ? TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_PAUSE
                                                            : TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
  return true;
}

bool exports_torvyn_streaming_sink_complete(exports_torvyn_streaming_sink_process_error_t* error) {
  const torvyn_string_t lent = {(uint8_t*)"complete", 8};
  torvyn_diagnostics_log_log(TORVYN_DIAGNOSTICS_LOG_LEVEL_INFO, (torvyn_string_t*)&lent);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
