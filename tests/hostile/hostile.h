/* What the hostile processors share: settings, and whose turn it is. Include after the header of the world. */
#pragma once

#include "../../components/c/common/element.h"
#include "../../components/c/common/errors.h"
#include "../../components/c/common/settings.h"

/* Reads the number `name` into `out`, which keeps its value where there is none. */
static inline bool number_setting(const torvyn_string_t* config, const char* name, bool is_main, uint64_t* out,
                                  process_error_t* error) {
  setting_t setting;
  switch (setting_find(config->ptr, config->len, name, is_main, &setting)) {
    case SETTING_MALFORMED:
      return fail_invalid(error, "the settings are not a flat JSON object");
    case SETTING_ABSENT:
      return true;
    case SETTING_FOUND:
      break;
  }
  const bool good = setting_to_number(&setting, out) || fail_setting(error, name, setting.text, "a whole number");
  free(setting.text);
  return good;
}

static uint64_t hostile_n = 10;
static uint64_t hostile_seed = 1;

/* Reads `n` (main setting; 10) and `seed` (1). */
static inline bool chance_init(const torvyn_string_t* config, process_error_t* error) {
  return number_setting(config, "n", true, &hostile_n, error) &&
         number_setting(config, "seed", false, &hostile_seed, error);
}

/* One element in `n`, always the same ones for a seed: splitmix64 of seed and sequence. With an `n` of 0 none. */
static inline bool is_hit(uint64_t sequence) {
  uint64_t x = hostile_seed + (sequence + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  x ^= x >> 31;
  return hostile_n != 0 && x % hostile_n == 0;
}
