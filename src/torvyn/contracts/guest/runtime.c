/* Linked into every component that `torvyn build` makes of C or C++. Last words, a failed assertion or a C++ library's
 * abort, go to torvyn:diagnostics before the trap: the C libraries would write them to stderr, and so bring WASI into
 * components that otherwise need none. What a component does not use leaves no trace in it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { level_error = 4, text_bytes_max = 512 };

__attribute__((import_module("torvyn:diagnostics/log@0.1.0"), import_name("log"))) void torvyn_runtime_log(
    int32_t level, const char* text, size_t size);

static _Noreturn void die(const char* format, va_list arguments) {
  char text[text_bytes_max];
  const int size = vsnprintf(text, sizeof text, format, arguments);
  if (size > 0) torvyn_runtime_log(level_error, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
  __builtin_trap();
}

static _Noreturn void die_of(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  die(format, arguments);
}

/* assert() */
_Noreturn void __assert_fail(const char* expression, const char* file, int line, const char* function) {
  die_of("assertion `%s` failed in %s at %s:%d", expression, function, file, line);
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
