/* reach: does what each element asks for, and gives out what came of it, a line for a line: "read PATH", "write PATH", "env NAME", "time". */
#include "torvyn/transform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "request.h"

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
