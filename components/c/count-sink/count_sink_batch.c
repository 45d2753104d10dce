/* count-sink-batch: count-sink, in runs. No settings. */
#include "torvyn/batch_data_sink.h"

#include "../common/batch.h"
#include "count_core.h"

static count_t count;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_batching_batch_sink_push(exports_torvyn_batching_batch_sink_borrow_batch_t input,
                                             exports_torvyn_batching_batch_sink_backpressure_signal_t* result,
                                             exports_torvyn_batching_batch_sink_batch_error_t* error) {
  packed_t run;
  torvyn_batching_types_method_batch_read(input, &run);
  count.elements += run.ends.len;
  count.bytes += run.bytes.len;
  torvyn_batching_types_packed_free(&run);
  torvyn_batching_types_batch_drop_borrow(input);
  *result = TORVYN_STREAMING_TYPES_BACKPRESSURE_SIGNAL_READY;
  return true;
}

bool exports_torvyn_batching_batch_sink_complete(exports_torvyn_batching_batch_sink_process_error_t* error) {
  count_report(&count);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
