/* grep: a filter that keeps the elements containing a text, byte for byte.
 *
 * Settings: `pattern`, the text (main setting; needed); `invert=true` keeps the others. */
#include "torvyn/content_filter.h"

#include "../common/element.h"
#include "grep_core.h"

static grep_t grep;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = grep_init(&grep, config, error);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_filtering_filter_evaluate(exports_torvyn_filtering_filter_stream_element_t* element, bool* keep,
                                              exports_torvyn_filtering_filter_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(element);
  *keep = grep_keeps(&grep, bytes.ptr, bytes.len);
  torvyn_list_u8_free(&bytes);
  torvyn_string_free(&element->meta.content_type);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
