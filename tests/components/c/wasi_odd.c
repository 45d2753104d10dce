/* wasi-odd: a processor that uses WASI in the way that `how` names (main setting): exit, sleep (300 ms), sleep-long (an hour), flood (a megabyte of stderr
 * without a line's end), unfinished (a line of stdout without its end). */
#include "torvyn/managed_transform.h"

#include <stdio.h>
#include <time.h>

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"
#include "../../../components/c/common/settings.h"

static setting_t how;

static bool is(const char* name) { return how.text != NULL && strcmp(how.text, name) == 0; }

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  setting_find(config->ptr, config->len, "how", true, &how);
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  drop_borrows(input);
  torvyn_string_free(&input->meta.content_type);
  if (is("exit")) exit(3);
  if (is("sleep")) nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  if (is("sleep-long")) nanosleep(&(struct timespec){.tv_sec = 3600}, NULL);
  if (is("flood")) {
    static char chunk[16 * 1024];
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 64; ++i) fwrite(chunk, 1, sizeof chunk, stderr);
  }
  if (is("unfinished")) {
    printf("no line's end");
    fflush(stdout);
  }
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_DROP;
  return true;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
