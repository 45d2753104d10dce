/* A source: where elements come from.
 *
 *   #include <torvyn/source.h>
 *
 *   static uint64_t next;
 *
 *   static bool count(torvyn_output* out) {
 *     if (next == 10) return false;
 *     torvyn_print(out, "%llu\n", (unsigned long long)next++);
 *     return true;
 *   }
 *   TORVYN_SOURCE(count)
 *
 * It is called for as long as the flow takes elements, and gives one or several a call. False ends the stream, what was given
 * in that call included; false after torvyn_fail is an error instead. True without an output means "nothing yet": the flow asks
 * again after a while.
 *
 * Calls follow each other until a run is full: a source that waits for something outside gives what it has, and then true
 * without an output. Define TORVYN_PER_ELEMENT before the include for the per-element contract, where each element leaves
 * at once. */
#pragma once

#include "torvyn/output.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/data_source.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/batch_data_source.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one_output.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* What TORVYN_SOURCE makes of its arguments. All but the first may be NULL. */
typedef struct {
  bool (*pull)(torvyn_output* out);
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* after the last one */
  void (*backpressure)(bool paused);       /* the flow has become slower than the source, or no longer is: advice */
} torvyn_source;

/* TORVYN_SOURCE(count) or TORVYN_SOURCE(count, .init = configure), once in a component. In a test on the host machine it
 * defines `torvyn_component` with these functions. */
#define TORVYN_SOURCE(...) TORVYN_EXPORT_SOURCE(.pull = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_SOURCE(...) static const torvyn_source torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#else

/* What a source has given and the flow has not taken yet. */
typedef struct {
  torvyn_output out;
  bool ended;
} torvyn_source_state;

static inline bool torvyn_has_outputs(const torvyn_source_state* state) { return state->out.given < state->out.count; }

/* Calls the source until it has given `max` elements, or as much as may be collected, or nothing. False: an error. */
static inline bool torvyn_collect(const torvyn_source* source, torvyn_source_state* state, size_t max) {
  torvyn_output* const out = &state->out;
  if (!torvyn_has_outputs(state)) torvyn_output_clear(out);
  while (!state->ended && out->count - out->given < max && out->size < torvyn_spill_bytes) {
    const size_t before = out->count;
    torvyn_clear_error();
    const bool goes_on = source->pull(out);
    if (!goes_on && torvyn_call_state.failed) {
      out->count = before; /* what came with an error is void */
      out->size = torvyn_output_start(out);
      return false;
    }
    torvyn_end_written(out);
    if (!goes_on) state->ended = true;
    if (out->count == before) break;
  }
  return true;
}

static inline void torvyn_tell_pressure(const torvyn_source* source, uint8_t signal) {
  if (source->backpressure != NULL) source->backpressure(signal == TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_PAUSE);
}

#ifdef TORVYN_PER_ELEMENT
#define TORVYN_EXPORT_SOURCE(...)                                                                            \
  static const torvyn_source torvyn_component = {__VA_ARGS__};                                               \
  bool exports_torvyn_streaming_source_pull(exports_torvyn_streaming_source_option_output_element_t* result, \
                                            torvyn_process_error* error) {                                   \
    return torvyn_call_source(&torvyn_component, &result->is_some, &result->val, error);                     \
  }                                                                                                          \
  void exports_torvyn_streaming_source_notify_backpressure(uint8_t signal) {                                 \
    torvyn_tell_pressure(&torvyn_component, signal);                                                         \
  }                                                                                                          \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_source(const torvyn_source* source, bool* is_some, torvyn_output_element* element,
                                      torvyn_process_error* error) {
  static torvyn_source_state state;
  if (!torvyn_has_outputs(&state) && !torvyn_collect(source, &state, 1)) return torvyn_give_error(error);
  *is_some = torvyn_has_outputs(&state);
  if (*is_some) {
    const size_t index = state.out.given++;
    return torvyn_make_element(&state.out, index, NULL, element) || torvyn_give_error(error);
  }
  if (state.ended) return true;
  torvyn_fail_text(TORVYN_UNAVAILABLE, "nothing yet", sizeof "nothing yet" - 1);
  return torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_SOURCE(...)                                                                          \
  static const torvyn_source torvyn_component = {__VA_ARGS__};                                             \
  bool exports_torvyn_batching_batch_source_pull(uint32_t max, torvyn_writer_handle output, bool* goes_on, \
                                                 torvyn_process_error* error) {                            \
    return torvyn_call_source(&torvyn_component, max, output, goes_on, error);                             \
  }                                                                                                        \
  void exports_torvyn_batching_batch_source_notify_backpressure(uint8_t signal) {                          \
    torvyn_tell_pressure(&torvyn_component, signal);                                                       \
  }                                                                                                        \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_source(const torvyn_source* source, uint32_t max, torvyn_writer_handle writer,
                                      bool* goes_on, torvyn_process_error* error) {
  static torvyn_source_state state;
  static bool owes_error; /* one that came after elements, which are given first */
  torvyn_output* const out = &state.out;
  torvyn_open_outputs(out, writer, false);
  bool good = true;
  if (owes_error) {
    owes_error = good = false;
  } else {
    good = torvyn_collect(source, &state, max);
    if (torvyn_has_outputs(&state)) {
      owes_error = !good;
      const size_t left = out->count - out->given;
      good = torvyn_give_outputs(out, out->given + (left < max ? left : max));
      if (!good) out->given++; /* the one that the host cannot take: those behind it may be taken */
    }
  }
  *goes_on = !state.ended || torvyn_has_outputs(&state);
  torvyn_close_outputs(out);
  return good || torvyn_give_error(error);
}
#endif
#endif
