/* torvyn/c/torvyn.h as a C11 compiler sees it, and a plugin used from C alone. */
#include <assert.h>
#include <string.h>

#include "torvyn/c/torvyn.h"

static_assert(sizeof(torvyn_plugin_options) % sizeof(size_t) == 0, "options are made of whole words");

int torvyn_c_upper(const char* component, const char* text, char* out, size_t out_size);

/* 0, or which step went wrong. */
int torvyn_c_upper(const char* component, const char* text, char* out, size_t out_size) {
  torvyn_plugin_options options;
  torvyn_plugin_options_init(&options);
  options.call_timeout_ns = UINT64_C(5000000000);
  torvyn_plugin* plugin = NULL;
  torvyn_error* error = torvyn_plugin_load(component, &options, &plugin);
  if (error != NULL) {
    torvyn_error_free(error);
    return 1;
  }
  torvyn_answer answer;
  error = torvyn_plugin_process(plugin, text, strlen(text), NULL, &answer);
  int step = error != NULL ? 2 : 0;
  if (step == 0 &&
      (answer.status != TORVYN_PLUGIN_OK || answer.output_count != 1 || answer.outputs[0].size >= out_size))
    step = 3;
  if (step == 0) {
    memcpy(out, answer.outputs[0].bytes, answer.outputs[0].size);
    out[answer.outputs[0].size] = '\0';
  }
  torvyn_error_free(error);
  torvyn_plugin_free(plugin);
  return step;
}
