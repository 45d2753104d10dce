/* script: does what its input says. It calls every function of the contract with whatever handles, addresses and lengths the script names, lets
 * the host's requests for memory call back, and answers with anything. The steps are those of script_imports.h; the script is the
 * payload of the element, or of the first one of a run, or where there is a setting, that: as hexadecimal digits.
 *
 * Its memory is its own: nothing is freed within a call, so an answer may point anywhere. */
#include "torvyn/script.h"

#include <stdlib.h>
#include <string.h>

#include "script_imports.h"

#define STREAMING "torvyn:streaming/types@0.1.0"
#define ALLOCATOR "torvyn:streaming/buffer-allocator@0.1.0"
#define BATCHING "torvyn:batching/types@0.1.0"
#define IMPORT(result, module, name, ...) \
  __attribute__((import_module(module), import_name(name))) extern result raw_##__VA_ARGS__

IMPORT(uint64_t, STREAMING, "[method]buffer.size", buffer_size(uint32_t));
IMPORT(void, STREAMING, "[method]buffer.content-type", buffer_content_type(uint32_t, uint32_t));
IMPORT(void, STREAMING, "[method]buffer.read", buffer_read(uint32_t, uint64_t, uint64_t, uint32_t));
IMPORT(void, STREAMING, "[method]buffer.read-all", buffer_read_all(uint32_t, uint32_t));
IMPORT(void, STREAMING, "[resource-drop]buffer", buffer_drop(uint32_t));
IMPORT(void, STREAMING, "[method]mutable-buffer.write",
       mutable_buffer_write(uint32_t, uint64_t, uint32_t, uint32_t, uint32_t));
IMPORT(void, STREAMING, "[method]mutable-buffer.append", mutable_buffer_append(uint32_t, uint32_t, uint32_t, uint32_t));
IMPORT(uint64_t, STREAMING, "[method]mutable-buffer.size", mutable_buffer_size(uint32_t));
IMPORT(uint64_t, STREAMING, "[method]mutable-buffer.capacity", mutable_buffer_capacity(uint32_t));
IMPORT(void, STREAMING, "[method]mutable-buffer.set-content-type",
       mutable_buffer_set_content_type(uint32_t, uint32_t, uint32_t));
IMPORT(uint32_t, STREAMING, "[method]mutable-buffer.freeze", mutable_buffer_freeze(uint32_t));
IMPORT(void, STREAMING, "[resource-drop]mutable-buffer", mutable_buffer_drop(uint32_t));
IMPORT(void, STREAMING, "[method]flow-context.trace-id", flow_context_trace_id(uint32_t, uint32_t));
IMPORT(void, STREAMING, "[method]flow-context.span-id", flow_context_span_id(uint32_t, uint32_t));
IMPORT(uint64_t, STREAMING, "[method]flow-context.deadline-ns", flow_context_deadline_ns(uint32_t));
IMPORT(void, STREAMING, "[method]flow-context.flow-id", flow_context_flow_id(uint32_t, uint32_t));
IMPORT(void, STREAMING, "[resource-drop]flow-context", flow_context_drop(uint32_t));
IMPORT(void, ALLOCATOR, "allocate", allocate(uint64_t, uint32_t));
IMPORT(void, ALLOCATOR, "clone-into-mutable", clone_into_mutable(uint32_t, uint32_t));
IMPORT(uint32_t, BATCHING, "[method]batch.count", batch_count(uint32_t));
IMPORT(void, BATCHING, "[method]batch.read", batch_read(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.read-one", batch_read_one(uint32_t, uint32_t, uint64_t, uint64_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.sizes", batch_sizes(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.metas", batch_metas(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.content-types", batch_content_types(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.flow-id", batch_flow_id(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.trace-id", batch_trace_id(uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.span-id", batch_span_id(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[resource-drop]batch", batch_drop(uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.emit",
       batch_writer_emit(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch.read-bytes", batch_read_bytes(uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.emit-bytes",
       batch_writer_emit_bytes(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.forward-bytes", batch_writer_forward_bytes(uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.forward", batch_writer_forward(uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.forward-to",
       batch_writer_forward_to(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[method]batch-writer.set-content-type",
       batch_writer_set_content_type(uint32_t, uint32_t, uint32_t));
IMPORT(void, BATCHING, "[resource-drop]batch-writer", batch_writer_drop(uint32_t));
IMPORT(void, "torvyn:diagnostics/log@0.1.0", "log", log(uint32_t, uint32_t, uint32_t));
IMPORT(uint32_t, "torvyn:capabilities/capability-query@0.1.0", "has-capability", has_capability(uint32_t, uint32_t));

/* ---- memory ----------------------------------------------------------------------------------------------------- */

enum { page_bytes = 65536, heap_align = 16 };

extern uint8_t __heap_base;
static uintptr_t heap_next;

/* In place of the C library's: `free` does nothing, and each call of the component begins with an empty heap. */
void* malloc(size_t bytes) {
  if (heap_next == 0) heap_next = (uintptr_t)&__heap_base;
  const uintptr_t start = (heap_next + heap_align - 1) / heap_align * heap_align;
  const size_t all = __builtin_wasm_memory_size(0) * page_bytes;
  if (bytes > UINT32_MAX - page_bytes - start) return NULL;
  if (start + bytes > all && __builtin_wasm_memory_grow(0, (start + bytes - all) / page_bytes + 1) == SIZE_MAX)
    return NULL;
  heap_next = start + bytes;
  return (void*)start;
}

void free(void* memory) {}

void* calloc(size_t count, size_t bytes) {
  void* const memory = malloc(count * bytes);
  return memory == NULL ? NULL : memset(memory, 0, count * bytes);
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const uint8_t* at;
  const uint8_t* end;
} script_t;

typedef struct {
  uint32_t kind;
  uint64_t a;
  uint32_t b;
  uint32_t c;
} answer_t;

enum { depth_max = 4, repeats_max = 1 << 20 };

static uint64_t registers[script_registers];
static uint32_t next_register;
static uint8_t scratch[script_scratch_bytes] __attribute__((aligned(16)));
static answer_t answer;
static script_t in_realloc;
static script_t configured;
static script_t later;
static uint64_t repeats_left;

static void run_steps(script_t script, int depth);

void* realloc(void* memory, size_t bytes) {
  if (in_realloc.at != NULL) {
    const script_t script = in_realloc;
    in_realloc = (script_t){NULL, NULL};
    run_steps(script, depth_max);
  }
  void* const fresh = malloc(bytes);
  return fresh;
}

static uint8_t take_byte(script_t* script) { return script->at == script->end ? 0 : *script->at++; }

static uint64_t take_bytes(script_t* script, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value |= (uint64_t)take_byte(script) << (8 * i);
  return value;
}

static uint64_t take_word(script_t* script) {
  switch (take_byte(script) % script_words) {
    case script_word_register:
      return registers[take_byte(script) % script_registers];
    case script_word_byte:
      return take_byte(script);
    case script_word_u32:
      return take_bytes(script, 4);
    case script_word_u64:
      return take_bytes(script, 8);
    default:
      return (uintptr_t)scratch + take_bytes(script, 2);
  }
}

static script_t take_script(script_t* script, uint64_t bytes) {
  const size_t left = (size_t)(script->end - script->at);
  const script_t inner = {script->at, script->at + (bytes < left ? (size_t)bytes : left)};
  script->at = inner.end;
  return inner;
}

static void keep(uint64_t value) {
  registers[next_register] = value;
  if (++next_register == script_registers) next_register = script_register_results;
}

/* Not a tail call, and not a loop. */
__attribute__((noinline)) static uint32_t recurse(uint64_t depth, volatile uint32_t* above) {
  volatile uint32_t here = *above + 1;
  return depth == 0 ? here : recurse(depth - 1, &here) + here;
}

static void call_import(unsigned number, script_t* script) {
  static const char* const parameters[] = {
#define PARAMETERS(name, c_name, letters) letters,
      TORVYN_SCRIPT_IMPORTS(PARAMETERS)
#undef PARAMETERS
  };
  uint64_t w[8] = {0};
  for (size_t i = 0; parameters[number][i] != 0; ++i) w[i] = take_word(script);
#define W(i) ((uint32_t)w[i])
  switch (number) {
    case script_buffer_size:
      return keep(raw_buffer_size(W(0)));
    case script_buffer_content_type:
      return raw_buffer_content_type(W(0), W(1));
    case script_buffer_read:
      return raw_buffer_read(W(0), w[1], w[2], W(3));
    case script_buffer_read_all:
      return raw_buffer_read_all(W(0), W(1));
    case script_buffer_drop:
      return raw_buffer_drop(W(0));
    case script_mutable_buffer_write:
      return raw_mutable_buffer_write(W(0), w[1], W(2), W(3), W(4));
    case script_mutable_buffer_append:
      return raw_mutable_buffer_append(W(0), W(1), W(2), W(3));
    case script_mutable_buffer_size:
      return keep(raw_mutable_buffer_size(W(0)));
    case script_mutable_buffer_capacity:
      return keep(raw_mutable_buffer_capacity(W(0)));
    case script_mutable_buffer_set_content_type:
      return raw_mutable_buffer_set_content_type(W(0), W(1), W(2));
    case script_mutable_buffer_freeze:
      return keep(raw_mutable_buffer_freeze(W(0)));
    case script_mutable_buffer_drop:
      return raw_mutable_buffer_drop(W(0));
    case script_flow_context_trace_id:
      return raw_flow_context_trace_id(W(0), W(1));
    case script_flow_context_span_id:
      return raw_flow_context_span_id(W(0), W(1));
    case script_flow_context_deadline_ns:
      return keep(raw_flow_context_deadline_ns(W(0)));
    case script_flow_context_flow_id:
      return raw_flow_context_flow_id(W(0), W(1));
    case script_flow_context_drop:
      return raw_flow_context_drop(W(0));
    case script_allocate:
      return raw_allocate(w[0], W(1));
    case script_clone_into_mutable:
      return raw_clone_into_mutable(W(0), W(1));
    case script_batch_count:
      return keep(raw_batch_count(W(0)));
    case script_batch_read:
      return raw_batch_read(W(0), W(1));
    case script_batch_read_one:
      return raw_batch_read_one(W(0), W(1), w[2], w[3], W(4));
    case script_batch_sizes:
      return raw_batch_sizes(W(0), W(1));
    case script_batch_metas:
      return raw_batch_metas(W(0), W(1));
    case script_batch_content_types:
      return raw_batch_content_types(W(0), W(1));
    case script_batch_flow_id:
      return raw_batch_flow_id(W(0), W(1));
    case script_batch_trace_id:
      return raw_batch_trace_id(W(0), W(1), W(2));
    case script_batch_span_id:
      return raw_batch_span_id(W(0), W(1));
    case script_batch_drop:
      return raw_batch_drop(W(0));
    case script_batch_writer_emit:
      return raw_batch_writer_emit(W(0), W(1), W(2), W(3), W(4), W(5), W(6), W(7));
    case script_batch_writer_forward:
      return raw_batch_writer_forward(W(0), W(1), W(2));
    case script_batch_writer_forward_to:
      return raw_batch_writer_forward_to(W(0), W(1), W(2), W(3), W(4));
    case script_batch_writer_set_content_type:
      return raw_batch_writer_set_content_type(W(0), W(1), W(2));
    case script_batch_writer_drop:
      return raw_batch_writer_drop(W(0));
    case script_log:
      return raw_log(W(0), W(1), W(2));
    case script_has_capability:
      return keep(raw_has_capability(W(0), W(1)));
    case script_batch_read_bytes:
      return raw_batch_read_bytes(W(0), W(1));
    case script_batch_writer_emit_bytes:
      return raw_batch_writer_emit_bytes(W(0), W(1), W(2), W(3), W(4), W(5), W(6), W(7));
    case script_batch_writer_forward_bytes:
      return raw_batch_writer_forward_bytes(W(0), W(1), W(2));
    default:
      __builtin_trap();
  }
#undef W
}

static void run_steps(script_t script, int depth) {
  while (script.at != script.end) {
    const unsigned step = take_byte(&script) % script_steps;
    if (step < script_imports) {
      call_import(step, &script);
      continue;
    }
    const uint64_t first = step == script_later || step == script_trap ? 0 : take_word(&script);
    switch (step) {
      case script_load: {
        const uint64_t bytes = (uint64_t)__builtin_wasm_memory_size(0) * page_bytes;
        uint32_t value = 0;
        if (first <= bytes - sizeof value) memcpy(&value, (const void*)(uintptr_t)first, sizeof value);
        keep(value);
        break;
      }
      case script_store: {
        const uint32_t value = (uint32_t)take_word(&script);
        memcpy(scratch + first % (script_scratch_bytes - sizeof value), &value, sizeof value);
        break;
      }
      case script_repeat: {
        const script_t inner = take_script(&script, take_word(&script));
        for (uint64_t i = 0; depth < depth_max && i < first && repeats_left != 0; ++i, --repeats_left)
          run_steps(inner, depth + 1);
        break;
      }
      case script_in_realloc:
        in_realloc = take_script(&script, first);
        break;
      case script_recurse: {
        volatile uint32_t bottom = 0;
        keep(recurse(first, &bottom));
        break;
      }
      case script_grow:
        keep(__builtin_wasm_memory_grow(0, (size_t)first));
        break;
      case script_answer:
        answer.kind = (uint32_t)first;
        answer.a = take_word(&script);
        answer.b = (uint32_t)take_word(&script);
        answer.c = (uint32_t)take_word(&script);
        break;
      case script_later: {
        static uint8_t kept[4096];
        const size_t left = (size_t)(script.end - script.at);
        const size_t bytes = left < sizeof kept ? left : sizeof kept;
        memcpy(kept, script.at, bytes);
        later = (script_t){kept, kept + bytes};
        return;
      }
      default:
        __builtin_trap();
    }
  }
}

static void run_script(script_t script, uint32_t first, uint32_t second) {
  registers[script_register_first] = first;
  registers[script_register_second] = second;
  registers[script_register_scratch] = (uintptr_t)scratch;
  registers[script_register_memory] = (uint64_t)__builtin_wasm_memory_size(0) * page_bytes;
  next_register = script_register_results;
  repeats_left = repeats_max;
  answer = (answer_t){script_answer_nothing, 0, 0, 0};
  in_realloc = (script_t){NULL, NULL};
  run_steps(script, 0);
}

static torvyn_string_t answered_text(void) { return (torvyn_string_t){(uint8_t*)(uintptr_t)answer.b, answer.c}; }

static bool answer_error(torvyn_streaming_types_process_error_t* error, uint64_t kind) {
  error->tag = (uint8_t)kind;
  error->val.internal = answered_text();
  return false;
}

static void answer_output(torvyn_streaming_types_output_element_t* output) {
  output->meta = (torvyn_streaming_types_element_meta_t){0, 0, answered_text()};
  output->payload.__handle = (int32_t)answer.a;
}

/* ---- exports ---------------------------------------------------------------------------------------------------- */

static uint8_t digit_of(uint8_t c) { return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); }

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  static uint8_t bytes[4096];
  size_t count = 0;
  for (size_t i = 0; i + 1 < config->len && count < sizeof bytes; i += 2)
    bytes[count++] = (uint8_t)(digit_of(config->ptr[i]) << 4 | digit_of(config->ptr[i + 1]));
  if (count != 0) configured = (script_t){bytes, bytes + count};
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}

static void run_element(const torvyn_streaming_types_stream_element_t* element) {
  heap_next = 0;
  script_t script = configured;
  if (script.at == NULL) {
    torvyn_list_u8_t bytes;
    torvyn_streaming_types_method_buffer_read_all(element->payload, &bytes);
    script = (script_t){bytes.ptr, bytes.ptr + bytes.len};
  }
  run_script(script, (uint32_t)element->payload.__handle, (uint32_t)element->context.__handle);
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  run_element(input);
  if (answer.kind == script_answer_error) return answer_error(error, answer.a);
  if (answer.kind == script_answer_output) {
    result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
    answer_output(&result->val.emit);
  } else {
    result->tag = (uint8_t)(answer.kind + 1); /* nothing: drop */
  }
  return true;
}

bool exports_torvyn_filtering_router_route(exports_torvyn_filtering_router_stream_element_t* element,
                                           torvyn_list_string_t* result,
                                           exports_torvyn_filtering_router_process_error_t* error) {
  run_element(element);
  if (answer.kind == script_answer_error) return answer_error(error, answer.a);
  *result = (torvyn_list_string_t){(torvyn_string_t*)(uintptr_t)answer.b, answer.c};
  return true;
}

bool exports_torvyn_aggregation_aggregator_ingest(exports_torvyn_aggregation_aggregator_stream_element_t* element,
                                                  exports_torvyn_aggregation_aggregator_option_output_element_t* result,
                                                  exports_torvyn_aggregation_aggregator_process_error_t* error) {
  run_element(element);
  if (answer.kind == script_answer_error) return answer_error(error, answer.a);
  result->is_some = answer.kind == script_answer_output;
  if (result->is_some) answer_output(&result->val);
  return true;
}

bool exports_torvyn_aggregation_aggregator_flush(exports_torvyn_aggregation_aggregator_list_output_element_t* result,
                                                 exports_torvyn_aggregation_aggregator_process_error_t* error) {
  heap_next = 0;
  const script_t script = later;
  later = (script_t){NULL, NULL};
  run_script(script, 0, 0);
  if (answer.kind == script_answer_error) return answer_error(error, answer.a);
  result->ptr = (exports_torvyn_aggregation_aggregator_output_element_t*)(uintptr_t)answer.b;
  result->len = answer.c;
  return true;
}

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  heap_next = 0;
  script_t script = configured;
  if (script.at == NULL) {
    torvyn_list_u8_t bytes;
    torvyn_batching_types_method_batch_read_one(input, 0, 0, UINT64_MAX, &bytes);
    script = (script_t){bytes.ptr, bytes.ptr + bytes.len};
  }
  run_script(script, (uint32_t)input.__handle, (uint32_t)output.__handle);
  if (answer.kind != script_answer_error) return true;
  error->index = (uint32_t)answer.a;
  return answer_error(&error->error, TORVYN_STREAMING_TYPES_PROCESS_ERROR_INTERNAL);
}
