/* What processors have in common that do what each element asks for: "VERB REST", and give out what came of it, a line for a line. Include after the header of
 * the world, and define answer_to. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "../../../components/c/common/element.h"
#include "../../../components/c/common/output.h"

/* What came of it. `what` is empty where the request is a verb alone; in `room` is place for an answer that has to be written first. */
static const char* answer_to(const char* verb, const char* what, char* room, size_t room_size);

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
