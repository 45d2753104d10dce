/* Bytes that grow: for outputs and messages. Small on purpose: the C library's formatting would double a component's
 * size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint8_t* ptr; /* malloc'ed: may be given away as a torvyn string or list, or freed with bytes_free */
  size_t len;
  size_t capacity;
} bytes_t;

/* Room for `extra` more bytes. Traps when the guest's memory is used up: the host then says how much was asked for. */
static inline void bytes_reserve(bytes_t* bytes, size_t extra) {
  if (bytes->capacity - bytes->len >= extra) return;
  size_t capacity = bytes->capacity * 2;
  if (capacity < bytes->len + extra) capacity = bytes->len + extra;
  if (capacity < 64) capacity = 64;
  uint8_t* const ptr = realloc(bytes->ptr, capacity);
  if (ptr == NULL) __builtin_trap();
  bytes->ptr = ptr;
  bytes->capacity = capacity;
}

static inline void bytes_add(bytes_t* bytes, const void* data, size_t size) {
  bytes_reserve(bytes, size);
  memcpy(bytes->ptr + bytes->len, data, size);
  bytes->len += size;
}

static inline void bytes_add_byte(bytes_t* bytes, uint8_t byte) { bytes_add(bytes, &byte, 1); }

static inline void bytes_add_text(bytes_t* bytes, const char* text) { bytes_add(bytes, text, strlen(text)); }

static inline void bytes_add_number(bytes_t* bytes, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  bytes_add(bytes, digits + at, sizeof digits - at);
}

static inline void bytes_free(bytes_t* bytes) {
  free(bytes->ptr);
  *bytes = (bytes_t){0};
}
