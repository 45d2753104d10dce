/* script-source: a source that does with each pull what the next character of `script` says (main setting); then the stream ends.
 *   e  gives an element with the character's number in the script
 *   u  unavailable     i  invalid-input     t  traps
 * A `pause` ends the stream at once; after a `ready` the script starts again. */
#include "torvyn/data_source.h"

#include "../../../components/c/common/output.h"
#include "../../../components/c/common/settings.h"

static setting_t script;
static size_t at;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "script", true, &script);
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_streaming_source_pull(exports_torvyn_streaming_source_option_output_element_t* result,
                                          exports_torvyn_streaming_source_process_error_t* error) {
  result->is_some = at < script.size;
  if (!result->is_some) return true;
  const char what = script.text[at];
  bytes_t text = {0};
  bytes_add_number(&text, at++);
  if (what == 'u') return fail_text(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_UNAVAILABLE, "not yet");
  if (what == 'i') return fail_invalid(error, "as the script says");
  if (what == 't') __builtin_trap();
  result->val.meta = (torvyn_streaming_types_element_meta_t){0};
  const bool made = make_buffer(text.ptr, text.len, &result->val.payload, error);
  bytes_free(&text);
  return made;
}

void exports_torvyn_streaming_source_notify_backpressure(exports_torvyn_streaming_source_backpressure_signal_t signal) {
  at = signal == TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_PAUSE ? script.size : 0;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
