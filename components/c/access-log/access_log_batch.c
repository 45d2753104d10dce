/* access-log-batch: access-log, in runs. No settings. */
#include "torvyn/batch_transform.h"

#include "../common/batch.h"
#include "access_log_core.h"

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  static bytes_t json; /* kept from call to call: its room is used again */
  packed_t run;
  torvyn_batching_types_method_batch_read(input, &run);

  /* A line's end is read before that of its output is written in its place. */
  access_log_error_t why;
  json.len = 0;
  const size_t count = run.ends.len;
  size_t done = 0;
  uint32_t start = 0;
  for (; done < count; ++done) {
    const uint32_t end = run.ends.ptr[done];
    if (!access_log_convert(run.bytes.ptr + start, end - start, &json, &why)) break;
    start = end;
    run.ends.ptr[done] = (uint32_t)json.len;
  }

  torvyn_string_t type;
  torvyn_string_set(&type, "application/json"); /* lent for the call */
  torvyn_batching_types_method_batch_writer_set_content_type(output, &type);
  packed_t outputs = {{json.ptr, json.len}, {run.ends.ptr, done}};
  bool good = done == count ? emit_run(output, &outputs, error) : emit_outputs(output, &outputs, 0, done, error);
  if (good && done < count) {
    error->index = (uint32_t)done;
    good = fail_with(&error->error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INVALID_INPUT, access_log_error_text(&why));
  }
  torvyn_batching_types_packed_free(&run);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return good;
}
