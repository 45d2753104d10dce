/* Saying what went wrong. Include after the header of the world. */
#pragma once

#include "bytes.h"

typedef torvyn_streaming_types_process_error_t process_error_t;

/* Fills `error`; `tag` is one of TORVYN_STREAMING_TYPES_PROCESS_ERROR_…, but not DEADLINE_EXCEEDED, which has no text.
 * Takes `text` over. Returns false, so that a function can end with `return fail_with(…)`. */
static inline bool fail_with(process_error_t* error, uint8_t tag, bytes_t text) {
  error->tag = tag;
  error->val.internal = (torvyn_string_t){text.ptr, text.len}; /* all texts share this place */
  return false;
}

static inline bool fail_text(process_error_t* error, uint8_t tag, const char* text) {
  bytes_t copy = {0}; /* the caller's side frees it: it must be on the heap */
  bytes_add_text(&copy, text);
  return fail_with(error, tag, copy);
}

static inline bool fail_invalid(process_error_t* error, const char* text) {
  return fail_text(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INVALID_INPUT, text);
}

static inline bool fail_internal(process_error_t* error, const char* text) {
  return fail_text(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INTERNAL, text);
}

/* "`name` is "value", not WHAT" */
static inline bool fail_setting(process_error_t* error, const char* name, const char* value, const char* what) {
  bytes_t text = {0};
  bytes_add_byte(&text, '`');
  bytes_add_text(&text, name);
  bytes_add_text(&text, "` is \"");
  bytes_add_text(&text, value);
  bytes_add_text(&text, "\", not ");
  bytes_add_text(&text, what);
  return fail_with(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INVALID_INPUT, text);
}
