/* tally: an aggregator of the per-element contract. Every third element gives "N elements\n"; the end gives two results, the number of elements
 * and the number of bytes. At the element whose sequence is `trap` (main setting) it traps. */
#include "torvyn/stream_aggregator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../hostile/hostile.h"

static uint64_t trap_at = UINT64_MAX;
static uint64_t elements;
static uint64_t bytes;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = number_setting(config, "trap", true, &trap_at, error);
  torvyn_string_free(config);
  return good;
}

static bool give(uint64_t number, const char* what, torvyn_streaming_types_output_element_t* output) {
  char line[64];
  const int size = snprintf(line, sizeof line, "%llu %s\n", (unsigned long long)number, what);
  torvyn_streaming_types_buffer_error_t why;
  torvyn_streaming_types_own_mutable_buffer_t buffer;
  if (!torvyn_streaming_buffer_allocator_allocate((uint64_t)size, &buffer, &why)) return false;
  const torvyn_streaming_types_borrow_mutable_buffer_t borrowed = torvyn_streaming_types_borrow_mutable_buffer(buffer);
  torvyn_list_u8_t text = {(uint8_t*)line, (size_t)size};
  const bool written = torvyn_streaming_types_method_mutable_buffer_append(borrowed, &text, &why);
  output->payload = torvyn_streaming_types_method_mutable_buffer_freeze(borrowed);
  torvyn_streaming_types_mutable_buffer_drop_own(buffer);
  torvyn_string_dup(&output->meta.content_type, "text/plain");
  return written;
}

bool exports_torvyn_aggregation_aggregator_ingest(exports_torvyn_aggregation_aggregator_stream_element_t* element,
                                                  exports_torvyn_aggregation_aggregator_option_output_element_t* result,
                                                  exports_torvyn_aggregation_aggregator_process_error_t* error) {
  if (element->meta.sequence == trap_at) __builtin_trap();
  elements++;
  bytes += torvyn_streaming_types_method_buffer_size(element->payload);
  torvyn_streaming_types_buffer_drop_borrow(element->payload);
  torvyn_streaming_types_flow_context_drop_borrow(element->context);
  torvyn_string_free(&element->meta.content_type);
  memset(result, 0, sizeof *result);
  result->is_some = elements % 3 == 0 && give(elements, "elements", &result->val);
  return true;
}

bool exports_torvyn_aggregation_aggregator_flush(exports_torvyn_aggregation_aggregator_list_output_element_t* result,
                                                 exports_torvyn_aggregation_aggregator_process_error_t* error) {
  result->len = 2;
  result->ptr = calloc(2, sizeof *result->ptr);
  return give(elements, "elements", &result->ptr[0]) && give(bytes, "bytes", &result->ptr[1]);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
