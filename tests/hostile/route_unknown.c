/* route-unknown: a router that sends everything to `port` ("output"), and of one element in `n` says that it goes to a port that does not
 * exist, too. */
#include "torvyn/content_router.h"

#include "hostile.h"

static setting_t port;

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  const bool good = chance_init(config, error);
  if (good) setting_find(config->ptr, config->len, "port", false, &port);
  torvyn_string_free(config);
  return good;
}

bool exports_torvyn_filtering_router_route(exports_torvyn_filtering_router_stream_element_t* element,
                                           torvyn_list_string_t* result,
                                           exports_torvyn_filtering_router_process_error_t* error) {
  drop_borrows(element);
  torvyn_string_free(&element->meta.content_type);
  result->ptr = malloc(2 * sizeof *result->ptr);
  if (result->ptr == NULL) __builtin_trap();
  result->len = is_hit(element->meta.sequence) ? 2 : 1;
  torvyn_string_dup(&result->ptr[0], port.text == NULL ? "output" : port.text);
  if (result->len == 2) torvyn_string_dup(&result->ptr[1], "nowhere");
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
