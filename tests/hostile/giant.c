/* giant: makes of one element in `n` an output of `bytes` bytes (16777216), after it asked in vain for more than there can be, and wrote
 * beyond the end. Any other answer than a refusal to that is a trap. */
#include "torvyn/managed_transform.h"

#include "../components/c/misbehave.h"
#include "hostile.h"

typedef torvyn_streaming_types_borrow_mutable_buffer_t writable_t;

static uint64_t giant_bytes = 16777216;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = chance_init(config, error) && number_setting(config, "bytes", false, &giant_bytes, error);
  torvyn_string_free(config);
  return good;
}

static void expect_capacity_exceeded(bool good, torvyn_streaming_types_buffer_error_t* why) {
  if (good || why->tag != TORVYN_STREAMING_TYPES_BUFFER_ERROR_CAPACITY_EXCEEDED) __builtin_trap();
  torvyn_streaming_types_buffer_error_free(why);
}

static void ask_for_more_than_there_is(void) {
  static const uint64_t sizes[] = {UINT64_MAX, UINT64_MAX - 4095, (uint64_t)1 << 63, ((uint64_t)1 << 32) + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    torvyn_streaming_types_own_mutable_buffer_t buffer;
    torvyn_streaming_types_buffer_error_t why;
    expect_capacity_exceeded(torvyn_streaming_buffer_allocator_allocate(sizes[i], &buffer, &why), &why);
  }
}

/* Fills the buffer from where it is, and then tries one piece more. */
static void fill_beyond(writable_t buffer) {
  enum { piece_bytes = 64 * 1024 };
  static uint8_t bytes[piece_bytes];
  memset(bytes, 'x', piece_bytes);
  torvyn_streaming_types_buffer_error_t why;
  const uint64_t capacity = torvyn_streaming_types_method_mutable_buffer_capacity(buffer);
  for (uint64_t left = capacity; left != 0;) {
    torvyn_list_u8_t piece = {bytes, left < piece_bytes ? (size_t)left : piece_bytes};
    if (!torvyn_streaming_types_method_mutable_buffer_append(buffer, &piece, &why)) __builtin_trap();
    left -= piece.len;
  }
  torvyn_list_u8_t piece = {bytes, piece_bytes};
  expect_capacity_exceeded(torvyn_streaming_types_method_mutable_buffer_append(buffer, &piece, &why), &why);
  expect_capacity_exceeded(torvyn_streaming_types_method_mutable_buffer_write(buffer, capacity, &piece, &why), &why);
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (!is_hit(input->meta.sequence)) return pass(input, result, error);
  drop_borrows(input);
  ask_for_more_than_there_is();
  torvyn_streaming_types_own_mutable_buffer_t buffer;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(giant_bytes, &buffer, &why)) {
    torvyn_string_free(&input->meta.content_type);
    return fail_buffer(error, &why);
  }
  const writable_t writing = torvyn_streaming_types_borrow_mutable_buffer(buffer);
  fill_beyond(writing);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  result->val.emit.payload = torvyn_streaming_types_method_mutable_buffer_freeze(writing);
  torvyn_streaming_types_mutable_buffer_drop_own(buffer);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
