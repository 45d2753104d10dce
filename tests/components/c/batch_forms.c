/* batch-forms: a batch processor that does what torvyn:batching allows and hardly anybody needs, as `how` says (main setting). */
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

static void add_string(bytes_t* bytes, torvyn_string_t* text) {
  bytes_add(bytes, text->ptr, text->len);
  torvyn_string_free(text);
}

/* What is known of each element without reading it. */
static bool tell(batch_t input, writer_t output, batch_error_t* error) {
  torvyn_list_u64_t sizes;
  torvyn_batching_types_list_batch_meta_t metas;
  torvyn_list_string_t types;
  torvyn_batching_types_method_batch_sizes(input, &sizes);
  torvyn_batching_types_method_batch_metas(input, &metas);
  torvyn_batching_types_method_batch_content_types(input, &types);

  bytes_t text = {0};
  uint32_t* const ends = malloc(sizes.len * sizeof *ends);
  for (size_t i = 0; i < sizes.len; ++i) {
    torvyn_string_t part;
    bytes_add_text(&text, "element ");
    bytes_add_number(&text, metas.ptr[i].sequence);
    bytes_add_text(&text, " at ");
    bytes_add_number(&text, metas.ptr[i].timestamp_ns);
    bytes_add_text(&text, ", deadline ");
    bytes_add_number(&text, metas.ptr[i].deadline_ns);
    bytes_add_text(&text, ", ");
    bytes_add_number(&text, sizes.ptr[i]);
    bytes_add_text(&text, " bytes of `");
    const torvyn_string_t* const type = &types.ptr[metas.ptr[i].content_type];
    bytes_add(&text, type->ptr, type->len);
    bytes_add_text(&text, "` in ");
    torvyn_batching_types_method_batch_flow_id(input, &part);
    add_string(&text, &part);
    bytes_add_text(&text, " ");
    torvyn_batching_types_method_batch_trace_id(input, (uint32_t)i, &part);
    add_string(&text, &part);
    bytes_add_text(&text, " ");
    torvyn_batching_types_method_batch_span_id(input, &part);
    add_string(&text, &part);
    ends[i] = (uint32_t)text.len;
  }
  packed_t outputs = {{text.ptr, text.len}, {ends, sizes.len}};
  const bool emitted = emit_run(output, &outputs, error);
  torvyn_list_u64_free(&sizes);
  torvyn_batching_types_list_batch_meta_free(&metas);
  torvyn_list_string_free(&types);
  free(ends);
  bytes_free(&text);
  return emitted;
}

/* Every second byte of each element's first four, read one by one, as elements of their own. */
static bool split(batch_t input, writer_t output, batch_error_t* error) {
  const uint32_t count = torvyn_batching_types_method_batch_count(input);
  bytes_t text = {0};
  uint32_t* const ends = malloc(4 * count * sizeof *ends);
  uint32_t* const origins = ends + 2 * count;
  for (uint32_t i = 0; i < 2 * count; ++i) {
    torvyn_list_u8_t byte;
    torvyn_batching_types_method_batch_read_one(input, i / 2, 2 * (i % 2), 1, &byte);
    bytes_add(&text, byte.ptr, byte.len);
    torvyn_list_u8_free(&byte);
    ends[i] = (uint32_t)text.len;
    origins[i] = i / 2;
  }
  torvyn_list_u8_t bytes = {text.ptr, text.len};
  torvyn_list_u32_t ends_list = {ends, 2 * count};
  torvyn_list_u32_t origins_list = {origins, 2 * count};
  torvyn_batching_types_emit_error_t why;
  const bool emitted = torvyn_batching_types_method_batch_writer_emit(output, &bytes, &ends_list, &origins_list, &why);
  free(ends);
  bytes_free(&text);
  error->index = 0;
  return emitted || fail_internal(&error->error, "emit refused");
}

/* Numbers as bytes, which need not lie as numbers do: emits all but the last element as they are, and forwards that. */
static bool as_bytes(batch_t input, writer_t output, batch_error_t* error) {
  torvyn_batching_types_packed_bytes_t run;
  torvyn_batching_types_method_batch_read_bytes(input, &run);
  const uint32_t last = (uint32_t)(run.ends.len / 4) - 1;
  uint8_t* const odd = (uint8_t*)malloc(run.ends.len * 2 + 1) + 1;
  uint8_t* const origins = odd + run.ends.len;
  memcpy(odd, run.ends.ptr, run.ends.len);
  for (uint32_t i = 0; i <= last; ++i) memcpy(origins + (size_t)4 * i, &i, 4);
  uint32_t size = 0;
  if (last > 0) memcpy(&size, odd + (size_t)4 * (last - 1), 4);
  torvyn_list_u8_t bytes = {run.bytes.ptr, size};
  torvyn_list_u8_t ends_list = {odd, (size_t)4 * last};
  torvyn_list_u8_t origins_list = {origins, (size_t)4 * last};
  torvyn_list_u8_t forwarded = {origins + (size_t)4 * last, 4};
  torvyn_batching_types_emit_error_t why;
  const bool emitted =
      torvyn_batching_types_method_batch_writer_emit_bytes(output, &bytes, &ends_list, &origins_list, &why);
  torvyn_batching_types_method_batch_writer_forward_bytes(output, &forwarded);
  free(odd - 1);
  torvyn_batching_types_packed_bytes_free(&run);
  error->index = 0;
  return emitted || fail_internal(&error->error, "emit refused");
}

/* A run larger than any buffer: the host says so and the call goes on. */
static bool huge(writer_t output, batch_error_t* error) {
  enum { size = 17 * 1024 * 1024 };
  uint8_t* const room = malloc(size);
  if (room == NULL) __builtin_trap();
  uint32_t end = size;
  uint32_t origin = 0;
  torvyn_list_u8_t bytes = {room, size};
  torvyn_list_u32_t ends = {&end, 1};
  torvyn_list_u32_t origins = {&origin, 1};
  torvyn_batching_types_emit_error_t why;
  const bool emitted = torvyn_batching_types_method_batch_writer_emit(output, &bytes, &ends, &origins, &why);
  free(room);
  error->index = 0;
  if (emitted) return fail_internal(&error->error, "emitted");
  const bool too_large = why.tag == TORVYN_BATCHING_TYPES_EMIT_ERROR_CAPACITY_EXCEEDED;
  torvyn_batching_types_emit_error_free(&why);
  return fail_internal(&error->error, too_large ? "capacity exceeded" : "allocation failed");
}

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  bool good = true;
  if (is("tell")) good = tell(input, output, error);
  if (is("split")) good = split(input, output, error);
  if (is("as-bytes")) good = as_bytes(input, output, error);
  if (is("huge")) good = huge(output, error);
  if (is("twice")) { /* each element forwarded, then again */
    torvyn_list_u32_t list = {(uint32_t[]){0, 0, 1, 1}, 4};
    torvyn_batching_types_method_batch_writer_forward(output, &list);
  }
  if (is("typed") || is("fail-late")) {
    packed_t run;
    torvyn_batching_types_method_batch_read(input, &run);
    torvyn_string_t type;
    torvyn_string_set(&type, "text/typed");
    if (is("typed")) torvyn_batching_types_method_batch_writer_set_content_type(output, &type);
    good = emit_run(output, &run, error);
    torvyn_batching_types_packed_free(&run);
    if (is("fail-late")) { /* outputs for all, and then an error about the second */
      error->index = 1;
      good = fail_invalid(&error->error, "the second is bad");
    }
  }
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return good;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
