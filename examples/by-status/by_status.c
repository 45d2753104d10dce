/* by-status: sends a line of access-log's JSON to the port of its status: `failed` (5xx), `refused` (4xx) or `served`. */
#define _GNU_SOURCE /* memmem */

#include "torvyn/content_router.h"

#include <stdlib.h>
#include <string.h>

#include "../../components/c/common/element.h"

/* The first digit of the status, 0 where there is none. */
static uint8_t status_class(const torvyn_list_u8_t* line) {
  static const char key[] = "\"status\":";
  const uint8_t* const found = memmem(line->ptr, line->len, key, sizeof key - 1);
  if (found == NULL || found + sizeof key - 1 == line->ptr + line->len) return 0;
  return found[sizeof key - 1];
}

bool exports_torvyn_filtering_router_route(exports_torvyn_filtering_router_stream_element_t* element,
                                           torvyn_list_string_t* ports,
                                           exports_torvyn_filtering_router_process_error_t* error) {
  torvyn_list_u8_t line = take_payload(element);
  torvyn_string_free(&element->meta.content_type);
  const uint8_t status = status_class(&line);
  torvyn_list_u8_free(&line);

  ports->len = 1;
  ports->ptr = malloc(sizeof *ports->ptr); /* the caller's side frees what is given out */
  if (ports->ptr == NULL) abort();
  torvyn_string_dup(ports->ptr, status == '5' ? "failed" : status == '4' ? "refused" : "served");
  return true;
}

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  torvyn_string_free(config);
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
