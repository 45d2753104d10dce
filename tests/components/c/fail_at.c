/* fail-at: returns an error, of the case of process-error that `kind` names (internal); of an element that is offered again, only the first
 * `times` times (always). */
#include "torvyn/managed_transform.h"

#include "../../hostile/hostile.h"
#include "error_kind.h"

static uint64_t times = UINT64_MAX;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = misbehave_init(config, error) && error_kind_init(config, error) &&
                    number_setting(config, "times", false, &times, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  if (input->meta.sequence != misbehave_at || times == 0) return pass(input, result, error);
  times--;
  return fail_of_kind(input, error);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
