/* A sink: where elements end.
 *
 *   #include <torvyn/sink.h>
 *
 *   static uint64_t elements;
 *
 *   static bool count(const torvyn_element* in) {
 *     elements++;
 *     return true;
 *   }
 *   static bool report(void) {
 *     torvyn_log(TORVYN_INFO, "%llu elements", (unsigned long long)elements);
 *     return true;
 *   }
 *   TORVYN_SINK(count, .complete = report)
 *
 * False: torvyn_fail said what is wrong. Define TORVYN_PER_ELEMENT before the include for the per-element contract. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/data_sink.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/batch_data_sink.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* Says, from within `push`, that the element was taken and that the next ones should wait a while. */
static inline void torvyn_pause(void) { torvyn_call_state.paused = true; }

/* What TORVYN_SINK makes of its arguments. All but the first may be NULL. */
typedef struct {
  bool (*push)(const torvyn_element* in);
  bool (*complete)(void);                  /* once, after the last element, at orderly ends only */
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* at the end, of any kind but a trap */
} torvyn_sink;

/* TORVYN_SINK(count) or TORVYN_SINK(count, .complete = report, .init = configure), once in a component. In a test on the
 * host machine it defines `torvyn_component` with these functions. */
#define TORVYN_SINK(...) TORVYN_EXPORT_SINK(.push = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_SINK(...) static const torvyn_sink torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#else

static inline uint8_t torvyn_take_pause(void) {
  const bool paused = torvyn_call_state.paused;
  torvyn_call_state.paused = false;
  return paused ? TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_PAUSE : TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
}

static inline bool torvyn_complete_sink(const torvyn_sink* sink, torvyn_process_error* error) {
  torvyn_clear_error();
  return sink->complete == NULL || sink->complete() || torvyn_give_error(error);
}

#ifdef TORVYN_PER_ELEMENT
#define TORVYN_EXPORT_SINK(...)                                                          \
  static const torvyn_sink torvyn_component = {__VA_ARGS__};                             \
  bool exports_torvyn_streaming_sink_push(torvyn_stream_element* input, uint8_t* signal, \
                                          torvyn_process_error* error) {                 \
    return torvyn_call_sink(&torvyn_component, input, signal, error);                    \
  }                                                                                      \
  bool exports_torvyn_streaming_sink_complete(torvyn_process_error* error) {             \
    return torvyn_complete_sink(&torvyn_component, error);                               \
  }                                                                                      \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_sink(const torvyn_sink* sink, torvyn_stream_element* input, uint8_t* signal,
                                    torvyn_process_error* error) {
  const torvyn_element element = torvyn_open_element(input);
  const bool good = sink->push(&element);
  torvyn_close_element(input, &element);
  *signal = torvyn_take_pause();
  return good || torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_SINK(...)                                                            \
  static const torvyn_sink torvyn_component = {__VA_ARGS__};                               \
  bool exports_torvyn_batching_batch_sink_push(torvyn_batch_handle input, uint8_t* signal, \
                                               torvyn_batch_error* error) {                \
    return torvyn_call_sink(&torvyn_component, input, signal, error);                      \
  }                                                                                        \
  bool exports_torvyn_batching_batch_sink_complete(torvyn_process_error* error) {          \
    return torvyn_complete_sink(&torvyn_component, error);                                 \
  }                                                                                        \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_sink(const torvyn_sink* sink, torvyn_batch_handle input, uint8_t* signal,
                                    torvyn_batch_error* error) {
  const uint32_t count = torvyn_open_run(input);
  uint32_t start = 0;
  uint32_t done = 0;
  for (; done < count; ++done) {
    const torvyn_element element = torvyn_run_element(done, start);
    start += (uint32_t)element.size;
    torvyn_clear_error();
    if (!sink->push(&element)) break;
  }
  torvyn_close_run();
  *signal = torvyn_take_pause();
  return done == count || torvyn_give_batch_error(error, done);
}
#endif
#endif
