/* slow: computes for `us` microseconds (main setting; 1000) over each element. It imports WASI's monotonic clock. */
#include <time.h>

#include "torvyn/managed_transform.h"

#include "../components/c/misbehave.h"
#include "hostile.h"

static uint64_t us = 1000;

static uint64_t now_ns(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) __builtin_trap();
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = number_setting(config, "us", true, &us, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  for (const uint64_t end_ns = now_ns() + us * 1000; now_ns() < end_ns;) {
  }
  return pass(input, result, error);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
