/* Taking elements in, one a call. Include after the header of the world. */
#pragma once

typedef torvyn_streaming_types_stream_element_t stream_element_t;

/* Gives back what an element lends: both handles must be dropped before the call returns, or it traps. */
static inline void drop_borrows(const stream_element_t* element) {
  torvyn_streaming_types_buffer_drop_borrow(element->payload);
  torvyn_streaming_types_flow_context_drop_borrow(element->context);
}

/* All bytes of the payload, one copy; free them with torvyn_list_u8_free. The element's borrows are given back; its
 * content type still belongs to the caller. */
static inline torvyn_list_u8_t take_payload(const stream_element_t* element) {
  torvyn_list_u8_t bytes;
  torvyn_streaming_types_method_buffer_read_all(element->payload, &bytes);
  drop_borrows(element);
  return bytes;
}
