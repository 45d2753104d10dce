/* Runs of elements. Include after the header of a world of torvyn:batching. */
#pragma once

#include "errors.h"

typedef torvyn_batching_types_borrow_batch_t batch_t;
typedef torvyn_batching_types_borrow_batch_writer_t writer_t;
typedef torvyn_batching_types_packed_t packed_t;
typedef torvyn_batching_types_batch_error_t batch_error_t;

static inline uint32_t packed_start(const packed_t* packed, size_t index) {
  return index == 0 ? 0 : packed->ends.ptr[index - 1];
}
static inline const uint8_t* packed_bytes(const packed_t* packed, size_t index) {
  return packed->bytes.ptr + packed_start(packed, index);
}
static inline size_t packed_size(const packed_t* packed, size_t index) {
  return packed->ends.ptr[index] - packed_start(packed, index);
}

/* Outputs [from, to) of `outputs` in one piece; output i is charged to input i. */
static inline bool emit_piece(writer_t writer, const packed_t* outputs, size_t from, size_t to,
                              torvyn_batching_types_emit_error_t* why) {
  const size_t count = to - from;
  uint32_t* const ends = malloc(2 * count * sizeof *ends);
  if (ends == NULL) __builtin_trap();
  uint32_t* const origins = ends + count;
  const uint32_t start = packed_start(outputs, from);
  for (size_t i = 0; i < count; ++i) {
    ends[i] = outputs->ends.ptr[from + i] - start;
    origins[i] = (uint32_t)(from + i);
  }
  torvyn_list_u8_t bytes = {outputs->bytes.ptr + start, outputs->ends.ptr[to - 1] - start};
  torvyn_list_u32_t ends_list = {ends, count};
  torvyn_list_u32_t origins_list = {origins, count};
  const bool emitted = torvyn_batching_types_method_batch_writer_emit(writer, &bytes, &ends_list, &origins_list, why);
  free(ends);
  return emitted;
}

/* Emits outputs [from, to), output i charged to input i; where they are more than the host's largest buffer holds, in
 * smaller pieces. False: `error` says which one did not fit. */
static inline bool emit_outputs(writer_t writer, const packed_t* outputs, size_t from, size_t to,
                                batch_error_t* error) {
  if (from == to) return true;
  torvyn_batching_types_emit_error_t why;
  if (emit_piece(writer, outputs, from, to, &why)) return true;
  const bool too_large = why.tag == TORVYN_BATCHING_TYPES_EMIT_ERROR_CAPACITY_EXCEEDED;
  torvyn_batching_types_emit_error_free(&why);
  if (too_large && to - from > 1) {
    const size_t middle = from + (to - from) / 2;
    return emit_outputs(writer, outputs, from, middle, error) && emit_outputs(writer, outputs, middle, to, error);
  }
  error->index = (uint32_t)from;
  return fail_internal(
      &error->error, too_large ? "the output is larger than a buffer can be" : "the host has no memory for the output");
}

/* As emit_outputs, for a whole run with an output for every input. */
static inline bool emit_run(writer_t writer, packed_t* outputs, batch_error_t* error) {
  torvyn_batching_types_emit_error_t why;
  torvyn_list_u32_t one_each = {NULL, 0};
  if (torvyn_batching_types_method_batch_writer_emit(writer, &outputs->bytes, &outputs->ends, &one_each, &why))
    return true;
  torvyn_batching_types_emit_error_free(&why);
  return emit_outputs(writer, outputs, 0, outputs->ends.len, error);
}
