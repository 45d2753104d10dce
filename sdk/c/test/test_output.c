/* Outputs, ports and errors, as a test on the host machine sees them. */
#undef NDEBUG
#include <assert.h>
#include <torvyn/processor.h>
#include <torvyn/router.h>
#include <torvyn/test.h>

static void collects_outputs_in_order(void) {
  torvyn_output out = {0};
  torvyn_emit(&out, "one", 3);
  torvyn_write(&out, "tw", 2);
  torvyn_print(&out, "%c", 'o');
  torvyn_end(&out);
  torvyn_emit(&out, "", 0);
  torvyn_forward(&out);
  torvyn_write(&out, "rest", 4);
  torvyn_end_written(&out);
  torvyn_end_written(&out);
  assert(out.count == 5);
  assert(torvyn_output_is(&out, 0, "one"));
  assert(torvyn_output_is(&out, 1, "two"));
  assert(torvyn_output_is(&out, 2, ""));
  assert(torvyn_output_is_forwarded(&out, 3) && !torvyn_output_is(&out, 3, ""));
  assert(torvyn_output_is(&out, 4, "rest"));
  assert(!torvyn_output_is(&out, 4, "test") && !torvyn_output_is(&out, 5, ""));
  torvyn_output_free(&out);
}

static void grows(void) {
  torvyn_output out = {0};
  size_t size = 0;
  for (unsigned i = 0; i < 100000; ++i) {
    torvyn_print(&out, "%u", i);
    torvyn_end(&out);
  }
  for (unsigned i = 0; i < 100000; ++i) {
    char text[16];
    size += (size_t)snprintf(text, sizeof text, "%u", i);
    assert(torvyn_output_is(&out, i, text));
  }
  assert(out.count == 100000 && out.size == size);
  torvyn_output_free(&out);
}

static void prints_more_than_there_is_room_for(void) {
  torvyn_output out = {0};
  torvyn_print(&out, "%9999d", 7);
  torvyn_end(&out);
  assert(out.size == 9999 && out.bytes[9998] == '7' && out.bytes[0] == ' ');
  torvyn_output_free(&out);
}

static void shrinks_what_was_too_long(void) {
  torvyn_output out = {0};
  memcpy(torvyn_extend(&out, 10), "0123456789", 10);
  torvyn_shrink(&out, 7);
  torvyn_end(&out);
  assert(torvyn_output_is(&out, 0, "012"));
  torvyn_output_free(&out);
}

static void keeps_a_content_type_for_later_outputs(void) {
  torvyn_output out = {0};
  torvyn_emit(&out, "a", 1);
  torvyn_set_content_type(&out, "text/plain");
  torvyn_emit(&out, "b", 1);
  torvyn_output_clear(&out);
  torvyn_emit(&out, "c", 1);
  torvyn_set_content_type(&out, "application/json");
  torvyn_emit(&out, "d", 1);
  torvyn_set_content_type(&out, "text/plain");
  torvyn_emit(&out, "e", 1);
  assert(strcmp(torvyn_output_content_type(&out, 0), "text/plain") == 0);
  assert(strcmp(torvyn_output_content_type(&out, 1), "application/json") == 0);
  assert(strcmp(torvyn_output_content_type(&out, 2), "text/plain") == 0);
  assert(out.content_type_count == 2);
  torvyn_output_free(&out);
}

static void gives_a_run_out_as_it_stands(void) {
  uint8_t bytes[] = "abcdef";
  const uint32_t ends[] = {2, 2, 6};
  const torvyn_batch batch = {bytes, ends, 3, NULL};
  const torvyn_element last = torvyn_batch_element(&batch, 2);
  assert(torvyn_element_is(&last, "cdef"));
  torvyn_output out = {0};
  torvyn_emit_batch(&out, &batch);
  assert(out.count == 3);
  assert(torvyn_output_is(&out, 0, "ab") && torvyn_output_is(&out, 1, "") && torvyn_output_is(&out, 2, "cdef"));
  torvyn_output_free(&out);
}

static void routes_once_to_each_port(void) {
  torvyn_ports ports = {0};
  torvyn_route(&ports, "a");
  torvyn_route(&ports, "a");
  torvyn_route(&ports, "b");
  assert(torvyn_is_routed(&ports, "a") && torvyn_is_routed(&ports, "b") && !torvyn_is_routed(&ports, "c"));
  assert(ports.ports[0].count == 1);
  ports.index = 1;
  torvyn_route(&ports, "b");
  assert(!torvyn_is_routed(&ports, "a") && torvyn_is_routed(&ports, "b"));
  torvyn_ports_free(&ports);
}

static void cuts_long_errors(void) {
  char text[2000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  assert(!torvyn_fail(TORVYN_UNAVAILABLE, "%s", text));
  assert(strlen(torvyn_test_error()) == torvyn_error_bytes_max - 1);
  assert(torvyn_call_state.kind == TORVYN_UNAVAILABLE);
  torvyn_clear_error();
  assert(strcmp(torvyn_test_error(), "") == 0);
}

static void knows_an_elements_meta(void) {
  torvyn_element in = torvyn_test_element("x");
  assert(torvyn_meta_of(&in).sequence == 0 && strcmp(torvyn_meta_of(&in).content_type, "") == 0);
  assert(strcmp(torvyn_trace_id(&in), "") == 0);
  const torvyn_meta meta = {7, 8, 9, "text/plain"};
  in.meta = &meta;
  assert(torvyn_meta_of(&in).sequence == 7 && strcmp(torvyn_meta_of(&in).content_type, "text/plain") == 0);
}

int main(void) {
  collects_outputs_in_order();
  grows();
  prints_more_than_there_is_room_for();
  shrinks_what_was_too_long();
  keeps_a_content_type_for_later_outputs();
  gives_a_run_out_as_it_stands();
  routes_once_to_each_port();
  cuts_long_errors();
  knows_an_elements_meta();
}
