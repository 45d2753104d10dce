/* Settings of a component: what `init` is given.
 *
 * A flat JSON object, {"pattern": "ERR", "invert": true}, or bare text, which is the component's main setting. On the
 * command line `./grep.wasm pattern=ERR` becomes the former, and `./grep.wasm ERR` an object whose key is "". */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef enum { SETTING_FOUND, SETTING_ABSENT, SETTING_MALFORMED } setting_status_t;

/* A value as text: a string without its quotes and escapes, anything else as it stands. Owned: free(text). */
typedef struct {
  char* text; /* ends in a zero that `size` does not count */
  size_t size;
} setting_t;

typedef struct {
  const char* at;
  const char* end;
} setting_cursor_t;

static inline void setting_skip_blanks(setting_cursor_t* in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}

static inline bool setting_take(setting_cursor_t* in, char c) {
  setting_skip_blanks(in);
  if (in->at >= in->end || *in->at != c) return false;
  in->at++;
  return true;
}

/* The four hex digits of \uXXXX, or -1. */
static inline int32_t setting_hex4(setting_cursor_t* in) {
  if (in->end - in->at < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = *in->at++;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static inline size_t setting_put_utf8(char* out, uint32_t code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i) {
    out[i] = (char)(0x80 | (code & 0x3f));
    code >>= 6;
  }
  out[0] = (char)(code | (size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0));
  return size;
}

/* A JSON string, the cursor standing behind its first quote. */
static inline bool setting_read_string(setting_cursor_t* in, setting_t* out) {
  char* text = malloc((size_t)(in->end - in->at) + 1); /* no escape is shorter than what it stands for */
  size_t size = 0;
  while (text != NULL && in->at < in->end) {
    char c = *in->at++;
    if (c == '"') {
      text[size] = 0;
      *out = (setting_t){text, size};
      return true;
    }
    if (c != '\\') {
      text[size++] = c;
      continue;
    }
    if (in->at >= in->end) break;
    c = *in->at++;
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char* const name = c == 0 ? NULL : strchr(names, c);
    if (name != NULL) {
      text[size++] = values[name - names];
      continue;
    }
    int32_t code = c == 'u' ? setting_hex4(in) : -1;
    if (code >= 0xd800 && code < 0xdc00) { /* first half of a pair */
      if (in->end - in->at < 2 || in->at[0] != '\\' || in->at[1] != 'u') break;
      in->at += 2;
      const int32_t low = setting_hex4(in);
      if (low < 0xdc00 || low > 0xdfff) break;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code < 0 || (code >= 0xdc00 && code <= 0xdfff)) {
      break;
    }
    size += setting_put_utf8(text + size, (uint32_t)code);
  }
  free(text);
  return false;
}

/* A string, or anything else up to the next comma or brace: numbers, true, false, null. */
static inline bool setting_read_value(setting_cursor_t* in, setting_t* out) {
  if (setting_take(in, '"')) return setting_read_string(in, out);
  const char* const start = in->at;
  while (in->at < in->end && *in->at != ',' && *in->at != '}') in->at++;
  const char* stop = in->at;
  while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\n' || stop[-1] == '\r')) stop--;
  if (stop == start || *start == '{' || *start == '[') return false;
  const size_t size = (size_t)(stop - start);
  char* const text = malloc(size + 1);
  if (text == NULL) return false;
  memcpy(text, start, size);
  text[size] = 0;
  *out = (setting_t){text, size};
  return true;
}

/* Looks `name` up; where it stands twice, the last one counts. `is_main`: bare text and the key "" mean this setting
 * too. Reads the whole object in any case, so that a malformed one is noticed. */
static inline setting_status_t setting_find(const void* config, size_t size, const char* name, bool is_main,
                                            setting_t* out) {
  setting_cursor_t in = {config, (const char*)config + size};
  setting_skip_blanks(&in);
  if (in.at == in.end) return SETTING_ABSENT;
  if (*in.at != '{') {
    if (!is_main) return SETTING_ABSENT;
    setting_t bare = {malloc(size + 1), size};
    if (bare.text == NULL) return SETTING_MALFORMED;
    memcpy(bare.text, config, size);
    bare.text[size] = 0;
    *out = bare;
    return SETTING_FOUND;
  }
  in.at++;
  bool found = false;
  if (!setting_take(&in, '}')) {
    do {
      setting_t key = {0}, value = {0};
      if (!setting_take(&in, '"') || !setting_read_string(&in, &key)) goto malformed;
      const bool wanted = strcmp(key.text, name) == 0 || (is_main && key.size == 0);
      free(key.text);
      if (!setting_take(&in, ':')) goto malformed;
      setting_skip_blanks(&in);
      if (!setting_read_value(&in, &value)) goto malformed;
      if (wanted) {
        if (found) free(out->text);
        *out = value;
        found = true;
      } else {
        free(value.text);
      }
    } while (setting_take(&in, ','));
    if (!setting_take(&in, '}')) goto malformed;
  }
  setting_skip_blanks(&in);
  if (in.at != in.end) goto malformed;
  return found ? SETTING_FOUND : SETTING_ABSENT;

malformed:
  if (found) free(out->text);
  return SETTING_MALFORMED;
}

/* A whole number without a sign. */
static inline bool setting_to_number(const setting_t* setting, uint64_t* out) {
  uint64_t value = 0;
  if (setting->size == 0) return false;
  for (size_t i = 0; i < setting->size; ++i) {
    const char c = setting->text[i];
    if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
      return false;
  }
  *out = value;
  return true;
}

/* "true" or "false". */
static inline bool setting_to_flag(const setting_t* setting, bool* out) {
  *out = strcmp(setting->text, "true") == 0;
  return *out || strcmp(setting->text, "false") == 0;
}
