/* wasi-wait: a processor that waits an hour over each element whose payload is "wait", by the function of wasi:io/poll that `how` names
 * (main setting): poll or block. It drops what it gets. */
#include "torvyn/waiting_transform.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/settings.h"

static setting_t how;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "how", true, &how);
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(input);
  torvyn_string_free(&input->meta.content_type);
  const bool waits = bytes.len == 4 && memcmp(bytes.ptr, "wait", 4) == 0;
  torvyn_list_u8_free(&bytes);
  const uint64_t wait_ns = waits ? 3600 * UINT64_C(1000000000) : 0;
  const wasi_io_poll_own_pollable_t timer = wasi_clocks_monotonic_clock_subscribe_duration(wait_ns);
  const wasi_io_poll_borrow_pollable_t lent = wasi_io_poll_borrow_pollable(timer);
  if (how.text != NULL && strcmp(how.text, "block") == 0) {
    wasi_io_poll_method_pollable_block(lent);
  } else {
    wasi_io_poll_list_borrow_pollable_t all = {(wasi_io_poll_borrow_pollable_t[]){lent}, 1};
    torvyn_list_u32_t ready;
    wasi_io_poll_poll(&all, &ready);
    torvyn_list_u32_free(&ready);
  }
  wasi_io_poll_pollable_drop_own(timer);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP;
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
