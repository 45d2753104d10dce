/* What the processors that misbehave share: behaving, until then. Include after "torvyn/managed_transform.h". */
#pragma once

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"
#include "../../../components/c/common/settings.h"

static uint64_t misbehave_at;

/* Reads `at` (main setting; 0). */
static inline bool misbehave_init(const torvyn_string_t* config, process_error_t* error) {
  setting_t at;
  switch (setting_find(config->ptr, config->len, "at", true, &at)) {
    case SETTING_MALFORMED:
      return fail_invalid(error, "the settings are not a flat JSON object");
    case SETTING_ABSENT:
      return true;
    case SETTING_FOUND:
      break;
  }
  const bool good = setting_to_number(&at, &misbehave_at) || fail_setting(error, "at", at.text, "a whole number");
  free(at.text);
  return good;
}

/* An output with the input's bytes. */
static inline bool pass(stream_element_t* input, torvyn_streaming_types_process_result_t* result,
                        process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(input);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  const bool made = make_buffer(bytes.ptr, bytes.len, &result->val.emit.payload, error);
  torvyn_list_u8_free(&bytes);
  return made;
}

/* The rest of a component whose `process` calls `misbehave` when it is time. */
#define MISBEHAVING_PROCESSOR(misbehave)                                                                       \
  bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,                                        \
                                               exports_torvyn_streaming_lifecycle_process_error_t* error) {    \
    const bool good = misbehave_init(config, error);                                                           \
    torvyn_string_free(config);                                                                                \
    return good;                                                                                               \
  }                                                                                                            \
  void exports_torvyn_streaming_lifecycle_teardown(void) {}                                                    \
  bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,  \
                                                  exports_torvyn_streaming_processor_process_result_t* result, \
                                                  exports_torvyn_streaming_processor_process_error_t* error) { \
    if (input->meta.sequence == misbehave_at) return misbehave(input, result, error);                          \
    return pass(input, result, error);                                                                         \
  }
