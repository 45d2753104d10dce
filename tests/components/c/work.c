/* work: a batch processor that computes for `rounds` steps over each element (main setting; 0) and passes it on uncopied: what
 * bench/graphs measures placement with. */
#include "torvyn/managed_batch_transform.h"

#include "../../../components/c/common/batch.h"
#include "../../../components/c/common/settings.h"

static uint64_t rounds;
static volatile uint64_t outcome;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_t setting;
  if (setting_find(config->ptr, config->len, "rounds", true, &setting) == SETTING_FOUND) {
    rounds = strtoull(setting.text, NULL, 10);
    free(setting.text);
  }
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_batching_batch_processor_process(
    exports_torvyn_batching_batch_processor_borrow_batch_t input,
    exports_torvyn_batching_batch_processor_borrow_batch_writer_t output,
    exports_torvyn_batching_batch_processor_batch_error_t* error) {
  torvyn_list_u32_t all = {NULL, torvyn_batching_types_method_batch_count(input)};
  all.ptr = malloc(all.len * sizeof *all.ptr);
  if (all.ptr == NULL) __builtin_trap();
  uint64_t state = 1;
  for (uint32_t i = 0; i < all.len; ++i) {
    all.ptr[i] = i;
    /* Each step waits for the one before: the same time on every machine of a speed, and nothing to leave out. */
    for (uint64_t round = 0; round < rounds; ++round) state = state * 6364136223846793005u + i;
  }
  outcome = state;
  torvyn_batching_types_method_batch_writer_forward(output, &all);
  free(all.ptr);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
