/* reach: does what each element asks for, and gives out what came of it, a line for a line: "read PATH", "write PATH", "env NAME", "time". */
#include "torvyn/transform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"

static const char* answer_to(const char* verb, const char* what, char* room, size_t room_size) {
  if (strcmp(verb, "time") == 0) return time(NULL) > 0 ? "it goes" : "it stands";
  if (strcmp(verb, "env") == 0) {
    const char* value = getenv(what);
    return value == NULL ? "unset" : value;
  }
  const bool writes = strcmp(verb, "write") == 0;
  FILE* file = fopen(what, writes ? "w" : "r");
  if (file == NULL) return strerror(errno);
  if (writes) {
    const bool written = fputs("written", file) >= 0;
    return fclose(file) == 0 && written ? "done" : strerror(errno);
  }
  const size_t size = fread(room, 1, room_size - 1, file);
  room[size] = '\0';
  fclose(file);
  return room;
}

bool exports_torvyn_streaming_processor_process(exports_torvyn_streaming_processor_stream_element_t* input,
                                                exports_torvyn_streaming_processor_process_result_t* result,
                                                exports_torvyn_streaming_processor_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(input);
  char request[512] = {0};
  memcpy(request, bytes.ptr, bytes.len < sizeof request ? bytes.len : sizeof request - 1);
  torvyn_list_u8_free(&bytes);
  const size_t line_end = strcspn(request, "\n");
  const bool is_line = request[line_end] == '\n';
  request[line_end] = '\0';
  char* what = strchr(request, ' ');
  if (what != NULL) *what++ = '\0';
  char room[512];
  const char* answer = answer_to(request, what == NULL ? "" : what, room, sizeof room);
  result->tag = TORVYN_STREAMING_TYPES_PROCESS_RESULT_EMIT;
  result->val.emit.meta = input->meta;
  char line[600];
  snprintf(line, sizeof line, "%s%s", answer, is_line ? "\n" : "");
  return make_buffer((const uint8_t*)line, strlen(line), &result->val.emit.payload, error);
}
