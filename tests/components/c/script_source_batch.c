/* script-source-batch: a batch source that does with each pull what the next character of `script` says (main setting).
 *   0-9  writes so many elements, and there is more     l  writes one, and the stream has ended     u  unavailable
 *   m    writes more than was asked for     o  names origins     f  forwards an input     p  traps in a pause */
#include "torvyn/batch_data_source.h"

#include "../../../components/c/common/batch.h"
#include "../../../components/c/common/settings.h"

static setting_t script;
static size_t at;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "script", true, &script);
  torvyn_string_free(config);
  return true;
}

/* `count` elements of one byte each. */
static void emit(writer_t output, uint32_t count, size_t origin_count) {
  uint8_t* const bytes = calloc(count + 1, 1);
  uint32_t* const ends = calloc(count + 1, sizeof *ends);
  uint32_t origins[1] = {0};
  for (uint32_t i = 0; i < count; ++i) {
    bytes[i] = (uint8_t)('a' + i % 26);
    ends[i] = i + 1;
  }
  torvyn_list_u8_t bytes_list = {bytes, count};
  torvyn_list_u32_t ends_list = {ends, count};
  torvyn_list_u32_t origins_list = {origins, origin_count};
  torvyn_batching_types_emit_error_t why;
  if (!torvyn_batching_types_method_batch_writer_emit(output, &bytes_list, &ends_list, &origins_list, &why))
    __builtin_trap();
  free(bytes);
  free(ends);
}

bool exports_torvyn_batching_batch_source_pull(uint32_t max,
                                               exports_torvyn_batching_batch_source_borrow_batch_writer_t output,
                                               bool* has_more,
                                               exports_torvyn_batching_batch_source_process_error_t* error) {
  const char what = at < script.size ? script.text[at++] : 'l';
  bool good = true;
  *has_more = what != 'l';
  if (what >= '0' && what <= '9') emit(output, (uint32_t)(what - '0'), 0);
  if (what == 'l') emit(output, 1, 0);
  if (what == 'u') good = fail_text(error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_UNAVAILABLE, "not yet");
  if (what == 'm') emit(output, max + 1, 0);
  if (what == 'o') emit(output, 1, 1);
  if (what == 'f') {
    torvyn_list_u32_t first = {(uint32_t[]){0}, 1};
    torvyn_batching_types_method_batch_writer_forward(output, &first);
  }
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return good;
}

void exports_torvyn_batching_batch_source_notify_backpressure(
    exports_torvyn_batching_batch_source_backpressure_signal_t signal) {
  if (at < script.size && script.text[at] == 'p') __builtin_trap();
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
