/* grep-batch: grep, in runs. The same settings. */
#include "torvyn/managed_batch_transform.h"

#include "../common/batch.h"
#include "grep_core.h"

static grep_t grep;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = grep_init(&grep, config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  packed_t run;
  torvyn_batching_types_method_batch_read(input, &run);
  /* A kept index never stands behind the end it is judged by, so the list of ends becomes the list of kept elements. */
  uint32_t* const kept = run.ends.ptr;
  size_t kept_count = 0;
  uint32_t start = 0;
  for (size_t i = 0; i < run.ends.len; ++i) {
    const uint32_t end = run.ends.ptr[i];
    if (grep_keeps(&grep, run.bytes.ptr + start, end - start)) kept[kept_count++] = (uint32_t)i;
    start = end;
  }
  torvyn_list_u32_t indices = {kept, kept_count};
  torvyn_batching_types_method_batch_writer_forward(output, &indices);
  torvyn_batching_types_packed_free(&run);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
