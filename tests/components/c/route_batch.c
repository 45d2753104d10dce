/* route-batch: a router of runs that forwards each run to the ports in `ports` (main setting), with commas between; where no name stands
 * before a comma, without naming a port. */
#include "torvyn/batch_content_router.h"

#include "../../../components/c/common/batch.h"
#include "../../../components/c/common/settings.h"

static setting_t ports;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "ports", true, &ports);
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_batching_batch_router_route(exports_torvyn_batching_batch_router_borrow_batch_t input,
                                                exports_torvyn_batching_batch_router_borrow_batch_writer_t output,
                                                exports_torvyn_batching_batch_router_batch_error_t* error) {
  torvyn_list_u32_t all = {NULL, torvyn_batching_types_method_batch_count(input)};
  all.ptr = malloc(all.len * sizeof *all.ptr);
  if (all.ptr == NULL) __builtin_trap();
  for (uint32_t i = 0; i < all.len; ++i) all.ptr[i] = i;
  for (const char* at = ports.text; at != NULL && *at != 0;) {
    const size_t size = strcspn(at, ",");
    torvyn_string_t name = {(uint8_t*)at, size};
    if (size == 0) {
      torvyn_batching_types_method_batch_writer_forward(output, &all);
    } else {
      torvyn_batching_types_method_batch_writer_forward_to(output, &name, &all);
    }
    at += size + (at[size] == ',');
  }
  free(all.ptr);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
