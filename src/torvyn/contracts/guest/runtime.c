/* Linked into every component that `torvyn build` makes of C or C++. Last words, a failed assertion or a C++ library's
 * abort, go to torvyn:diagnostics before the trap: the C libraries would write them to stderr, and so bring WASI into
 * components that otherwise need none. What a component does not use leaves no trace in it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { level_error = 4, text_bytes_max = 512 };

__attribute__((import_module("torvyn:diagnostics/log@0.1.0"), import_name("log"))) void torvyn_runtime_log(
    int32_t level, const char* text, size_t size);

/* The host knows the last words of a panic by how they begin: "panicked at FILE:LINE: " or "panicked: ". */
static _Noreturn void die(const char* format, va_list arguments) {
  static const char begin[] = "panicked: ";
  char text[text_bytes_max] = "panicked: ";
  const size_t room = sizeof text - (sizeof begin - 1);
  const int size = vsnprintf(text + sizeof begin - 1, room, format, arguments);
  if (size > 0)
    torvyn_runtime_log(level_error, text, sizeof begin - 1 + ((size_t)size < room ? (size_t)size : room - 1));
  __builtin_trap();
}

/* assert() */
_Noreturn void __assert_fail(const char* expression, const char* file, int line, const char* function) {
  char text[text_bytes_max];
  (void)function; /* it stands in the backtrace */
  const int size = snprintf(text, sizeof text, "panicked at %s:%d: assertion `%s` failed", file, line, expression);
  if (size > 0) torvyn_runtime_log(level_error, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
  __builtin_trap();
}

/* Who called it stands in the backtrace. */
_Noreturn void abort(void) {
  static const char text[] = "panicked: abort() was called";
  torvyn_runtime_log(level_error, text, sizeof text - 1);
  __builtin_trap();
}

/* Makes room for what the host hands over. No word when there is none: a component may not call out from here, and the
 * host knows of the memory that could not grow. */
__attribute__((export_name("cabi_realloc"))) void* cabi_realloc(void* memory, size_t old_size, size_t align,
                                                                size_t size) {
  (void)old_size;
  if (size == 0) return (void*)align;
  void* const resized = realloc(memory, size);
  if (resized == NULL) __builtin_trap();
  return resized;
}

/* libc++abi: std::terminate and what leads there. */
_Noreturn void abort_message(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  die(format, arguments);
}

/* libc++: std::__libcpp_verbose_abort(char const*, ...), called where an exception would be thrown if there were any.
 * Its inline namespace is libc++'s ABI version: 1, or 2 as Debian builds it. */
#define TORVYN_VERBOSE_ABORT(abi)                                                                                  \
  _Noreturn void torvyn_runtime_verbose_abort_##abi(const char* format,                                            \
                                                    ...) __asm__("_ZNSt3__" #abi "22__libcpp_verbose_abortEPKcz"); \
  _Noreturn void torvyn_runtime_verbose_abort_##abi(const char* format, ...) {                                     \
    va_list arguments;                                                                                             \
    va_start(arguments, format);                                                                                   \
    die(format, arguments);                                                                                        \
  }
TORVYN_VERBOSE_ABORT(1)
TORVYN_VERBOSE_ABORT(2)

/* wasi-libc: formatting into memory, as snprintf does, would keep stdout and stderr alive to flush them at exit, and
 * so need WASI. Components don't exit; what uses stdout all the same still works, and flushes for itself. */
void __stdio_exit_needed(void) {}
