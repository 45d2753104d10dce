/* What both forms of upper do: ASCII letters become upper case, all other bytes stay. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void upper(uint8_t* bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const uint8_t is_lower = (uint8_t)(bytes[i] - 'a') < 26;
    bytes[i] = (uint8_t)(bytes[i] - (is_lower << 5)); /* no branch: the compiler does 16 bytes at a time */
  }
}
