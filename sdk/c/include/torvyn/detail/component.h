/* The SDK's inside, for WebAssembly only: errors and the start and end of an instance, between an author's functions and
 * the generated bindings. Include after the header of the world. */
#pragma once

#include "torvyn/settings.h"

typedef torvyn_streaming_types_process_error_t torvyn_process_error;

/* What the author said, as the contract wants it: the caller's side frees the text. */
static inline bool torvyn_give_error(torvyn_process_error* error) {
  static const char silent[] = "the component's function failed and did not say why: see torvyn_fail";
  const torvyn_state* const state = &torvyn_call_state;
  error->tag = (uint8_t)(state->failed ? state->kind : TORVYN_INTERNAL);
  if (error->tag == TORVYN_DEADLINE_EXCEEDED) return false;
  const char* const text = state->failed ? state->text : silent;
  torvyn_string_dup_n(&error->val.internal, text, state->failed ? state->size : sizeof silent - 1);
  return false;
}

static inline bool torvyn_start_component(bool (*init)(torvyn_settings*), torvyn_string_t* config,
                                          torvyn_process_error* error) {
  static torvyn_settings settings; /* what an author keeps of a setting points into it */
  const bool good = torvyn_configure(&settings, init, (const char*)config->ptr, config->len);
  torvyn_string_free(config);
  return good || torvyn_give_error(error);
}

/* `component` has the members `init` and `teardown`. */
#define TORVYN_EXPORT_LIFECYCLE(component)                                                      \
  bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,                         \
                                               torvyn_streaming_types_process_error_t* error) { \
    return torvyn_start_component((component).init, config, error);                             \
  }                                                                                             \
  void exports_torvyn_streaming_lifecycle_teardown(void) {                                      \
    if ((component).teardown != NULL) (component).teardown();                                   \
  }
