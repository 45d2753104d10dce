/* The SDK's inside, for WebAssembly only: outputs one by one. For worlds that import the buffer-allocator. */
#pragma once

#include "torvyn/detail/one.h"

typedef torvyn_streaming_types_output_element_t torvyn_output_element;

static inline bool torvyn_fail_of_buffer(torvyn_streaming_types_buffer_error_t* why, size_t size) {
  if (why->tag == TORVYN_STREAMING_TYPES_BUFFER_ERROR_ALLOCATION_FAILED) {
    const torvyn_string_t* const text = &why->val.allocation_failed;
    torvyn_fail(TORVYN_INTERNAL, "the host has no memory for %zu bytes of output: %.*s", size, (int)text->len,
                (const char*)text->ptr);
  } else {
    torvyn_fail(TORVYN_INTERNAL, "an output of %zu bytes is larger than the host's largest buffer", size);
  }
  torvyn_streaming_types_buffer_error_free(why);
  return false;
}

/* A buffer of output `index`; of the element that the call was given where it is forwarded. The host copies that one: a
 * component of this contract can only give what it owns. */
static inline bool torvyn_make_buffer(const torvyn_output* out, size_t index,
                                      torvyn_streaming_types_own_buffer_t* buffer) {
  torvyn_streaming_types_own_mutable_buffer_t writable;
  torvyn_streaming_types_buffer_error_t why;
  const size_t start = index == 0 ? 0 : out->ends[index - 1];
  torvyn_list_u8_t bytes = {out->bytes + start, out->ends[index] - start};
  if (torvyn_output_is_forwarded(out, index)) {
    if (!torvyn_streaming_buffer_allocator_clone_into_mutable(torvyn_the_element->payload, &writable, &why))
      return torvyn_fail_of_buffer(&why, 0);
    *buffer =
        torvyn_streaming_types_method_mutable_buffer_freeze(torvyn_streaming_types_borrow_mutable_buffer(writable));
    torvyn_streaming_types_mutable_buffer_drop_own(writable);
    return true;
  }
  if (!torvyn_streaming_buffer_allocator_allocate(bytes.len, &writable, &why))
    return torvyn_fail_of_buffer(&why, bytes.len);
  const torvyn_streaming_types_borrow_mutable_buffer_t writing = torvyn_streaming_types_borrow_mutable_buffer(writable);
  const bool written = torvyn_streaming_types_method_mutable_buffer_append(writing, &bytes, &why);
  if (written) *buffer = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  torvyn_streaming_types_mutable_buffer_drop_own(writable); /* freeze is a method: this handle still exists */
  return written || torvyn_fail_of_buffer(&why, bytes.len);
}

/* Output `index` as the contract wants it. `input` is NULL where there is none to have the type of. */
static inline bool torvyn_make_element(const torvyn_output* out, size_t index, const torvyn_stream_element* input,
                                       torvyn_output_element* element) {
  if (!torvyn_make_buffer(out, index, &element->payload)) return false;
  element->meta.sequence = 0; /* the host's to fill in, and the time too */
  element->meta.timestamp_ns = 0;
  if (input != NULL && out->types[index] == 0) {
    torvyn_string_dup_n(&element->meta.content_type, (const char*)input->meta.content_type.ptr,
                        input->meta.content_type.len);
  } else {
    torvyn_string_dup(&element->meta.content_type, torvyn_output_content_type(out, index));
  }
  return true;
}

/* Whether the outputs are few enough for a contract that takes one a call. */
static inline bool torvyn_at_most_one(const torvyn_output* out) {
  return out->count <= 1 ||
         torvyn_fail(TORVYN_INTERNAL,
                     "%zu outputs of one input, and the per-element contract takes one: build without "
                     "TORVYN_PER_ELEMENT",
                     out->count);
}
