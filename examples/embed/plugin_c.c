/* A sandboxed plugin, called like a function, from C.
 *
 *   plugin_c upper.wasm */
#include <stdio.h>
#include <string.h>

#include "torvyn/c/torvyn.h"

int main(int argc, char** argv) {
  torvyn_plugin* plugin = NULL;
  torvyn_answer answer;
  torvyn_error* error = torvyn_plugin_load(argc > 1 ? argv[1] : "upper.wasm", NULL, &plugin);
  if (error == NULL) error = torvyn_plugin_process(plugin, "hello", strlen("hello"), NULL, &answer);
  if (error != NULL) {
    fprintf(stderr, "%s\n", torvyn_error_text(error));
    torvyn_error_free(error);
    torvyn_plugin_free(plugin);
    return 1;
  }
  for (size_t i = 0; i < answer.output_count; ++i)
    printf("%.*s\n", (int)answer.outputs[i].size, (const char*)answer.outputs[i].bytes);
  torvyn_plugin_free(plugin);
  return answer.status == TORVYN_PLUGIN_OK ? 0 : 1;
}
