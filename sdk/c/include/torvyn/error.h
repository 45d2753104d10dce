/* Saying what went wrong. An author's function returns false for an error, and torvyn_fail is how it says which:
 *
 *   if (in->size == 0) return torvyn_fail(TORVYN_INVALID_INPUT, "an empty line");
 */
#pragma once

#include "torvyn/log.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  TORVYN_INVALID_INPUT,     /* this element is not what the component can work on; asking again would not help */
  TORVYN_UNAVAILABLE,       /* not now: something the component needs is away */
  TORVYN_INTERNAL,          /* the component failed on this element */
  TORVYN_DEADLINE_EXCEEDED, /* the element's deadline passed; carries no text */
  TORVYN_FATAL,             /* the component cannot go on: the flow ends */
} torvyn_error_kind;

enum { torvyn_error_bytes_max = 1024 };

typedef struct {
  bool failed;
  bool paused;
  torvyn_error_kind kind;
  size_t size;
  char text[torvyn_error_bytes_max];
} torvyn_state;

/* What the running call said of itself. An instance is entered by one call at a time. One for all sources of a
 * component. */
__attribute__((weak)) torvyn_state torvyn_call_state;

/* Forgets an error. The SDK does so before it calls an author's function; a test before it expects none. */
static inline void torvyn_clear_error(void) { torvyn_call_state.failed = false; }

/* As torvyn_fail, with a text as it stands. */
static inline bool torvyn_fail_text(torvyn_error_kind kind, const char* text, size_t size) {
  torvyn_state* const state = &torvyn_call_state;
  state->failed = true;
  state->kind = kind;
  state->size = size < sizeof state->text ? size : sizeof state->text - 1;
  memcpy(state->text, text, state->size);
  state->text[state->size] = 0;
  return false;
}

/* Notes an error, its text formatted as printf does and cut at 1 KiB; a later one takes its place. Returns false. It counts
 * if the author's function then returns false. */
__attribute__((format(printf, 2, 3))) static inline bool torvyn_fail(torvyn_error_kind kind, const char* format, ...) {
  char text[torvyn_error_bytes_max];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return torvyn_fail_text(kind, text, size < 0 ? 0 : (size_t)size);
}

#ifdef __cplusplus
}
#endif
