/* buffer-forms: a processor that uses what the host gives in the way that `how` names (main setting), rightly or wrongly, and gives
 * what came of it as text. */
#include "torvyn/managed_transform.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"
#include "../../../components/c/common/settings.h"

typedef torvyn_streaming_types_own_mutable_buffer_t own_mutable_t;
typedef torvyn_streaming_types_borrow_mutable_buffer_t mutable_t;

static setting_t how;
static volatile bool forever = true;

static bool is(const char* name) { return how.text != NULL && strcmp(how.text, name) == 0; }

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "how", true, &how);
  torvyn_string_free(config);
  if (is("spin-in-init")) {
    while (forever) {
    }
  }
  return true;
}

static void add_error(bytes_t* text, torvyn_streaming_types_buffer_error_t* why) {
  static const char* const names[] = {"capacity-exceeded", "out-of-bounds", "allocation-failed: "};
  bytes_add_text(text, names[why->tag]);
  if (why->tag == TORVYN_STREAMING_TYPES_BUFFER_ERROR_ALLOCATION_FAILED)
    bytes_add(text, why->val.allocation_failed.ptr, why->val.allocation_failed.len);
  torvyn_streaming_types_buffer_error_free(why);
}

static own_mutable_t allocate(uint64_t hint) {
  own_mutable_t buffer;
  torvyn_streaming_types_buffer_error_t why;
  if (!torvyn_streaming_buffer_allocator_allocate(hint, &buffer, &why)) __builtin_trap();
  return buffer;
}

static void write(bytes_t* text, mutable_t buffer, uint64_t offset, const void* data, size_t size) {
  torvyn_list_u8_t list = {(uint8_t*)data, size};
  torvyn_streaming_types_buffer_error_t why;
  if (torvyn_streaming_types_method_mutable_buffer_write(buffer, offset, &list, &why)) return;
  add_error(text, &why);
  bytes_add_text(text, " ");
}

/* A buffer of text, or of what was written to `buffer`. */
static own_buffer_t finish(own_mutable_t buffer) {
  const own_buffer_t frozen =
      torvyn_streaming_types_method_mutable_buffer_freeze(torvyn_streaming_types_borrow_mutable_buffer(buffer));
  torvyn_streaming_types_mutable_buffer_drop_own(buffer);
  return frozen;
}

static void tell(bytes_t* text, const stream_element_t* input) {
  torvyn_string_t part;
  bytes_add_text(text, "element ");
  bytes_add_number(text, input->meta.sequence);
  bytes_add_text(text, " at ");
  bytes_add_number(text, input->meta.timestamp_ns);
  bytes_add_text(text, ", deadline ");
  bytes_add_number(text, torvyn_streaming_types_method_flow_context_deadline_ns(input->context));
  bytes_add_text(text, ", ");
  bytes_add_number(text, torvyn_streaming_types_method_buffer_size(input->payload));
  bytes_add_text(text, " bytes of `");
  bytes_add(text, input->meta.content_type.ptr, input->meta.content_type.len);
  bytes_add_text(text, "` `");
  torvyn_streaming_types_method_buffer_content_type(input->payload, &part);
  bytes_add(text, part.ptr, part.len);
  bytes_add_text(text, "` in ");
  torvyn_streaming_types_method_flow_context_flow_id(input->context, &part);
  bytes_add(text, part.ptr, part.len);
  bytes_add_text(text, " ");
  torvyn_streaming_types_method_flow_context_trace_id(input->context, &part);
  bytes_add(text, part.ptr, part.len);
  bytes_add_text(text, " ");
  torvyn_streaming_types_method_flow_context_span_id(input->context, &part);
  bytes_add(text, part.ptr, part.len);
}

static void capabilities(bytes_t* text) {
  static const char* const names[] = {"clocks", "random", "stdio", "no such thing"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    torvyn_string_t name;
    torvyn_string_set(&name, names[i]);
    if (torvyn_capabilities_capability_query_has_capability(&name)) bytes_add_text(text, names[i]);
    bytes_add_text(text, ".");
  }
}

static void read_part(bytes_t* text, const stream_element_t* input, uint64_t offset, uint64_t size) {
  torvyn_list_u8_t bytes;
  torvyn_streaming_types_method_buffer_read(input->payload, offset, size, &bytes);
  bytes_add(text, bytes.ptr, bytes.len);
  bytes_add_text(text, ".");
  torvyn_list_u8_free(&bytes);
}

/* Allocates and keeps until the host gives no more. */
static void hoard(bytes_t* text, uint64_t hint) {
  own_mutable_t buffer;
  torvyn_streaming_types_buffer_error_t why;
  uint64_t count = 0;
  while (torvyn_streaming_buffer_allocator_allocate(hint, &buffer, &why)) count++;
  bytes_add_number(text, count);
  bytes_add_text(text, " ");
  add_error(text, &why);
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  bytes_t text = {0};
  own_buffer_t payload = {0};
  torvyn_streaming_types_buffer_error_t why;
  own_mutable_t buffer = {0};
  result->val.emit.meta = (torvyn_streaming_types_element_meta_t){.sequence = 4711, .timestamp_ns = 4711};

  if (is("tell")) tell(&text, input);
  if (is("capabilities")) capabilities(&text);
  if (is("parts")) {
    read_part(&text, input, 0, 2);
    read_part(&text, input, 2, 100);
    read_part(&text, input, 5, 1);
    read_part(&text, input, UINT64_MAX, UINT64_MAX);
    read_part(&text, input, 4, 0);
  }
  if (is("too-large") && !torvyn_streaming_buffer_allocator_allocate(17 << 20, &buffer, &why)) add_error(&text, &why);
  if (is("hoard-handles")) hoard(&text, 1);
  if (is("hoard-bytes")) hoard(&text, 1 << 20);
  if (is("overfill")) { /* two writes that do not fit, and what is left unharmed */
    buffer = allocate(8);
    const mutable_t writing = torvyn_streaming_types_borrow_mutable_buffer(buffer);
    const uint64_t capacity = torvyn_streaming_types_method_mutable_buffer_capacity(writing);
    uint8_t* const large = calloc(1, (size_t)capacity + 1);
    write(&text, writing, 0, "kept", 4);
    write(&text, writing, 0, large, (size_t)capacity + 1);
    write(&text, writing, 5, "gap", 3);
    bytes_add_number(&text, torvyn_streaming_types_method_mutable_buffer_size(writing));
    write(&text, writing, 4, text.ptr, text.len);
    free(large);
    payload = finish(buffer);
  }
  if (is("clone") || is("clone-untouched")) {
    if (!torvyn_streaming_buffer_allocator_clone_into_mutable(input->payload, &buffer, &why)) __builtin_trap();
    const mutable_t writing = torvyn_streaming_types_borrow_mutable_buffer(buffer);
    if (is("clone")) write(&text, writing, 0, "J", 1);
    payload = finish(buffer);
  }
  if (is("typed-buffer") || is("typed-meta")) {
    buffer = allocate(1);
    torvyn_string_t type;
    torvyn_string_set(&type, "text/buffer");
    torvyn_streaming_types_method_mutable_buffer_set_content_type(torvyn_streaming_types_borrow_mutable_buffer(buffer),
                                                                  &type);
    payload = finish(buffer);
    if (is("typed-meta")) torvyn_string_dup(&result->val.emit.meta.content_type, "text/meta");
  }
  if (is("drop-frozen")) torvyn_streaming_types_buffer_drop_own(finish(allocate(1)));
  /* From here on what is wrong. */
  if (is("after-freeze")) {
    buffer = allocate(8);
    torvyn_streaming_types_method_mutable_buffer_freeze(torvyn_streaming_types_borrow_mutable_buffer(buffer));
    write(&text, torvyn_streaming_types_borrow_mutable_buffer(buffer), 0, "late", 4);
  }
  if (is("freeze-twice")) {
    buffer = allocate(8);
    torvyn_streaming_types_method_mutable_buffer_freeze(torvyn_streaming_types_borrow_mutable_buffer(buffer));
    torvyn_streaming_types_method_mutable_buffer_freeze(torvyn_streaming_types_borrow_mutable_buffer(buffer));
  }
  if (is("drop-twice")) {
    buffer = allocate(8);
    torvyn_streaming_types_mutable_buffer_drop_own(buffer);
    torvyn_streaming_types_mutable_buffer_drop_own(buffer);
  }
  if (is("wrong-kind")) { /* a mutable buffer where a buffer belongs */
    buffer = allocate(8);
    payload.__handle = buffer.__handle;
  }
  if (is("return-lent")) payload.__handle = input->payload.__handle;
  if (is("long-type")) {
    enum { size = 300 };
    char* const type = malloc(size);
    memset(type, 'x', size);
    result->val.emit.meta.content_type = (torvyn_string_t){(uint8_t*)type, size};
  }
  if (is("bad-utf8")) torvyn_string_dup(&result->val.emit.meta.content_type, "\xff\xfe");

  if (!is("return-lent")) torvyn_streaming_types_buffer_drop_borrow(input->payload);
  torvyn_streaming_types_flow_context_drop_borrow(input->context);
  torvyn_string_free(&input->meta.content_type);
  result->tag = is("drop") ? TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP : TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  if (is("drop")) return true;
  result->val.emit.payload = payload;
  const bool made = payload.__handle != 0 || make_buffer(text.ptr, text.len, &result->val.emit.payload, error);
  bytes_free(&text);
  return made;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {
  if (is("spin-in-teardown")) {
    while (forever) {
    }
  }
}
