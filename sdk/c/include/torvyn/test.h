/* For tests on the host machine: an author's functions are ordinary C functions, and this makes what they are given.
 *
 *   #include <assert.h>
 *   #include <torvyn/test.h>
 *   #include "../src/shout.c"
 *
 *   int main(void) {
 *     torvyn_output out = {0};
 *     const torvyn_element in = torvyn_test_element("hello");
 *     assert(shout(&in, &out));
 *     assert(out.count == 1 && torvyn_output_is(&out, 0, "HELLO"));
 *     torvyn_output_free(&out);
 *   }
 *
 * A source that is included defines `torvyn_component` with its functions. */
#pragma once

#include "torvyn/element.h"
#include "torvyn/error.h"
#include "torvyn/output.h"
#include "torvyn/settings.h"

/* An element of a text, which is not copied. */
static inline torvyn_element torvyn_test_element(const char* text) {
  const torvyn_element element = {(const uint8_t*)text, strlen(text), NULL, NULL, 0};
  return element;
}

/* Starts a component as the host does, with settings as JSON; NULL: none. False: torvyn_test_error says why. The settings are never
 * freed: a component may keep their texts. */
static inline bool torvyn_test_init(bool (*init)(torvyn_settings*), const char* json) {
  static torvyn_settings* kept[64]; /* reachable, so that no leak is reported */
  static size_t count;
  torvyn_settings* const settings = (torvyn_settings*)calloc(1, sizeof *settings);
  if (settings == NULL || count == sizeof kept / sizeof *kept) torvyn_panic("too many settings for one test");
  kept[count++] = settings;
  return torvyn_configure(settings, init, json == NULL ? "" : json, json == NULL ? 0 : strlen(json));
}

/* The text of the last error; "" where there was none since torvyn_clear_error. */
static inline const char* torvyn_test_error(void) { return torvyn_call_state.failed ? torvyn_call_state.text : ""; }
