/* acking-source: a source of `count` elements (main setting; 10), numbered from 1, that logs each acknowledgement: "acked 3". It traps when
 * one goes back, or says more than it gave. */
#include "torvyn/acking_source.h"

#include "../../../components/c/common/output.h"
#include "../../../components/c/common/settings.h"

static uint64_t count = 10;
static uint64_t given;
static uint64_t acked;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_t setting;
  const bool found = setting_find(config->ptr, config->len, "count", true, &setting) == SETTING_FOUND;
  torvyn_string_free(config);
  if (!found) return true;
  const bool good = setting_to_number(&setting, &count) || fail_setting(error, "count", setting.text, "a whole number");
  free(setting.text);
  return good;
}

bool exports_torvyn_streaming_source_pull(exports_torvyn_streaming_source_option_output_element_t* result,
                                          exports_torvyn_streaming_source_process_error_t* error) {
  result->is_some = given < count;
  if (!result->is_some) return true;
  bytes_t text = {0};
  bytes_add_number(&text, ++given);
  result->val.meta = (torvyn_streaming_types_element_meta_t){0};
  const bool made = make_buffer(text.ptr, text.len, &result->val.payload, error);
  bytes_free(&text);
  return made;
}

void exports_torvyn_streaming_source_notify_backpressure(exports_torvyn_streaming_source_backpressure_signal_t signal) {
}

void exports_torvyn_acks_acks_acknowledge(uint64_t up_to) {
  if (up_to < acked || up_to > given) __builtin_trap();
  acked = up_to;
  bytes_t text = {0};
  bytes_add_text(&text, "acked ");
  bytes_add_number(&text, up_to);
  torvyn_string_t lent = {text.ptr, text.len};
  torvyn_diagnostics_log_log(TORVYN_DIAGNOSTICS_LOG_LEVEL_INFO, &lent);
  bytes_free(&text);
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
