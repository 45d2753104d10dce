/* wasi-upper: upper, as somebody wrote it who uses what a C library has: stdio and the time, so it imports WASI. */
#include "torvyn/transform.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  static bool greeted;
  if (!greeted) {
    greeted = true;
    const time_t year_2020 = 1577836800;
    fprintf(stderr, "the clock %s\n", time(NULL) > year_2020 ? "goes" : "stands");
    printf("the first element has %llu bytes\n",
           (unsigned long long)torvyn_streaming_types_method_buffer_size(input->payload));
    fflush(stdout);
  }
  torvyn_list_u8_t bytes = take_payload(input);
  for (size_t i = 0; i < bytes.len; ++i) bytes.ptr[i] = (uint8_t)toupper(bytes.ptr[i]);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  const bool made = make_buffer(bytes.ptr, bytes.len, &result->val.emit.payload, error);
  torvyn_list_u8_free(&bytes);
  return made;
}
