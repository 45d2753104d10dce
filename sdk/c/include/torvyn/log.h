/* Words to whoever runs the component, through torvyn:diagnostics: no grant, no WASI. On the host machine, in a test,
 * they go to stderr. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { TORVYN_TRACE, TORVYN_DEBUG, TORVYN_INFO, TORVYN_WARN, TORVYN_ERROR } torvyn_level;

/* What the host keeps of one message. */
enum { torvyn_log_bytes_max = 4096 };

#ifdef __wasm__
__attribute__((import_module("torvyn:diagnostics/log@0.1.0"), import_name("log"))) void torvyn_log_import(
    int32_t level, const char* text, size_t size);
static inline void torvyn_log_text(torvyn_level level, const char* text, size_t size) {
  torvyn_log_import((int32_t)level, text, size);
}
#else
static inline void torvyn_log_text(torvyn_level level, const char* text, size_t size) {
  static const char* const names[] = {"trace", "debug", "info", "warn", "error"};
  fprintf(stderr, "[%s] %.*s\n", names[level], (int)size, text);
}
#endif

__attribute__((format(printf, 2, 0))) static inline void torvyn_log_list(torvyn_level level, const char* format,
                                                                         va_list arguments) {
  char text[torvyn_log_bytes_max];
  const int size = vsnprintf(text, sizeof text, format, arguments);
  if (size < 0) return;
  torvyn_log_text(level, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
}

/* Logs one message, formatted as printf does and cut at 4 KiB. */
__attribute__((format(printf, 2, 3))) static inline void torvyn_log(torvyn_level level, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  torvyn_log_list(level, format, arguments);
  va_end(arguments);
}

__attribute__((noreturn, format(printf, 3, 4))) static inline void torvyn_panic_at(const char* file, int line,
                                                                                   const char* format, ...) {
  char text[torvyn_log_bytes_max];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  torvyn_log(TORVYN_ERROR, "panicked at %s:%d: %s", file, line, text);
#ifdef __wasm__
  __builtin_trap();
#else
  abort();
#endif
}

/* Says why, as printf does, and where, and ends the instance: for what cannot be true unless the component is wrong. What
 * is wrong with an element is an error: see torvyn/error.h. */
#define torvyn_panic(...) torvyn_panic_at(__FILE__, __LINE__, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
