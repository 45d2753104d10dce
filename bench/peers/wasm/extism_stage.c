/* The three stages as one Extism plug-in, over the bare functions of its host: no development kit between. */
#include <stdint.h>

#include "components/c/hello-source/hello_lines.h"
#include "components/c/upper/upper_core.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define HOST(name) __attribute__((import_module("extism:host/env"), import_name(name)))

HOST("input_length") uint64_t input_length(void);
HOST("input_load_u64") uint64_t input_load_u64(uint64_t offset);
HOST("input_load_u8") uint32_t input_load_u8(uint64_t offset);
HOST("alloc") uint64_t host_alloc(uint64_t size);
HOST("store_u64") void store_u64(uint64_t offset, uint64_t value);
HOST("store_u8") void store_u8(uint64_t offset, uint32_t value);
HOST("output_set") void output_set(uint64_t offset, uint64_t size);

static uint8_t bytes[4 << 20];
static hello_t hello;
static uint64_t elements;

static uint64_t read_input(void) {
  const uint64_t size = input_length();
  uint64_t at = 0;
  for (; at + 8 <= size; at += 8) {
    const uint64_t word = input_load_u64(at);
    memcpy(bytes + at, &word, 8);
  }
  for (; at < size; ++at) bytes[at] = (uint8_t)input_load_u8(at);
  return size;
}

static void write_output(uint64_t size) {
  const uint64_t output = host_alloc(size);
  uint64_t at = 0;
  for (; at + 8 <= size; at += 8) {
    uint64_t word;
    memcpy(&word, bytes + at, 8);
    store_u64(output + at, word);
  }
  for (; at < size; ++at) store_u8(output + at, bytes[at]);
  output_set(output, size);
}

/* Given the bytes of an element and how many are wanted. */
EXPORT("pull") int32_t pull(void) {
  const uint64_t each = input_load_u64(0);
  const uint64_t run = input_load_u64(8);
  if (hello.size == 0) {
    hello_start(&hello, UINT64_MAX, each);
    memset(bytes, '.', sizeof bytes);
  }
  uint64_t size = 0;
  for (uint64_t i = 0; i < run; ++i) size += hello_write(&hello, bytes + size);
  write_output(size);
  return 0;
}

EXPORT("process") int32_t process(void) {
  const uint64_t size = read_input();
  upper(bytes, size);
  write_output(size);
  return 0;
}

EXPORT("push") int32_t push(void) {
  read_input();
  elements++;
  return 0;
}
