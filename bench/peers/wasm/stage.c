/* The three stages as bare core modules: one static buffer each, no types, no ownership, no errors. For wazero. */
#include <stdint.h>

#include "components/c/hello-source/hello_lines.h"
#include "components/c/upper/upper_core.h"

enum { room_bytes = 4 << 20 };

#define EXPORT(name) __attribute__((export_name(name)))

static uint8_t bytes[room_bytes];
static hello_t hello;
static uint64_t elements;
static uint64_t elements_upper;

EXPORT("room") uint8_t* room(void) { return bytes; }

EXPORT("start") void start(uint64_t count, uint32_t size) {
  hello_start(&hello, count, size);
  memset(bytes, '.', sizeof bytes);
}

/* Bytes of the next run, back to back; 0 at the end. */
EXPORT("pull") uint32_t pull(uint32_t run) {
  uint32_t size = 0;
  for (uint32_t i = 0; i < run && hello.next < hello.count; ++i) size += (uint32_t)hello_write(&hello, bytes + size);
  return size;
}

EXPORT("process") uint32_t process(uint32_t size) {
  upper(bytes, size);
  return size;
}

/* `each`: bytes of an element. */
EXPORT("push") void push(uint32_t size, uint32_t each) {
  for (uint32_t at = 0; at < size; at += each) {
    elements++;
    elements_upper += bytes[at] == 'H';
  }
}

EXPORT("seen") uint64_t seen(void) { return elements; }
EXPORT("seen_upper") uint64_t seen_upper(void) { return elements_upper; }
