/* {{name}}: a filter that keeps the elements containing a text.
 *
 * Setting: `pattern`, the text (main setting; needed). */
#include <torvyn/filter.h>

static const char* pattern;

static bool configure(torvyn_settings* settings) {
  torvyn_setting_is_main(settings, "pattern"); /* torvyn run 'stdin ! {{name}}.wasm ERROR ! stdout' */
  if (!torvyn_setting_text(settings, "pattern", &pattern)) return false;
  return pattern != NULL || torvyn_fail(TORVYN_INVALID_INPUT, "no pattern: give pattern=TEXT");
}

static bool matches(const torvyn_element* in) {
  const size_t size = strlen(pattern);
  for (size_t at = 0; at + size <= in->size; ++at) {
    if (memcmp(in->bytes + at, pattern, size) == 0) return true;
  }
  return false;
}

TORVYN_FILTER(matches, .init = configure)
