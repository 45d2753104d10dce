/* What both forms of hello-source do: elements "hello 0\n", "hello 1\n", … */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../common/errors.h"
#include "../common/settings.h"

enum {
  hello_text_bytes_max = 6 + 20 + 1, /* "hello ", the longest number, "\n" */
  hello_size_max = 16 * 1024 * 1024,
};

typedef struct {
  uint64_t next;
  uint64_t count;
  size_t size;                        /* of an element at least; 0: as long as its text */
  uint8_t line[hello_text_bytes_max]; /* "hello ", `next`, and dots to the end */
  size_t text_size;                   /* of it, without the dots */
} hello_t;

/* Reads `count` (main setting; 10) and `size`. */
static inline bool hello_init(hello_t* hello, const torvyn_string_t* config, process_error_t* error) {
  *hello = (hello_t){.count = 10, .text_size = 7};
  memset(hello->line, '.', sizeof hello->line);
  memcpy(hello->line, "hello 0", 7);
  const struct {
    const char* name;
    bool is_main;
    uint64_t max;
    const char* what;
  } settings[] = {{"count", true, UINT64_MAX, "a whole number"},
                  {"size", false, hello_size_max, "a whole number up to 16777216"}};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i) {
    setting_t setting;
    switch (setting_find(config->ptr, config->len, settings[i].name, settings[i].is_main, &setting)) {
      case SETTING_MALFORMED:
        return fail_invalid(error, "the settings are not a flat JSON object");
      case SETTING_ABSENT:
        continue;
      case SETTING_FOUND:
        break;
    }
    uint64_t value = 0;
    const bool good = setting_to_number(&setting, &value) && value <= settings[i].max;
    if (!good) fail_setting(error, settings[i].name, setting.text, settings[i].what);
    free(setting.text);
    if (!good) return false;
    if (i == 0) hello->count = value;
    if (i == 1) hello->size = (size_t)value;
  }
  return true;
}

/* Most bytes one element takes. */
static inline size_t hello_element_bytes_max(const hello_t* hello) {
  return hello->size > hello_text_bytes_max ? hello->size : hello_text_bytes_max;
}

/* Room for `count` elements, filled with the padding. Traps if there is none. */
static inline uint8_t* hello_make_room(const hello_t* hello, size_t count) {
  const size_t size = count * hello_element_bytes_max(hello);
  uint8_t* const room = malloc(size);
  if (room == NULL) __builtin_trap();
  memset(room, '.', size);
  return room;
}

/* To the next number. Its text is counted up in place: dividing would cost more than all the rest. */
static inline void hello_step(hello_t* hello) {
  hello->next++;
  size_t at = hello->text_size - 1;
  while (hello->line[at] == '9') hello->line[at--] = '0';
  if (hello->line[at] != ' ') {
    hello->line[at]++;
    return;
  }
  hello->line[at + 1] = '1'; /* 99 has become 00, and now 100 */
  hello->line[hello->text_size++] = '0';
}

/* Writes the next element at `at` and returns its size; at least hello_text_bytes_max bytes there may be written to. Beyond those the
 * padding of hello_make_room is left as it is: writing a large element costs no more than a small one. */
static inline size_t hello_write(hello_t* hello, uint8_t* at) {
  memcpy(at, hello->line, hello_text_bytes_max);
  const size_t text_size = hello->text_size;
  const size_t end = hello->size > text_size + 1 ? hello->size - 1 : text_size;
  at[end] = '\n';
  hello_step(hello);
  return end + 1;
}
