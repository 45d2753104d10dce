/* fail-at: returns an error, of the case of process-error that `kind` names (internal). */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static uint8_t kind = TORVYN_STREAMING_TYPES_PROCESS_ERROR_INTERNAL;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  static const char* const kinds[] = {"invalid-input", "unavailable", "internal", "deadline-exceeded", "fatal"};
  setting_t setting;
  bool good = misbehave_init(config, error);
  if (good && setting_find(config->ptr, config->len, "kind", false, &setting) == SETTING_FOUND) {
    kind = 0;
    while (kind < 5 && strcmp(kinds[kind], setting.text) != 0) kind++;
    good = kind < 5 || fail_setting(error, "kind", setting.text, "a case of process-error");
    free(setting.text);
  }
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (input->meta.sequence != misbehave_at) return pass(input, result, error);
  drop_borrows(input);
  torvyn_string_free(&input->meta.content_type);
  if (kind != TORVYN_STREAMING_TYPES_PROCESS_ERROR_DEADLINE_EXCEEDED) return fail_text(error, kind, "as it was told");
  error->tag = kind;
  return false;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
