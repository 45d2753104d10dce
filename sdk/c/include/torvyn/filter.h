/* A filter: keeps elements or drops them, and copies nothing but what it reads.
 *
 *   #include <torvyn/filter.h>
 *
 *   static bool is_error(const torvyn_element* in) { return in->size >= 5 && memcmp(in->bytes, "ERROR", 5) == 0; }
 *   TORVYN_FILTER(is_error)
 *
 * True keeps the element. `return torvyn_fail(…)` is an error about it. Define TORVYN_PER_ELEMENT before the include for
 * the per-element contract. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/content_filter.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/managed_batch_transform.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* What TORVYN_FILTER makes of its arguments. All but the first may be NULL. */
typedef struct {
  bool (*keep)(const torvyn_element* in);
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* after the last one */
} torvyn_filter;

/* TORVYN_FILTER(is_error) or TORVYN_FILTER(is_error, .init = configure), once in a component. In a test on the host machine it
 * defines `torvyn_component` with these functions. */
#define TORVYN_FILTER(...) TORVYN_EXPORT_FILTER(.keep = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_FILTER(...) static const torvyn_filter torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#elif defined(TORVYN_PER_ELEMENT)
#define TORVYN_EXPORT_FILTER(...)                                                         \
  static const torvyn_filter torvyn_component = {__VA_ARGS__};                            \
  bool exports_torvyn_filtering_filter_evaluate(torvyn_stream_element* input, bool* keep, \
                                                torvyn_process_error* error) {            \
    return torvyn_call_filter(&torvyn_component, input, keep, error);                     \
  }                                                                                       \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_filter(const torvyn_filter* filter, torvyn_stream_element* input, bool* keep,
                                      torvyn_process_error* error) {
  const torvyn_element element = torvyn_open_element(input);
  *keep = filter->keep(&element);
  torvyn_close_element(input, &element);
  return *keep || !torvyn_call_state.failed || torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_FILTER(...)                                                                              \
  static const torvyn_filter torvyn_component = {__VA_ARGS__};                                                 \
  bool exports_torvyn_batching_batch_processor_process(torvyn_batch_handle input, torvyn_writer_handle output, \
                                                       torvyn_batch_error* error) {                            \
    return torvyn_call_filter(&torvyn_component, input, output, error);                                        \
  }                                                                                                            \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_filter(const torvyn_filter* filter, torvyn_batch_handle input,
                                      torvyn_writer_handle writer, torvyn_batch_error* error) {
  const uint32_t count = torvyn_open_run(input);
  /* A kept index never stands behind the end it is judged by, so the list of ends becomes the list of kept elements. */
  uint32_t* const kept = torvyn_the_run.packed.ends.ptr;
  size_t kept_count = 0;
  uint32_t start = 0;
  uint32_t done = 0;
  for (; done < count; ++done) {
    const torvyn_element element = torvyn_run_element(done, start);
    start += (uint32_t)element.size;
    torvyn_clear_error();
    if (filter->keep(&element)) {
      kept[kept_count++] = done;
    } else if (torvyn_call_state.failed) {
      break;
    }
  }
  torvyn_list_u32_t indices = {kept, kept_count};
  if (kept_count != 0) torvyn_batching_types_method_batch_writer_forward(writer, &indices);
  torvyn_close_run();
  torvyn_batching_types_batch_writer_drop_borrow(writer);
  return done == count || torvyn_give_batch_error(error, done);
}
#endif
