/* fail-sink: a sink that returns an error from the call that `at` names: init, push or complete. */
#include "torvyn/data_sink.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/errors.h"
#include "../../../components/c/common/settings.h"

static setting_t at;

static bool is_at(const char* call) { return at.text != NULL && strcmp(at.text, call) == 0; }

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "at", true, &at);
  torvyn_string_free(config);
  return !is_at("init") || fail_internal(error, "init as it was told");
}

bool exports_torvyn_streaming_sink_push(exports_torvyn_streaming_sink_stream_element_t* element,
                                        exports_torvyn_streaming_sink_backpressure_signal_t* result,
                                        exports_torvyn_streaming_sink_process_error_t* error) {
  drop_borrows(element);
  torvyn_string_free(&element->meta.content_type);
  *result = TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
  return !is_at("push") || fail_internal(error, "push as it was told");
}

bool exports_torvyn_streaming_sink_complete(exports_torvyn_streaming_sink_process_error_t* error) {
  return !is_at("complete") || fail_internal(error, "complete as it was told");
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
