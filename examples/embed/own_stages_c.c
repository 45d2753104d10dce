/* A program's own data through a sandboxed component and back, in C.
 *
 *   own_stages_c upper.wasm */
#include <stdio.h>
#include <string.h>

#include "torvyn/c/torvyn.h"

static torvyn_stage_result print(void* user, const torvyn_element* element, torvyn_outputs* outputs) {
  (void)user;
  (void)outputs;
  printf("%.*s\n", (int)element->size, (const char*)element->bytes);
  return TORVYN_STAGE_OK;
}

int main(int argc, char** argv) {
  static const char* const words[] = {"hello", "from", "inside"};
  torvyn_host* host = NULL;
  torvyn_flow* flow = NULL;
  torvyn_inlet* in = NULL;
  uint64_t id = 0;
  torvyn_error* error = torvyn_flow_new("shout", &flow);
  if (error == NULL) error = torvyn_flow_add_inlet(flow, "in", 16, &in);
  if (error == NULL) error = torvyn_flow_add_component(flow, "upper", argc > 1 ? argv[1] : "upper.wasm", NULL, NULL, 0);
  if (error == NULL) error = torvyn_flow_add_function(flow, "out", TORVYN_SINK, print, NULL, NULL);
  if (error == NULL) error = torvyn_host_new(NULL, &host);
  if (error == NULL) error = torvyn_host_start(host);
  if (error == NULL) error = torvyn_host_start_made(host, flow, &id);
  if (error == NULL) {
    for (size_t i = 0; i < 3; ++i) torvyn_inlet_push(in, words[i], strlen(words[i]), NULL);
    torvyn_inlet_close(in);
    error = torvyn_host_wait(host, id, NULL);
  }
  const int code = error == NULL ? 0 : 1;
  if (error != NULL) fprintf(stderr, "%s\n", torvyn_error_text(error));
  torvyn_error_free(error);
  torvyn_host_free(host);
  torvyn_inlet_free(in);
  torvyn_flow_free(flow);
  return code;
}
