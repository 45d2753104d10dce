/* Giving elements out, one a call. For worlds that import the buffer-allocator. Include after the header of the
 * world. */
#pragma once

#include "errors.h"

typedef torvyn_streaming_types_own_buffer_t own_buffer_t;

static inline bool fail_buffer(process_error_t* error, torvyn_streaming_types_buffer_error_t* why) {
  const bool too_large = why->tag == TORVYN_STREAMING_TYPES_BUFFER_ERROR_CAPACITY_EXCEEDED;
  torvyn_streaming_types_buffer_error_free(why);
  return fail_internal(
      error, too_large ? "the output is larger than a buffer can be" : "the host has no memory for the output");
}

/* A buffer of the host's with a copy of `bytes`. False: `error` says why there is none. */
static inline bool make_buffer(const uint8_t* bytes, size_t size, own_buffer_t* out, process_error_t* error) {
  torvyn_streaming_types_own_mutable_buffer_t writable;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(size, &writable, &why)) return fail_buffer(error, &why);

  const torvyn_streaming_types_borrow_mutable_buffer_t writing = torvyn_streaming_types_borrow_mutable_buffer(writable);
  torvyn_list_u8_t list = {(uint8_t*)bytes, size}; /* lent for the call, not changed */
  const bool written = torvyn_streaming_types_method_mutable_buffer_append(writing, &list, &why);
  if (written) *out = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  torvyn_streaming_types_mutable_buffer_drop_own(writable); /* freeze is a method: this handle still exists */
  return written || fail_buffer(error, &why);
}
