/* upper-batch: upper, in runs. No settings. */
#include "torvyn/batch_transform.h"

#include "../common/batch.h"
#include "upper_core.h"

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  packed_t run;
  torvyn_batching_types_method_batch_read(input, &run);
  upper(run.bytes.ptr, run.bytes.len);
  const bool emitted = emit_run(output, &run, error);
  torvyn_batching_types_packed_free(&run);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return emitted;
}
