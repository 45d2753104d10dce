/* hello-source-batch: hello-source, in runs. The same settings. */
#include "torvyn/batch_data_source.h"

#include "../common/batch.h"
#include "hello_core.h"

enum {
  run_bytes_max = 256 * 1024, /* of one call's elements, unless a single one is larger */
  run_elements_max = 4096,
};

static hello_t hello;
static uint8_t* room;
static uint32_t ends[run_elements_max];
static size_t room_elements;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = hello_init(&hello, config, error);
  torvyn_string_free(config);
  if (!good) return false;
  room_elements = run_bytes_max / hello_element_bytes_max(&hello);
  if (room_elements == 0) room_elements = 1;
  if (room_elements > run_elements_max) room_elements = run_elements_max;
  room = hello_make_room(&hello, room_elements);
  return true;
}

bool exports_torvyn_batching_batch_source_pull(uint32_t max,
                                               exports_torvyn_batching_batch_source_borrow_batch_writer_t output,
                                               bool* has_more,
                                               exports_torvyn_batching_batch_source_process_error_t* error) {
  const uint64_t left = hello.count - hello.next;
  size_t count = max < room_elements ? max : room_elements;
  if (count > left) count = (size_t)left;

  uint32_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    size += (uint32_t)hello_write(&hello, room + size);
    ends[i] = size;
  }

  bool good = true;
  if (count > 0) {
    torvyn_string_t type;
    torvyn_string_set(&type, "text/plain"); /* lent for the call */
    torvyn_batching_types_method_batch_writer_set_content_type(output, &type);
    torvyn_list_u8_t bytes = {room, size};
    torvyn_list_u32_t ends_list = {ends, count};
    torvyn_list_u32_t no_origins = {NULL, 0};
    torvyn_batching_types_emit_error_t why;
    good = torvyn_batching_types_method_batch_writer_emit(output, &bytes, &ends_list, &no_origins, &why);
    if (!good) {
      const bool too_large = why.tag == TORVYN_BATCHING_TYPES_EMIT_ERROR_CAPACITY_EXCEEDED;
      torvyn_batching_types_emit_error_free(&why);
      fail_internal(error, too_large ? "a run is larger than a buffer can be" : "the host has no memory for a run");
    }
  }
  torvyn_batching_types_batch_writer_drop_borrow(output);
  *has_more = hello.next < hello.count;
  return good;
}

void exports_torvyn_batching_batch_source_notify_backpressure(
    exports_torvyn_batching_batch_source_backpressure_signal_t signal) {}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
