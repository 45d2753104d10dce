/* An aggregator: many elements in, few out.
 *
 *   #include <torvyn/aggregator.h>
 *
 *   static uint64_t bytes;
 *
 *   static bool add(const torvyn_element* in, torvyn_output* out) {
 *     bytes += in->size;
 *     return true;
 *   }
 *   static bool report(torvyn_output* out) {
 *     torvyn_print(out, "%llu bytes\n", (unsigned long long)bytes);
 *     return true;
 *   }
 *   TORVYN_AGGREGATOR(add, .flush = report)
 *
 * Results may be given at any time, with any element, and at the end of the stream, in `flush`: as many as fit in the
 * component's memory. False: torvyn_fail said what is wrong. Define TORVYN_PER_ELEMENT before the include for the
 * per-element contract. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/output.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/stream_aggregator.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/batch_stream_aggregator.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one_output.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* What TORVYN_AGGREGATOR makes of its arguments. All but the first may be NULL. */
typedef struct {
  bool (*ingest)(const torvyn_element* in, torvyn_output* out);
  bool (*flush)(torvyn_output* out);       /* at the end of the stream */
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* after the last one */
} torvyn_aggregator;

/* TORVYN_AGGREGATOR(add, .flush = report), once in a component. In a test on the host machine it defines
 * `torvyn_component` with these functions. */
#define TORVYN_AGGREGATOR(...) TORVYN_EXPORT_AGGREGATOR(.ingest = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_AGGREGATOR(...) \
  static const torvyn_aggregator torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#else

/* Calls the author's flush. */
static inline bool torvyn_collect_results(const torvyn_aggregator* aggregator, torvyn_output* out) {
  torvyn_output_clear(out);
  torvyn_clear_error();
  if (aggregator->flush != NULL && !aggregator->flush(out)) return false;
  torvyn_end_written(out);
  return true;
}

#ifdef TORVYN_PER_ELEMENT
#define TORVYN_EXPORT_AGGREGATOR(...)                                                                      \
  static const torvyn_aggregator torvyn_component = {__VA_ARGS__};                                         \
  bool exports_torvyn_aggregation_aggregator_ingest(                                                       \
      torvyn_stream_element* input, exports_torvyn_aggregation_aggregator_option_output_element_t* result, \
      torvyn_process_error* error) {                                                                       \
    return torvyn_call_aggregator(&torvyn_component, input, &result->is_some, &result->val, error);        \
  }                                                                                                        \
  bool exports_torvyn_aggregation_aggregator_flush(                                                        \
      exports_torvyn_aggregation_aggregator_list_output_element_t* results, torvyn_process_error* error) { \
    return torvyn_flush_aggregator(&torvyn_component, &results->ptr, &results->len, error);                \
  }                                                                                                        \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_aggregator(const torvyn_aggregator* aggregator, torvyn_stream_element* input,
                                          bool* is_some, torvyn_output_element* result, torvyn_process_error* error) {
  static torvyn_output out; /* kept from call to call: its room is used again */
  const torvyn_element element = torvyn_open_element(input);
  bool good = aggregator->ingest(&element, &out);
  torvyn_end_written(&out);
  good = good && torvyn_at_most_one(&out);
  *is_some = good && out.count == 1;
  if (*is_some) good = torvyn_make_element(&out, 0, NULL, result);
  torvyn_output_clear(&out);
  torvyn_close_element(input, &element);
  return good || torvyn_give_error(error);
}

static inline bool torvyn_flush_aggregator(const torvyn_aggregator* aggregator, torvyn_output_element** results,
                                           size_t* count, torvyn_process_error* error) {
  torvyn_output out;
  memset(&out, 0, sizeof out);
  bool good = torvyn_collect_results(aggregator, &out);
  *count = 0;
  *results = NULL;
  if (good && out.count != 0) *results = (torvyn_output_element*)torvyn_resize(NULL, out.count * sizeof **results);
  for (; good && *count < out.count; ++*count) good = torvyn_make_element(&out, *count, NULL, &(*results)[*count]);
  if (!good) {
    for (size_t i = 0; i + 1 < *count; ++i) {
      torvyn_string_free(&(*results)[i].meta.content_type);
      torvyn_streaming_types_buffer_drop_own((*results)[i].payload);
    }
    free(*results);
  }
  torvyn_output_free(&out);
  return good || torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_AGGREGATOR(...)                                                                          \
  static const torvyn_aggregator torvyn_component = {__VA_ARGS__};                                             \
  bool exports_torvyn_batching_batch_aggregator_ingest(torvyn_batch_handle input, torvyn_writer_handle output, \
                                                       torvyn_batch_error* error) {                            \
    return torvyn_call_aggregator(&torvyn_component, input, output, error);                                    \
  }                                                                                                            \
  bool exports_torvyn_batching_batch_aggregator_flush(torvyn_writer_handle output, bool* again,                \
                                                      torvyn_process_error* error) {                           \
    return torvyn_flush_aggregator(&torvyn_component, output, again, error);                                   \
  }                                                                                                            \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_aggregator(const torvyn_aggregator* aggregator, torvyn_batch_handle input,
                                          torvyn_writer_handle writer, torvyn_batch_error* error) {
  static torvyn_output out; /* kept from call to call: its room is used again */
  out.spill = torvyn_spill_outputs;
  return torvyn_each_element(aggregator->ingest, &out, input, writer, false, error);
}

/* Results of one call at the end of the stream: a run that stages behind can take at once. */
enum { torvyn_results_per_call = 4096 };

static inline bool torvyn_flush_aggregator(const torvyn_aggregator* aggregator, torvyn_writer_handle writer,
                                           bool* again, torvyn_process_error* error) {
  static torvyn_output out; /* the results that are left */
  static bool collected;
  torvyn_open_outputs(&out, writer, false);
  bool good = collected || torvyn_collect_results(aggregator, &out);
  collected = good;
  if (good) {
    size_t to = out.given;
    const uint32_t start = to == 0 ? 0 : out.ends[to - 1];
    while (to < out.count && to - out.given < torvyn_results_per_call &&
           (to == out.given || out.ends[to] - start <= torvyn_spill_bytes))
      to++;
    good = torvyn_give_outputs(&out, to);
  }
  *again = good && out.given < out.count;
  if (!*again) torvyn_output_clear(&out);
  torvyn_close_outputs(&out);
  return good || torvyn_give_error(error);
}
#endif
#endif
