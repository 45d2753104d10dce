/* trap-random: traps at one element in `n`. */
#include "torvyn/managed_transform.h"

#include "../components/c/misbehave.h"
#include "hostile.h"

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = chance_init(config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (is_hit(input->meta.sequence)) __builtin_trap();
  return pass(input, result, error);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
