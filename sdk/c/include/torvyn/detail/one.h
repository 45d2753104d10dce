/* The SDK's inside, for WebAssembly only: one element a call, between an author's functions and the generated bindings of
 * torvyn:streaming. Include after the header of the world. */
#pragma once

#include "torvyn/detail/component.h"
#include "torvyn/element.h"
#include "torvyn/output.h"

typedef torvyn_streaming_types_stream_element_t torvyn_stream_element;

/* The element of the call that is on. */
static const torvyn_stream_element* torvyn_the_element __attribute__((unused));

static inline const char* torvyn_one_id(const torvyn_element* element, torvyn_id which) {
  static char* texts[TORVYN_FLOW_ID + 1];
  const torvyn_streaming_types_borrow_flow_context_t context = torvyn_the_element->context;
  torvyn_string_t text;
  (void)element;
  switch (which) {
    case TORVYN_TRACE_ID:
      torvyn_streaming_types_method_flow_context_trace_id(context, &text);
      break;
    case TORVYN_SPAN_ID:
      torvyn_streaming_types_method_flow_context_span_id(context, &text);
      break;
    case TORVYN_FLOW_ID:
      torvyn_streaming_types_method_flow_context_flow_id(context, &text);
      break;
  }
  texts[which] = (char*)torvyn_resize(texts[which], text.len + 1);
  if (text.len != 0) memcpy(texts[which], text.ptr, text.len);
  texts[which][text.len] = 0;
  torvyn_string_free(&text);
  return texts[which];
}

static inline torvyn_meta torvyn_one_meta(const torvyn_element* element) {
  static char* type;
  const torvyn_streaming_types_element_meta_t* const meta = &torvyn_the_element->meta;
  (void)element;
  type = (char*)torvyn_resize(type, meta->content_type.len + 1);
  if (meta->content_type.len != 0) memcpy(type, meta->content_type.ptr, meta->content_type.len);
  type[meta->content_type.len] = 0;
  const torvyn_meta result = {meta->sequence, meta->timestamp_ns,
                              torvyn_streaming_types_method_flow_context_deadline_ns(torvyn_the_element->context),
                              type};
  return result;
}

static const torvyn_call torvyn_one_call __attribute__((unused)) = {torvyn_one_meta, torvyn_one_id};

/* Reads the payload. `raw` and the element are valid until torvyn_close_element. */
static inline torvyn_element torvyn_open_element(const torvyn_stream_element* raw) {
  torvyn_list_u8_t bytes;
  torvyn_streaming_types_method_buffer_read_all(raw->payload, &bytes);
  torvyn_the_element = raw;
  torvyn_clear_error();
  const torvyn_element element = {bytes.ptr, bytes.len, &torvyn_one_call, NULL, 0};
  return element;
}

/* Frees what the call was given, and drops what it was lent. */
static inline void torvyn_close_element(torvyn_stream_element* raw, const torvyn_element* element) {
  torvyn_list_u8_t bytes = {(uint8_t*)element->bytes, element->size};
  torvyn_list_u8_free(&bytes);
  torvyn_string_free(&raw->meta.content_type);
  torvyn_streaming_types_buffer_drop_borrow(raw->payload);
  torvyn_streaming_types_flow_context_drop_borrow(raw->context);
}
