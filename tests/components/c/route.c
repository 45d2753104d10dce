/* route: a router that sends every element to the ports in `ports` (main setting), with commas between. */
#include "torvyn/content_router.h"

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/errors.h"
#include "../../../components/c/common/settings.h"

static setting_t ports;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "ports", true, &ports);
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_filtering_router_route(exports_torvyn_filtering_router_stream_element_t* element,
                                           torvyn_list_string_t* result,
                                           exports_torvyn_filtering_router_process_error_t* error) {
  drop_borrows(element);
  torvyn_string_free(&element->meta.content_type);
  *result = (torvyn_list_string_t){NULL, 0};
  for (const char* at = ports.text; at != NULL && *at != 0;) {
    const size_t size = strcspn(at, ",");
    result->ptr = realloc(result->ptr, (result->len + 1) * sizeof *result->ptr);
    torvyn_string_dup_n(&result->ptr[result->len++], at, size);
    at += size + (at[size] == ',');
  }
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
