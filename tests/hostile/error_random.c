/* error-random: returns an error about one element in `n`, of the case of process-error that `kind` names (internal). */
#include "torvyn/managed_transform.h"

#include "../components/c/misbehave.h"
#include "../components/c/error_kind.h"
#include "hostile.h"

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = chance_init(config, error) && error_kind_init(config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  return is_hit(input->meta.sequence) ? fail_of_kind(input, error) : pass(input, result, error);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
