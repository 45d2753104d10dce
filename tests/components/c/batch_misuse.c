/* batch-misuse: a batch processor that breaks a rule of torvyn:batching, the one that `how` names (main setting). */
#include "torvyn/managed_batch_transform.h"

#include "../../../components/c/common/batch.h"
#include "../../../components/c/common/settings.h"

static setting_t how;

static bool is(const char* name) { return how.text != NULL && strcmp(how.text, name) == 0; }

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "how", true, &how);
  torvyn_string_free(config);
  return true;
}

/* An emit that the host must not let happen. */
static void emit(writer_t output, size_t size, const uint32_t* ends, size_t count, const uint32_t* origins,
                 size_t origin_count) {
  static uint8_t bytes[8];
  torvyn_list_u8_t bytes_list = {bytes, size};
  torvyn_list_u32_t ends_list = {(uint32_t*)ends, count};
  torvyn_list_u32_t origins_list = {(uint32_t*)origins, origin_count};
  torvyn_batching_types_emit_error_t why;
  torvyn_batching_types_method_batch_writer_emit(output, &bytes_list, &ends_list, &origins_list, &why);
}

static void forward(writer_t output, const uint32_t* indices, size_t count) {
  torvyn_list_u32_t list = {(uint32_t*)indices, count};
  torvyn_batching_types_method_batch_writer_forward(output, &list);
}

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  enum { many = 65536, long_type_bytes = 300 };
  static uint32_t zeros[many];
  static char long_type[long_type_bytes];
  const uint32_t count = torvyn_batching_types_method_batch_count(input);
  torvyn_string_t text;
  torvyn_list_u8_t bytes;
  torvyn_list_u32_t first = {zeros, 1};

  if (is("ends-short")) emit(output, 2, (uint32_t[]){1}, 1, zeros, 1);
  if (is("ends-beyond")) emit(output, 2, (uint32_t[]){3}, 1, zeros, 1);
  if (is("ends-none")) emit(output, 2, NULL, 0, NULL, 0);
  if (is("ends-fall")) emit(output, 3, (uint32_t[]){2, 1, 3}, 3, zeros, 3);
  if (is("origins-few")) emit(output, 2, (uint32_t[]){1, 2}, 2, zeros, 1);
  if (is("origins-fall")) emit(output, 2, (uint32_t[]){1, 2}, 2, (uint32_t[]){1, 0}, 2);
  if (is("origins-beyond")) emit(output, 1, (uint32_t[]){1}, 1, &count, 1);
  if (is("origins-none")) emit(output, 1, (uint32_t[]){1}, 1, NULL, 0); /* for a run of two */
  if (is("forward-beyond")) forward(output, &count, 1);
  if (is("forward-fall")) forward(output, (uint32_t[]){1, 0}, 2);
  if (is("emit-odd-bytes")) {
    uint8_t odd[5] = {0};
    torvyn_list_u8_t nothing = {odd, 0};
    torvyn_list_u8_t odd_list = {odd, sizeof odd};
    torvyn_batching_types_emit_error_t why;
    torvyn_batching_types_method_batch_writer_emit_bytes(output, &nothing, &odd_list, &nothing, &why);
  }
  if (is("forward-odd-bytes")) {
    uint8_t odd[3] = {0};
    torvyn_list_u8_t odd_list = {odd, sizeof odd};
    torvyn_batching_types_method_batch_writer_forward_bytes(output, &odd_list);
  }
  if (is("port")) {
    torvyn_string_set(&text, "nowhere");
    torvyn_batching_types_method_batch_writer_forward_to(output, &text, &first);
  }
  if (is("read-beyond")) torvyn_batching_types_method_batch_read_one(input, count, 0, 1, &bytes);
  if (is("trace-beyond")) torvyn_batching_types_method_batch_trace_id(input, count, &text);
  if (is("long-type")) {
    memset(long_type, 'x', long_type_bytes);
    text = (torvyn_string_t){(uint8_t*)long_type, long_type_bytes};
    torvyn_batching_types_method_batch_writer_set_content_type(output, &text);
  }
  if (is("forward-flood")) {
    for (;;) forward(output, zeros, many);
  }
  if (is("emit-flood")) {
    for (;;) emit(output, 0, zeros, many, zeros, many); /* outputs of no bytes */
  }
  if (is("keep-batch")) return true;
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  if (is("trap")) __builtin_trap();
  if (is("error-beyond")) {
    error->index = count;
    return fail_internal(&error->error, "about nothing");
  }
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
