/* The settings: what is read, what is refused, and that no text at all reads or frees what it must not (with the
 * sanitizers). */
#undef NDEBUG
#include <assert.h>
#include <torvyn/test.h>

static torvyn_settings settings;

static bool parse(const char* json) {
  torvyn_settings_free(&settings);
  torvyn_clear_error();
  return torvyn_settings_parse(&settings, json, strlen(json));
}

static const char* text_of(const char* name) {
  const char* value = "absent";
  assert(torvyn_setting_text(&settings, name, &value));
  return value;
}

static void reads_texts_numbers_and_flags(void) {
  assert(parse(" { \"a\" : \"x\", \"b\":12, \"c\":true , \"d\":-1.5e3,\"e\":null } "));
  assert(strcmp(text_of("a"), "x") == 0);
  assert(strcmp(text_of("b"), "12") == 0);
  assert(strcmp(text_of("e"), "absent") == 0);
  assert(strcmp(text_of("f"), "absent") == 0);
  uint64_t number = 7;
  assert(torvyn_setting_number(&settings, "b", &number) && number == 12);
  assert(torvyn_setting_number(&settings, "f", &number) && number == 12);
  bool flag = false;
  assert(torvyn_setting_flag(&settings, "c", &flag) && flag);
  double decimal = 0;
  assert(torvyn_setting_decimal(&settings, "d", &decimal) && decimal == -1500);
}

static void reads_numbers_out_of_texts(void) {
  assert(parse("{\"n\":\"18446744073709551615\",\"f\":\"false\",\"d\":\"2.5\"}"));
  uint64_t number = 0;
  assert(torvyn_setting_number(&settings, "n", &number) && number == UINT64_MAX);
  bool flag = true;
  assert(torvyn_setting_flag(&settings, "f", &flag) && !flag);
  double decimal = 0;
  assert(torvyn_setting_decimal(&settings, "d", &decimal) && decimal == 2.5);
}

static void refuses_what_is_none(void) {
  static const char* const wrong[] = {"-1", "1.5", "18446744073709551616", "\"\"", "\"1 \"", "true", "1e3"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    char json[64];
    snprintf(json, sizeof json, "{\"n\":%s}", wrong[i]);
    uint64_t number = 7;
    assert(parse(json) && !torvyn_setting_number(&settings, "n", &number) && number == 7);
    assert(strstr(torvyn_test_error(), "`n` is \"") != NULL);
  }
  bool flag = false;
  assert(parse("{\"f\":\"yes\"}") && !torvyn_setting_flag(&settings, "f", &flag));
  double decimal = 0;
  assert(parse("{\"d\":\"0x10\"}") && !torvyn_setting_decimal(&settings, "d", &decimal));
  assert(parse("{\"d\":\"nan\"}") && !torvyn_setting_decimal(&settings, "d", &decimal));
}

static void reads_escapes(void) {
  assert(parse("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}"));
  assert(strcmp(text_of("a"), "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == 0);
}

static void takes_the_last_of_two(void) {
  assert(parse("{\"a\":1,\"a\":2}"));
  assert(strcmp(text_of("a"), "2") == 0);
  assert(torvyn_settings_all_asked_for(&settings));
}

static void takes_bare_text_as_the_main_setting(void) {
  assert(parse("ERROR 7"));
  torvyn_setting_is_main(&settings, "pattern");
  assert(strcmp(text_of("pattern"), "ERROR 7") == 0);
  assert(parse("{\"\":\"ERROR\"}"));
  torvyn_setting_is_main(&settings, "pattern");
  assert(strcmp(text_of("pattern"), "ERROR") == 0);
  assert(parse("")); /* nothing was said */
  assert(strcmp(text_of("pattern"), "absent") == 0);
}

static void refuses_what_is_no_flat_object(void) {
  static const char* const wrong[] = {"{",
                                      "{}}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{\"a\":[1]}",
                                      "{\"a\":{}}",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":.5}",
                                      "{\"a\":+1}",
                                      "{\"a\":1e}",
                                      "{\"a\":tru}",
                                      "{\"a\":\"x}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":\"\\ud800\"}",
                                      "{\"a\":1 2}",
                                      "{\"a\":\"\n\"}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\\udc00\"}",
                                      "{\"a\":\"\\ud800\\u0041\"}",
                                      "{,}"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    assert(!parse(wrong[i]));
    assert(strstr(torvyn_test_error(), "no flat JSON object") != NULL);
    assert(settings.count == 0);
  }
}

static bool wants_count(torvyn_settings* given) {
  uint64_t count = 0, size = 0;
  return torvyn_setting_number(given, "count", &count) && torvyn_setting_number(given, "size", &size);
}

static void names_a_setting_that_is_none(void) {
  assert(torvyn_test_init(wants_count, "{\"count\":1}"));
  assert(!torvyn_test_init(wants_count, "{\"cuont\":1}"));
  assert(strcmp(torvyn_test_error(), "unknown setting `cuont`; there are `count`, `size`") == 0);
  assert(!torvyn_test_init(NULL, "{\"count\":1}"));
  assert(strcmp(torvyn_test_error(), "unknown setting `count`: there are none") == 0);
  assert(!torvyn_test_init(wants_count, "3"));
  assert(strcmp(torvyn_test_error(), "\"3\" is no setting: there is none that needs no name") == 0);
  assert(torvyn_test_init(NULL, NULL));
}

/* Every beginning of a text, and every text with one byte changed, is read or refused. */
static void survives_damage(void) {
  static const char good[] = "{\"a\":\"\\u00e9\\ud83d\\ude00x\",\"b\":-12.5e+3,\"c\":false,\"d\":null}";
  size_t read = 0;
  for (size_t size = 0; size < sizeof good; ++size) {
    char* const copy = malloc(size + 1); /* exactly as large, so that reading on is noticed */
    assert(copy != NULL);
    memcpy(copy, good, size);
    torvyn_settings_free(&settings);
    read += torvyn_settings_parse(&settings, copy, size);
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; byte += size + 1 == sizeof good ? 1 : 37) {
        copy[at] = (char)byte;
        torvyn_settings_free(&settings);
        read += torvyn_settings_parse(&settings, copy, size);
      }
      copy[at] = good[at];
    }
    free(copy);
  }
  assert(read > 100);
}

int main(void) {
  reads_texts_numbers_and_flags();
  reads_numbers_out_of_texts();
  refuses_what_is_none();
  reads_escapes();
  takes_the_last_of_two();
  takes_bare_text_as_the_main_setting();
  refuses_what_is_no_flat_object();
  names_a_setting_that_is_none();
  survives_damage();
  torvyn_settings_free(&settings);
}
