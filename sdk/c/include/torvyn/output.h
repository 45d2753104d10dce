/* What an author's function gives out: no output, one, or several.
 *
 *   torvyn_emit(out, "hello", 5);              one output
 *   torvyn_print(out, "%zu bytes", in->size);  the same in steps: write, print or extend as often as you like,
 *   torvyn_end(out);                           then end it
 *   torvyn_forward(out);                       the input as it came, without a copy
 *
 * What was written and not ended when the function returns is ended then. Outputs keep their order. They are collected
 * in the component's memory and handed to the host a run at a time. */
#pragma once

#include "torvyn/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The members are the SDK's own. `{0}` is an empty one, as a test uses; torvyn_output_free frees its memory. */
typedef struct torvyn_output {
  uint8_t* bytes; /* of all outputs back to back, and of the one being written */
  size_t size;
  size_t capacity;
  uint32_t* ends;    /* where each output ends in `bytes` */
  uint32_t* origins; /* the input each is charged to; with torvyn_forward_bit: that input itself */
  uint32_t* types;   /* the content type of each, counted from 1 in `content_types`; 0: that of its input */
  size_t count;
  size_t count_max;
  size_t given;    /* of the outputs, to the host already */
  bool mixed;      /* some are forwarded, or their content types differ */
  uint32_t origin; /* of the outputs to come */

  uint32_t type;      /* of the outputs to come */
  uint32_t told_type; /* to the host, in this call */

  char** content_types; /* all that were ever set */
  uint32_t content_type_count;

  /* Hands what is ended to the host; NULL: everything is kept. */
  void (*spill)(struct torvyn_output* out);
  int32_t writer; /* the host's, for this call */
  bool charged;   /* to inputs: not those of a source or an aggregator */
  bool failed;    /* the host refused the output charged to `failed_at` */
  uint32_t failed_at;
} torvyn_output;

enum {
  torvyn_forward_bit = (int)0x80000000,
  torvyn_spill_bytes = 1024 * 1024,    /* collected at most, but for a single larger output */
  torvyn_kept_bytes = 4 * 1024 * 1024, /* room kept from call to call */
};

static inline void* torvyn_resize(void* memory, size_t size) {
  void* const resized = realloc(memory, size);
  if (resized == NULL) torvyn_panic("no memory for %zu bytes of output", size);
  return resized;
}

/* Where the output being written begins. */
static inline size_t torvyn_output_start(const torvyn_output* out) {
  return out->count == 0 ? 0 : out->ends[out->count - 1];
}

/* Makes room for more than `extra` bytes. */
static inline void torvyn_output_grow(torvyn_output* out, size_t extra) {
  if (out->spill != NULL && torvyn_output_start(out) >= torvyn_spill_bytes) out->spill(out);
  if (extra < out->capacity - out->size) return;
  if (extra >= UINT32_MAX - out->size) torvyn_panic("outputs of more than 4 GiB");
  const size_t needed = out->size + extra + 1;
  size_t capacity = out->capacity < 4096 ? 4096 : out->capacity * 2;
  if (capacity < needed) capacity = needed;
  out->bytes = (uint8_t*)torvyn_resize(out->bytes, capacity);
  out->capacity = capacity;
}

static inline void torvyn_output_grow_count(torvyn_output* out) {
  out->count_max = out->count_max == 0 ? 64 : 2 * out->count_max;
  out->ends = (uint32_t*)torvyn_resize(out->ends, out->count_max * sizeof *out->ends);
  out->origins = (uint32_t*)torvyn_resize(out->origins, out->count_max * sizeof *out->origins);
  out->types = (uint32_t*)torvyn_resize(out->types, out->count_max * sizeof *out->types);
}

static inline void torvyn_output_add(torvyn_output* out, uint32_t origin) {
  if (out->count == out->count_max) torvyn_output_grow_count(out);
  out->ends[out->count] = (uint32_t)out->size;
  out->origins[out->count] = origin;
  out->types[out->count] = out->type;
  out->count++;
}

/* Makes the output being written longer by `size` bytes, and returns where they are: fill all of them before the next
 * call. */
static inline uint8_t* torvyn_extend(torvyn_output* out, size_t size) {
  if (size >= out->capacity - out->size) torvyn_output_grow(out, size);
  uint8_t* const room = out->bytes + out->size;
  out->size += size;
  return room;
}

/* Takes the last `size` bytes of the output being written away again: of an extension that was larger than needed. */
static inline void torvyn_shrink(torvyn_output* out, size_t size) {
  if (size > out->size - torvyn_output_start(out)) torvyn_panic("an output shrunk by %zu bytes has fewer", size);
  out->size -= size;
}

/* Adds bytes to the output being written. */
static inline void torvyn_write(torvyn_output* out, const void* bytes, size_t size) {
  if (size != 0) memcpy(torvyn_extend(out, size), bytes, size);
}

/* As torvyn_print. */
__attribute__((format(printf, 2, 0))) static inline void torvyn_print_list(torvyn_output* out, const char* format,
                                                                           va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  torvyn_output_grow(out, 0);
  const size_t room = out->capacity - out->size;
  const int size = vsnprintf((char*)out->bytes + out->size, room, format, arguments);
  if (size >= 0 && (size_t)size >= room) { /* with the zero at its end it did not fit */
    torvyn_output_grow(out, (size_t)size);
    vsnprintf((char*)out->bytes + out->size, (size_t)size + 1, format, again);
  }
  va_end(again);
  if (size > 0) out->size += (size_t)size;
}

/* Adds a text to the output being written, formatted as printf does. */
__attribute__((format(printf, 2, 3))) static inline void torvyn_print(torvyn_output* out, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  torvyn_print_list(out, format, arguments);
  va_end(arguments);
}

/* Ends the output being written; an empty one is an output too. */
static inline void torvyn_end(torvyn_output* out) { torvyn_output_add(out, out->origin); }

/* One output of these bytes. What was written and not ended becomes part of it. */
static inline void torvyn_emit(torvyn_output* out, const void* bytes, size_t size) {
  torvyn_write(out, bytes, size);
  torvyn_end(out);
}

/* Ends the output being written if there is one. */
static inline void torvyn_end_written(torvyn_output* out) {
  if (out->size != torvyn_output_start(out)) torvyn_end(out);
}

/* The input as it came, payload and meta: no copy. For processors. */
static inline void torvyn_forward(torvyn_output* out) {
  torvyn_end_written(out);
  out->mixed = true;
  torvyn_output_add(out, out->origin | (uint32_t)torvyn_forward_bit);
}

/* For functions of a whole run. What comes now, outputs, forwards or an error, belongs to element `index` of the run. Never falling. */
static inline void torvyn_at(torvyn_output* out, uint32_t index) {
  torvyn_end_written(out);
  out->origin = index;
}

/* The content type of all outputs that are ended from here on, in this call and in later ones: saying it again costs next
 * to nothing. Where it is never said, a processor's outputs have the type of their input, others none. */
static inline void torvyn_set_content_type(torvyn_output* out, const char* content_type) {
  if (out->type != 0 && strcmp(out->content_types[out->type - 1], content_type) == 0) return;
  out->mixed |= out->count != 0;
  for (out->type = 1; out->type <= out->content_type_count; out->type++) {
    if (strcmp(out->content_types[out->type - 1], content_type) == 0) return;
  }
  const size_t size = strlen(content_type) + 1;
  out->content_types = (char**)torvyn_resize(out->content_types, out->type * sizeof *out->content_types);
  out->content_types[out->content_type_count++] = (char*)memcpy(torvyn_resize(NULL, size), content_type, size);
}

/* That of output `index`; "" where it is its input's. */
static inline const char* torvyn_output_content_type(const torvyn_output* out, size_t index) {
  return out->types[index] == 0 ? "" : out->content_types[out->types[index] - 1];
}

/* Forgets all outputs, and keeps the room for others. */
static inline void torvyn_output_clear(torvyn_output* out) {
  out->size = out->count = out->given = 0;
  out->mixed = false;
  if (out->capacity <= torvyn_kept_bytes) return;
  free(out->bytes);
  out->bytes = NULL;
  out->capacity = 0;
}

static inline void torvyn_output_free(torvyn_output* out) {
  free(out->bytes);
  free(out->ends);
  free(out->origins);
  free(out->types);
  for (uint32_t i = 0; i < out->content_type_count; ++i) free(out->content_types[i]);
  free(out->content_types);
  memset(out, 0, sizeof *out);
}

/* Whether output `index` was written and is this text. */
static inline bool torvyn_output_is(const torvyn_output* out, size_t index, const char* text) {
  if (index >= out->count || (out->origins[index] & (uint32_t)torvyn_forward_bit) != 0) return false;
  const size_t start = index == 0 ? 0 : out->ends[index - 1];
  const size_t size = out->ends[index] - start;
  return size == strlen(text) && (size == 0 || memcmp(out->bytes + start, text, size) == 0);
}

/* Whether output `index` is its input, forwarded. */
static inline bool torvyn_output_is_forwarded(const torvyn_output* out, size_t index) {
  return index < out->count && (out->origins[index] & (uint32_t)torvyn_forward_bit) != 0;
}

#ifdef __cplusplus
}
#endif
