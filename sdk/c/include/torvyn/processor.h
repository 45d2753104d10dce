/* A processor: one element in; none, one or several out.
 *
 *   #include <ctype.h>
 *   #include <torvyn/processor.h>
 *
 *   static bool shout(const torvyn_element* in, torvyn_output* out) {
 *     uint8_t* to = torvyn_extend(out, in->size);
 *     for (size_t i = 0; i < in->size; ++i) to[i] = (uint8_t)toupper(in->bytes[i]);
 *     torvyn_end(out);
 *     return true;
 *   }
 *   TORVYN_PROCESSOR(shout)
 *
 * `torvyn build shout.c` makes a component of it that is called with runs of elements. Define TORVYN_PER_ELEMENT before
 * the include, and it is one of the per-element contract.
 *
 * An input without an output is counted as filtered. False: torvyn_fail said what is wrong; what was given for this
 * element is void, and the flow does what its `on_error` says. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/output.h"
#include "torvyn/settings.h"

#ifdef __wasm__
#if !defined(TORVYN_OWN_WORLD) && defined(TORVYN_PER_ELEMENT)
#include "torvyn/managed_transform.h"
#elif !defined(TORVYN_OWN_WORLD)
#include "torvyn/managed_batch_transform.h"
#endif
#ifdef TORVYN_PER_ELEMENT
#include "torvyn/detail/one_output.h"
#else
#include "torvyn/detail/batch.h"
#endif
#endif

/* A whole run, for TORVYN_BATCH_PROCESSOR. */
typedef struct {
  uint8_t* bytes;       /* all payloads back to back; may be changed in place */
  const uint32_t* ends; /* where each ends in `bytes` */
  uint32_t count;
  const torvyn_call* call;
} torvyn_batch;

static inline torvyn_element torvyn_batch_element(const torvyn_batch* batch, uint32_t index) {
  const uint32_t start = index == 0 ? 0 : batch->ends[index - 1];
  const torvyn_element element = {batch->bytes + start, batch->ends[index] - start, batch->call, NULL, index};
  return element;
}

/* Gives the run out as it stands in `bytes`, an output for each element. */
static inline void torvyn_emit_batch(torvyn_output* out, const torvyn_batch* batch) {
  torvyn_end_written(out);
  const size_t size = batch->count == 0 ? 0 : batch->ends[batch->count - 1];
  const size_t start = out->size;
  uint8_t* const room = torvyn_extend(out, size);
  if (size != 0) memcpy(room, batch->bytes, size);
  for (uint32_t i = 0; i < batch->count; ++i) {
    torvyn_output_add(out, i);
    out->ends[out->count - 1] = (uint32_t)(start + batch->ends[i]);
  }
}

/* What TORVYN_PROCESSOR makes of its arguments. Functions may be NULL, but for one of the first two. */
typedef struct {
  bool (*process)(const torvyn_element* in, torvyn_output* out);
  bool (*process_batch)(const torvyn_batch* in, torvyn_output* out);
  bool (*init)(torvyn_settings* settings); /* before the first element */
  void (*teardown)(void);                  /* after the last one */
} torvyn_processor;

/* TORVYN_PROCESSOR(shout) or TORVYN_PROCESSOR(shout, .init = configure, .teardown = finish), once in a component. In a test
 * on the host machine it defines `torvyn_component` with these functions. */
#define TORVYN_PROCESSOR(...) TORVYN_EXPORT_PROCESSOR(.process = __VA_ARGS__)

/* The same for a function of a whole run, bool shout(const torvyn_batch* in, torvyn_output* out): see torvyn_at. An error
 * is about the element named last by torvyn_at, and those before it stand. */
#define TORVYN_BATCH_PROCESSOR(...) TORVYN_EXPORT_PROCESSOR(.process_batch = __VA_ARGS__)

#if !defined(__wasm__)
#define TORVYN_EXPORT_PROCESSOR(...) \
  static const torvyn_processor torvyn_component __attribute__((unused)) = {__VA_ARGS__};

#elif defined(TORVYN_PER_ELEMENT)
#define TORVYN_EXPORT_PROCESSOR(...)                                                                                \
  static const torvyn_processor torvyn_component = {__VA_ARGS__};                                                   \
  bool exports_torvyn_streaming_processor_process(                                                                  \
      torvyn_stream_element* input, torvyn_streaming_types_process_result_t* result, torvyn_process_error* error) { \
    return torvyn_call_processor(&torvyn_component, input, result, error);                                          \
  }                                                                                                                 \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_processor(const torvyn_processor* processor, torvyn_stream_element* input,
                                         torvyn_streaming_types_process_result_t* result, torvyn_process_error* error) {
  static torvyn_output out; /* kept from call to call: its room is used again */
  const torvyn_element element = torvyn_open_element(input);
  bool good;
  if (processor->process != NULL) {
    good = processor->process(&element, &out);
  } else {
    const uint32_t end = (uint32_t)element.size;
    const torvyn_batch batch = {(uint8_t*)element.bytes, &end, 1, element.call};
    good = processor->process_batch(&batch, &out);
  }
  torvyn_end_written(&out);
  good = good && torvyn_at_most_one(&out);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP;
  if (good && out.count == 1) {
    result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
    good = torvyn_make_element(&out, 0, input, &result->val.emit);
  }
  torvyn_output_clear(&out);
  torvyn_close_element(input, &element);
  return good || torvyn_give_error(error);
}

#else
#define TORVYN_EXPORT_PROCESSOR(...)                                                                           \
  static const torvyn_processor torvyn_component = {__VA_ARGS__};                                              \
  bool exports_torvyn_batching_batch_processor_process(torvyn_batch_handle input, torvyn_writer_handle output, \
                                                       torvyn_batch_error* error) {                            \
    return torvyn_call_processor(&torvyn_component, input, output, error);                                     \
  }                                                                                                            \
  TORVYN_EXPORT_LIFECYCLE(torvyn_component)

static inline bool torvyn_call_batch_processor(bool (*process)(const torvyn_batch*, torvyn_output*), torvyn_output* out,
                                               torvyn_batch_handle input, torvyn_writer_handle writer,
                                               torvyn_batch_error* error) {
  const uint32_t count = torvyn_open_run(input);
  torvyn_open_outputs(out, writer, true);
  const torvyn_batch batch = {torvyn_the_run.packed.bytes.ptr, torvyn_the_run.packed.ends.ptr, count, &torvyn_run_call};
  torvyn_clear_error();
  const bool done = process(&batch, out);
  if (done) {
    torvyn_end_written(out);
  } else {
    torvyn_void_outputs(out, out->origin);
  }
  if (!out->failed) torvyn_give_outputs(out, out->count);
  const bool good = done && !out->failed;
  if (!good) torvyn_give_batch_error(error, out->failed ? out->failed_at : out->origin);
  torvyn_output_clear(out);
  torvyn_close_outputs(out);
  torvyn_close_run();
  return good;
}

static inline bool torvyn_call_processor(const torvyn_processor* processor, torvyn_batch_handle input,
                                         torvyn_writer_handle writer, torvyn_batch_error* error) {
  static torvyn_output out; /* kept from call to call: its room is used again */
  out.spill = torvyn_spill_outputs;
  if (processor->process_batch != NULL)
    return torvyn_call_batch_processor(processor->process_batch, &out, input, writer, error);
  return torvyn_each_element(processor->process, &out, input, writer, true, error);
}
#endif
