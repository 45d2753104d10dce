/* One element, on its way into a component. */
#pragma once

#include "torvyn/log.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What travels beside a payload. */
typedef struct {
  uint64_t sequence;        /* its number in the flow, from 0 */
  uint64_t timestamp_ns;    /* wall clock at source entry, nanoseconds since the Unix epoch */
  uint64_t deadline_ns;     /* nanoseconds that remain; 0: no deadline; 1: it is over */
  const char* content_type; /* "" if none was set */
} torvyn_meta;

typedef enum { TORVYN_TRACE_ID, TORVYN_SPAN_ID, TORVYN_FLOW_ID } torvyn_id;

struct torvyn_element;

/* Where an element's meta and ids come from: asked only when an author does. */
typedef struct {
  torvyn_meta (*meta)(const struct torvyn_element* element);
  const char* (*id)(const struct torvyn_element* element, torvyn_id which);
} torvyn_call;

/* Valid for the call it is given to: the author's function, once. */
typedef struct torvyn_element {
  const uint8_t* bytes; /* the payload */
  size_t size;          /* of it, in bytes */

  /* The SDK's own. */
  const torvyn_call* call; /* NULL in a test */
  const torvyn_meta* meta; /* NULL until known */
  uint32_t index;          /* in its run */
} torvyn_element;

/* Its meta. The content type is valid as long as the element. */
static inline torvyn_meta torvyn_meta_of(const torvyn_element* element) {
  if (element->meta != NULL) return *element->meta;
  if (element->call != NULL) return element->call->meta(element);
  const torvyn_meta none = {0, 0, 0, ""};
  return none;
}

static inline const char* torvyn_id_of(const torvyn_element* element, torvyn_id which) {
  return element->call == NULL ? "" : element->call->id(element, which);
}

/* W3C trace id, 32 lower-case hex digits; the id of this call's span, 16; the flow's name. Valid until the next call of the same
 * function. "" in a test. */
static inline const char* torvyn_trace_id(const torvyn_element* element) {
  return torvyn_id_of(element, TORVYN_TRACE_ID);
}
static inline const char* torvyn_span_id(const torvyn_element* element) {
  return torvyn_id_of(element, TORVYN_SPAN_ID);
}
static inline const char* torvyn_flow_id(const torvyn_element* element) {
  return torvyn_id_of(element, TORVYN_FLOW_ID);
}

/* Whether the payload is this text. */
static inline bool torvyn_element_is(const torvyn_element* element, const char* text) {
  return element->size == strlen(text) && memcmp(element->bytes, text, element->size) == 0;
}

#ifdef __cplusplus
}
#endif
