/* Errors of the case of process-error that the setting `kind` names. Include after "torvyn/managed_transform.h". */
#pragma once

#include "misbehave.h"

static uint8_t error_kind = TORVYN_STREAMING_TYPES_PROCESS_ERROR_INTERNAL;

/* Reads `kind` (internal). */
static inline bool error_kind_init(const torvyn_string_t* config, process_error_t* error) {
  static const char* const kinds[] = {"invalid-input", "unavailable", "internal", "deadline-exceeded", "fatal"};
  setting_t setting;
  if (setting_find(config->ptr, config->len, "kind", false, &setting) != SETTING_FOUND) return true;
  error_kind = 0;
  while (error_kind < 5 && strcmp(kinds[error_kind], setting.text) != 0) error_kind++;
  const bool good = error_kind < 5 || fail_setting(error, "kind", setting.text, "a case of process-error");
  free(setting.text);
  return good;
}

/* Gives `input` back and fails. */
static inline bool fail_of_kind(stream_element_t* input, process_error_t* error) {
  drop_borrows(input);
  torvyn_string_free(&input->meta.content_type);
  if (error_kind != TORVYN_STREAMING_TYPES_PROCESS_ERROR_DEADLINE_EXCEEDED)
    return fail_text(error, error_kind, "as it was told");
  error->tag = error_kind; /* the case without words */
  return false;
}
