/* hog: allocates until no more memory is given. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

static uint8_t* volatile last;

static bool hog(stream_element_t* input, torvyn_streaming_types_process_result_t* result, process_error_t* error) {
  enum { step_bytes = 1024 * 1024 };
  while ((last = malloc(step_bytes)) != NULL) memset(last, 1, step_bytes);
  __builtin_trap();
}

MISBEHAVING_PROCESSOR(hog)
