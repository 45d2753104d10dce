/* Settings of a component: what stands behind it in a pipeline, `./grep.wasm pattern=ERR`, or its node's `config` in a
 * manifest. The host hands over a flat JSON object, or bare text, which is the component's main setting.
 *
 *   static uint64_t times = 2;
 *
 *   static bool configure(torvyn_settings* settings) {
 *     torvyn_setting_is_main(settings, "times");
 *     return torvyn_setting_number(settings, "times", &times);
 *   }
 *   TORVYN_PROCESSOR(repeat, .init = configure)
 *
 * A getter leaves the value alone where the setting is not given, and fails where it is not what was asked for. A setting that
 * was given and that `init` asked for nowhere fails it too: a misspelt one is never silently ignored. */
#pragma once

#include "torvyn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  char* name;
  char* value; /* a text without its quotes and escapes; anything else as it stands; NULL for null */
  bool asked_for;
} torvyn_setting;

/* `{0}` is an empty one. Texts found in it are valid until torvyn_settings_free: in a component, as long as it lives. */
typedef struct {
  torvyn_setting* items;
  size_t count;
  char* asked; /* the names asked for, "`a`, `b`" */
} torvyn_settings;

typedef struct {
  const char* at;
  const char* end;
} torvyn_json;

static inline void torvyn_json_skip_blanks(torvyn_json* in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) in->at++;
}

static inline bool torvyn_json_take(torvyn_json* in, char c) {
  torvyn_json_skip_blanks(in);
  if (in->at >= in->end || *in->at != c) return false;
  in->at++;
  return true;
}

/* The four digits of \uXXXX, or -1. */
static inline int32_t torvyn_json_hex4(torvyn_json* in) {
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

static inline size_t torvyn_json_put_utf8(char* out, uint32_t code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  const size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i) {
    out[i] = (char)(0x80 | (code & 0x3f));
    code >>= 6;
  }
  out[0] = (char)(code | (size == 2 ? 0xc0u : size == 3 ? 0xe0u : 0xf0u));
  return size;
}

/* What \uXXXX stands for, the cursor behind the u; -1 where it is no character, or the one that would end a C string. */
static inline int32_t torvyn_json_code(torvyn_json* in) {
  const int32_t code = torvyn_json_hex4(in);
  if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff)) return -1;
  if (code < 0xd800 || code > 0xdbff) return code;
  if (in->end - in->at < 2 || in->at[0] != '\\' || in->at[1] != 'u') return -1;
  in->at += 2;
  const int32_t low = torvyn_json_hex4(in);
  if (low < 0xdc00 || low > 0xdfff) return -1;
  return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* A string, the cursor behind its first quote. NULL if it is none; else to be freed. */
static inline char* torvyn_json_string(torvyn_json* in) {
  char* const text = (char*)malloc((size_t)(in->end - in->at) + 1); /* no escape is shorter than what it stands for */
  size_t size = 0;
  while (text != NULL && in->at < in->end) {
    char c = *in->at++;
    if (c == '"') {
      text[size] = 0;
      return text;
    }
    if ((unsigned char)c < 0x20) break;
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
    const int32_t code = c == 'u' ? torvyn_json_code(in) : -1;
    if (code < 0) break;
    size += torvyn_json_put_utf8(text + size, (uint32_t)code);
  }
  free(text);
  return NULL;
}

static inline size_t torvyn_json_digits(torvyn_json* in) {
  const char* const start = in->at;
  while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
  return (size_t)(in->at - start);
}

/* Takes -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static inline bool torvyn_json_number(torvyn_json* in) {
  if (in->at < in->end && *in->at == '-') in->at++;
  const bool leading_zero = in->at < in->end && *in->at == '0';
  const size_t whole = torvyn_json_digits(in);
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (in->at < in->end && *in->at == '.') {
    in->at++;
    if (torvyn_json_digits(in) == 0) return false;
  }
  if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
    if (torvyn_json_digits(in) == 0) return false;
  }
  return true;
}

static inline bool torvyn_json_word(torvyn_json* in, const char* word) {
  const size_t size = strlen(word);
  if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0) return false;
  in->at += size;
  return true;
}

/* A value as a text to be freed; null gives NULL and true. */
static inline bool torvyn_json_value(torvyn_json* in, char** out) {
  *out = NULL;
  if (torvyn_json_take(in, '"')) return (*out = torvyn_json_string(in)) != NULL;
  const char* const start = in->at;
  if (torvyn_json_word(in, "null")) return true;
  if (!torvyn_json_word(in, "true") && !torvyn_json_word(in, "false") && !torvyn_json_number(in)) return false;
  const size_t size = (size_t)(in->at - start);
  *out = (char*)calloc(size + 1, 1);
  if (*out != NULL) memcpy(*out, start, size);
  return *out != NULL;
}

static inline void torvyn_settings_free(torvyn_settings* settings) {
  for (size_t i = 0; i < settings->count; ++i) {
    free(settings->items[i].name);
    free(settings->items[i].value);
  }
  free(settings->items);
  free(settings->asked);
  memset(settings, 0, sizeof *settings);
}

/* Takes both texts over. */
static inline bool torvyn_settings_add(torvyn_settings* settings, char* name, char* value) {
  torvyn_setting* const items =
      (torvyn_setting*)realloc(settings->items, (settings->count + 1) * sizeof *settings->items);
  if (items == NULL || name == NULL) {
    if (items != NULL) settings->items = items;
    free(name);
    free(value);
    return false;
  }
  const torvyn_setting item = {name, value, false};
  items[settings->count++] = item;
  settings->items = items;
  return true;
}

static inline bool torvyn_settings_read_object(torvyn_settings* settings, torvyn_json* in) {
  if (!torvyn_json_take(in, '}')) {
    do {
      if (!torvyn_json_take(in, '"')) return false;
      char* const name = torvyn_json_string(in);
      char* value = NULL;
      const bool good = name != NULL && torvyn_json_take(in, ':') && torvyn_json_value(in, &value);
      if (!good) {
        free(name);
        return false;
      }
      if (!torvyn_settings_add(settings, name, value)) return false;
    } while (torvyn_json_take(in, ','));
    if (!torvyn_json_take(in, '}')) return false;
  }
  torvyn_json_skip_blanks(in);
  return in->at == in->end;
}

/* Reads what the host hands to `init` into `settings`, which is empty. Text that does not begin with a brace is one
 * setting without a name. Fails with what is wrong, and leaves `settings` empty then. */
static inline bool torvyn_settings_parse(torvyn_settings* settings, const char* text, size_t size) {
  memset(settings, 0, sizeof *settings);
  torvyn_json in = {text, text + size};
  torvyn_json_skip_blanks(&in);
  if (in.at == in.end) return true;
  if (*in.at != '{') {
    char* const value = (char*)calloc(size + 1, 1);
    if (value != NULL) memcpy(value, text, size);
    return torvyn_settings_add(settings, (char*)calloc(1, 1), value);
  }
  in.at++;
  if (torvyn_settings_read_object(settings, &in)) return true;
  torvyn_settings_free(settings);
  return torvyn_fail(TORVYN_INVALID_INPUT,
                     "the settings are no flat JSON object of texts, numbers and booleans, at byte %zu",
                     (size_t)(in.at - text));
}

/* Says that the setting without a name, `./repeat.wasm 3`, is this one. Before asking for it. */
static inline void torvyn_setting_is_main(torvyn_settings* settings, const char* name) {
  for (size_t i = 0; i < settings->count; ++i) {
    torvyn_setting* const item = &settings->items[i];
    if (item->name[0] != 0) continue;
    char* const named = (char*)calloc(strlen(name) + 1, 1);
    if (named == NULL) return;
    free(item->name);
    item->name = (char*)memcpy(named, name, strlen(name));
  }
}

static inline void torvyn_settings_note(torvyn_settings* settings, const char* name) {
  const size_t size = settings->asked == NULL ? 0 : strlen(settings->asked);
  const size_t room = size + strlen(name) + sizeof ", ``";
  char* const asked = (char*)realloc(settings->asked, room);
  if (asked == NULL) return;
  snprintf(asked + size, room - size, "%s`%s`", size == 0 ? "" : ", ", name);
  settings->asked = asked;
}

/* The text of a setting, or NULL where it is not given; where it was given twice, the last one. */
static inline const char* torvyn_setting_value(torvyn_settings* settings, const char* name) {
  const char* value = NULL;
  for (size_t i = 0; i < settings->count; ++i) {
    torvyn_setting* const item = &settings->items[i];
    if (strcmp(item->name, name) != 0) continue;
    item->asked_for = true;
    value = item->value;
  }
  torvyn_settings_note(settings, name);
  return value;
}

static inline bool torvyn_setting_fail(const char* name, const char* value, const char* what) {
  return torvyn_fail(TORVYN_INVALID_INPUT, "`%s` is \"%s\", not %s", name, value, what);
}

static inline bool torvyn_setting_text(torvyn_settings* settings, const char* name, const char** value) {
  const char* const text = torvyn_setting_value(settings, name);
  if (text != NULL) *value = text;
  return true;
}

/* A whole number from 0 on. */
static inline bool torvyn_setting_number(torvyn_settings* settings, const char* name, uint64_t* value) {
  const char* const text = torvyn_setting_value(settings, name);
  if (text == NULL) return true;
  uint64_t number = 0;
  bool good = *text != 0;
  for (const char* at = text; good && *at != 0; ++at) {
    good = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
           !__builtin_add_overflow(number, (uint64_t)(*at - '0'), &number);
  }
  if (!good) return torvyn_setting_fail(name, text, "a whole number from 0 to 18446744073709551615");
  *value = number;
  return true;
}

/* A number, whole or not. */
static inline bool torvyn_setting_decimal(torvyn_settings* settings, const char* name, double* value) {
  const char* const text = torvyn_setting_value(settings, name);
  if (text == NULL) return true;
  torvyn_json in = {text, text + strlen(text)};
  if (!torvyn_json_number(&in) || in.at != in.end) return torvyn_setting_fail(name, text, "a number");
  *value = strtod(text, NULL);
  return true;
}

/* true or false. */
static inline bool torvyn_setting_flag(torvyn_settings* settings, const char* name, bool* value) {
  const char* const text = torvyn_setting_value(settings, name);
  if (text == NULL) return true;
  *value = strcmp(text, "true") == 0;
  return *value || strcmp(text, "false") == 0 || torvyn_setting_fail(name, text, "true or false");
}

/* Fails if there is a setting that nobody asked for. */
static inline bool torvyn_settings_all_asked_for(const torvyn_settings* settings) {
  for (size_t i = 0; i < settings->count; ++i) {
    const torvyn_setting* const item = &settings->items[i];
    if (item->asked_for) continue;
    if (item->name[0] == 0)
      return torvyn_fail(TORVYN_INVALID_INPUT, "\"%s\" is no setting: there is none that needs no name",
                         item->value == NULL ? "null" : item->value);
    if (settings->asked == NULL)
      return torvyn_fail(TORVYN_INVALID_INPUT, "unknown setting `%s`: there are none", item->name);
    return torvyn_fail(TORVYN_INVALID_INPUT, "unknown setting `%s`; there are %s", item->name, settings->asked);
  }
  return true;
}

/* All of a component's start: reads the settings and hands them to the author's `init`, which may be NULL. `settings` keeps
 * them. */
static inline bool torvyn_configure(torvyn_settings* settings, bool (*init)(torvyn_settings*), const char* text,
                                    size_t size) {
  torvyn_clear_error();
  if (!torvyn_settings_parse(settings, text, size)) return false;
  if (init != NULL && !init(settings)) return false;
  return torvyn_settings_all_asked_for(settings);
}

#ifdef __cplusplus
}
#endif
