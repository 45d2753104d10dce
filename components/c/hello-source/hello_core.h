/* What both forms of hello-source do: elements "hello 0\n", "hello 1\n", … */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/errors.h"
#include "../common/settings.h"
#include "hello_lines.h"

enum { hello_size_max = 16 * 1024 * 1024 };

/* Reads `count` (main setting; 10) and `size`. */
static inline bool hello_init(hello_t* hello, const torvyn_string_t* config, process_error_t* error) {
  hello_start(hello, 10, 0);
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

/* Room for `count` elements, filled with the padding. Traps if there is none. */
static inline uint8_t* hello_make_room(const hello_t* hello, size_t count) {
  const size_t size = count * hello_element_bytes_max(hello);
  uint8_t* const room = malloc(size);
  if (room == NULL) __builtin_trap();
  memset(room, '.', size);
  return room;
}
