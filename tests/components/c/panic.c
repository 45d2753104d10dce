/* panic: says its last words as an SDK's panic does, then traps. */
#include "torvyn/managed_transform.h"

#include <string.h>

#include "misbehave.h"

__attribute__((import_module("torvyn:diagnostics/log@0.1.0"), import_name("log"))) void tell(int32_t level,
                                                                                             const char* text,
                                                                                             size_t size);

/* By the name of a function of Rust's standard library. */
__attribute__((noinline, noreturn)) void panic_fmt(void) __asm__("core[14d469399b14da0]::panicking::panic_fmt");
void panic_fmt(void) { __builtin_trap(); }

static void say(const char* text) { tell(4, text, strlen(text)); }

static bool panic_at(stream_element_t* input, torvyn_streaming_types_process_result_t* result, process_error_t* error) {
  say("about to look");
  say("panicked at src/lib.rs:8:5: I cannot shout this: \"hello 2\"");
  panic_fmt();
  return pass(input, result, error);
}

MISBEHAVING_PROCESSOR(panic_at)
