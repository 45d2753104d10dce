/* trap: reaches `unreachable`. */
#include "torvyn/managed_transform.h"

#include "misbehave.h"

__attribute__((noinline)) static bool give_up(stream_element_t* input, torvyn_streaming_types_process_result_t* result,
                                              process_error_t* error) {
  __builtin_trap();
}

MISBEHAVING_PROCESSOR(give_up)
