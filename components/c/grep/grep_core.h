/* What both forms of grep do: keep the elements that contain a text. */
#pragma once

#include "../common/errors.h"
#include "../common/settings.h"

typedef struct {
  setting_t pattern;
  bool invert;
} grep_t;

/* Reads `pattern` (main setting; needed) and `invert` (false). */
static inline bool grep_init(grep_t* grep, const torvyn_string_t* config, process_error_t* error) {
  *grep = (grep_t){0};
  setting_t invert;
  switch (setting_find(config->ptr, config->len, "invert", false, &invert)) {
    case SETTING_MALFORMED:
      return fail_invalid(error, "the settings are not a flat JSON object");
    case SETTING_ABSENT:
      break;
    case SETTING_FOUND: {
      const bool good = setting_to_flag(&invert, &grep->invert);
      if (!good) fail_setting(error, "invert", invert.text, "true or false");
      free(invert.text);
      if (!good) return false;
    }
  }
  if (setting_find(config->ptr, config->len, "pattern", true, &grep->pattern) == SETTING_FOUND) return true;
  return fail_invalid(error, "no pattern: give pattern=TEXT");
}

static inline bool grep_contains(const uint8_t* bytes, size_t size, const char* text, size_t text_size) {
  if (text_size == 0) return true;
  const uint8_t* const end = bytes + size;
  while ((size_t)(end - bytes) >= text_size) {
    const uint8_t* const first = memchr(bytes, (uint8_t)text[0], (size_t)(end - bytes) - text_size + 1);
    if (first == NULL) return false;
    if (memcmp(first, text, text_size) == 0) return true;
    bytes = first + 1;
  }
  return false;
}

static inline bool grep_keeps(const grep_t* grep, const uint8_t* bytes, size_t size) {
  return grep_contains(bytes, size, grep->pattern.text, grep->pattern.size) != grep->invert;
}
