/* The SDK's inside, for WebAssembly only: runs of elements, between an author's functions and the generated bindings of
 * torvyn:batching. Include after the header of the world. */
#pragma once

#include "torvyn/detail/component.h"
#include "torvyn/element.h"
#include "torvyn/output.h"

typedef torvyn_batching_types_borrow_batch_t torvyn_batch_handle;
typedef torvyn_batching_types_borrow_batch_writer_t torvyn_writer_handle;
typedef torvyn_batching_types_batch_error_t torvyn_batch_error;

/* ---- going in -------------------------------------------------------------------------------------------------------- */

/* The run of the call that is on: one at a time. */
typedef struct {
  torvyn_batch_handle handle;
  torvyn_batching_types_packed_t packed;
  torvyn_batching_types_list_batch_meta_t metas; /* empty until one is asked for */
  torvyn_list_string_t types;
  char* type; /* the one asked for last, with a zero at its end */
  char* flow_id;
} torvyn_run;

static torvyn_run torvyn_the_run __attribute__((unused));

/* A C string of a text of the bindings, which is freed; `*place` keeps it, instead of the one it kept before. */
static inline const char* torvyn_keep_text(char** place, torvyn_string_t* text) {
  *place = (char*)torvyn_resize(*place, text->len + 1);
  if (text->len != 0) memcpy(*place, text->ptr, text->len);
  (*place)[text->len] = 0;
  torvyn_string_free(text);
  return *place;
}

static inline torvyn_meta torvyn_run_meta(const torvyn_element* element) {
  torvyn_run* const run = &torvyn_the_run;
  if (run->metas.len == 0) {
    torvyn_batching_types_method_batch_metas(run->handle, &run->metas);
    torvyn_batching_types_method_batch_content_types(run->handle, &run->types);
  }
  const torvyn_batching_types_batch_meta_t* const meta = &run->metas.ptr[element->index];
  torvyn_string_t type;
  const torvyn_string_t* const shared = &run->types.ptr[meta->content_type];
  torvyn_string_dup_n(&type, (const char*)shared->ptr, shared->len);
  const torvyn_meta result = {meta->sequence, meta->timestamp_ns, meta->deadline_ns,
                              torvyn_keep_text(&run->type, &type)};
  return result;
}

static inline const char* torvyn_run_id(const torvyn_element* element, torvyn_id which) {
  static char* texts[TORVYN_FLOW_ID + 1];
  const torvyn_batch_handle handle = torvyn_the_run.handle;
  torvyn_string_t text;
  switch (which) {
    case TORVYN_TRACE_ID:
      torvyn_batching_types_method_batch_trace_id(handle, element->index, &text);
      break;
    case TORVYN_SPAN_ID:
      torvyn_batching_types_method_batch_span_id(handle, &text);
      break;
    case TORVYN_FLOW_ID:
      torvyn_batching_types_method_batch_flow_id(handle, &text);
      break;
  }
  return torvyn_keep_text(&texts[which], &text);
}

static const torvyn_call torvyn_run_call __attribute__((unused)) = {torvyn_run_meta, torvyn_run_id};

/* Reads all payloads of a run; returns how many. */
static inline uint32_t torvyn_open_run(torvyn_batch_handle handle) {
  torvyn_the_run.handle = handle;
  torvyn_batching_types_method_batch_read(handle, &torvyn_the_run.packed);
  return (uint32_t)torvyn_the_run.packed.ends.len;
}

/* The one behind the element that ends at `start`. */
static inline torvyn_element torvyn_run_element(uint32_t index, uint32_t start) {
  const torvyn_batching_types_packed_t* const packed = &torvyn_the_run.packed;
  const torvyn_element element = {packed->bytes.ptr + start, packed->ends.ptr[index] - start, &torvyn_run_call, NULL,
                                  index};
  return element;
}

static inline void torvyn_close_run(void) {
  torvyn_run* const run = &torvyn_the_run;
  torvyn_list_u8_free(&run->packed.bytes);
  torvyn_list_u32_free(&run->packed.ends);
  if (run->metas.len != 0) {
    torvyn_batching_types_list_batch_meta_free(&run->metas);
    torvyn_list_string_free(&run->types);
    run->metas.len = 0;
  }
  torvyn_batching_types_batch_drop_borrow(run->handle);
}

static inline bool torvyn_give_batch_error(torvyn_batch_error* error, uint32_t index) {
  error->index = index;
  return torvyn_give_error(&error->error);
}

/* ---- going out ------------------------------------------------------------------------------------------------------- */

/* Whether there is one output for each input of the run, in order: that is what the contract takes no origins to mean. */
static inline bool torvyn_is_one_each(const uint32_t* origins, size_t count) {
  if (count != torvyn_the_run.packed.ends.len) return false;
  uint32_t difference = 0;
  for (size_t i = 0; i < count; ++i) difference |= origins[i] ^ (uint32_t)i;
  return difference == 0;
}

/* Outputs [from, to), which are all written, the first one from `start` on. What is more than the host's largest buffer
 * goes in halves. */
static inline bool torvyn_emit_range(torvyn_output* out, size_t from, size_t to, uint32_t start) {
  const torvyn_writer_handle writer = {out->writer};
  const size_t count = to - from;
  uint32_t* const ends = out->ends + from;
  for (size_t i = 0; start != 0 && i < count; ++i) ends[i] -= start;
  torvyn_list_u8_t bytes = {out->bytes + start, ends[count - 1]};
  torvyn_list_u32_t ends_list = {ends, count};
  const bool says_nothing = !out->charged || torvyn_is_one_each(out->origins + from, count);
  torvyn_list_u32_t origins = {out->origins + from, says_nothing ? 0 : count};
  torvyn_batching_types_emit_error_t why;
  if (torvyn_batching_types_method_batch_writer_emit(writer, &bytes, &ends_list, &origins, &why)) return true;

  for (size_t i = 0; start != 0 && i < count; ++i) ends[i] += start;
  const bool too_large = why.tag == TORVYN_BATCHING_TYPES_EMIT_ERROR_CAPACITY_EXCEEDED;
  if (too_large && count > 1) {
    const size_t middle = from + count / 2;
    const uint32_t middle_start = out->ends[middle - 1];
    return torvyn_emit_range(out, from, middle, start) && torvyn_emit_range(out, middle, to, middle_start);
  }
  if (too_large) {
    torvyn_fail(TORVYN_INTERNAL, "an output of %u bytes is larger than the host's largest buffer", ends[0] - start);
  } else {
    const torvyn_string_t* const text = &why.val.allocation_failed;
    torvyn_fail(TORVYN_INTERNAL, "the host has no memory for %u bytes of output: %.*s", ends[count - 1] - start,
                (int)text->len, (const char*)text->ptr);
  }
  torvyn_batching_types_emit_error_free(&why);
  out->failed = true;
  out->failed_at = out->charged ? out->origins[from] : 0;
  return false;
}

/* Hands outputs [given, to) to the host, as few calls as their kinds and content types allow. False: out->failed_at
 * says which input the one is charged to that the host refused. */
static inline bool torvyn_give_outputs(torvyn_output* out, size_t to) {
  const uint32_t forward_bit = (uint32_t)torvyn_forward_bit;
  const torvyn_writer_handle writer = {out->writer};
  uint32_t start = out->given == 0 ? 0 : out->ends[out->given - 1];
  while (out->given < to) {
    const size_t from = out->given;
    const bool forwarded = (out->origins[from] & forward_bit) != 0;
    const uint32_t type = out->types[from];
    size_t end = out->mixed ? from + 1 : to;
    while (end < to && ((out->origins[end] & forward_bit) != 0) == forwarded && out->types[end] == type) end++;
    const uint32_t next_start = out->ends[end - 1];
    if (forwarded) {
      for (size_t i = from; i < end; ++i) out->origins[i] &= ~forward_bit;
      torvyn_list_u32_t indices = {out->origins + from, end - from};
      torvyn_batching_types_method_batch_writer_forward(writer, &indices);
    } else {
      if (type != out->told_type) {
        torvyn_string_t text;
        torvyn_string_set(&text, out->content_types[type - 1]); /* lent for the call */
        torvyn_batching_types_method_batch_writer_set_content_type(writer, &text);
        out->told_type = type;
      }
      if (!torvyn_emit_range(out, from, end, start)) return false;
    }
    start = out->ends[end - 1] = next_start; /* torvyn_emit_range counts from its own start */
    out->given = end;
  }
  return true;
}

static inline void torvyn_spill_outputs(torvyn_output* out) {
  const size_t start = torvyn_output_start(out);
  if (!out->failed) torvyn_give_outputs(out, out->count);
  const size_t rest = out->size - start; /* of the output being written */
  if (rest != 0) memmove(out->bytes, out->bytes + start, rest);
  out->size = rest;
  out->count = out->given = 0;
  out->mixed = false;
}

static inline void torvyn_open_outputs(torvyn_output* out, torvyn_writer_handle writer, bool charged) {
  out->writer = writer.__handle;
  out->charged = charged;
  out->failed = false;
  out->told_type = 0;
  out->origin = 0;
}

/* Ends a call: drops the writer. */
static inline void torvyn_close_outputs(const torvyn_output* out) {
  const torvyn_writer_handle writer = {out->writer};
  torvyn_batching_types_batch_writer_drop_borrow(writer);
}

/* Takes back what was charged to an element that failed. What of it the host has been given already is void there. */
static inline void torvyn_void_outputs(torvyn_output* out, uint32_t index) {
  while (out->count > 0 && (out->origins[out->count - 1] & ~(uint32_t)torvyn_forward_bit) == index) out->count--;
}

/* Calls `function` for each element of a run and hands over what it gives. */
static inline bool torvyn_each_element(bool (*function)(const torvyn_element*, torvyn_output*), torvyn_output* out,
                                       torvyn_batch_handle input, torvyn_writer_handle writer, bool charged,
                                       torvyn_batch_error* error) {
  const uint32_t count = torvyn_open_run(input);
  torvyn_open_outputs(out, writer, charged);
  uint32_t start = 0;
  uint32_t done = 0;
  for (; done < count; ++done) {
    const torvyn_element element = torvyn_run_element(done, start);
    start += (uint32_t)element.size;
    out->origin = done;
    torvyn_clear_error();
    if (!function(&element, out)) {
      torvyn_void_outputs(out, done);
      break;
    }
    torvyn_end_written(out);
    if (out->size >= torvyn_spill_bytes) torvyn_spill_outputs(out);
    if (out->failed) break;
  }
  if (!out->failed) torvyn_give_outputs(out, out->count);
  const bool good = done == count && !out->failed;
  if (!good) torvyn_give_batch_error(error, out->failed ? out->failed_at : done);
  torvyn_output_clear(out);
  torvyn_close_outputs(out);
  torvyn_close_run();
  return good;
}
