/* The lines of hello-source, without anything of Torvyn's: bench/peers has other frameworks pass on the same. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  hello_text_bytes_max = 6 + 20 + 1, /* "hello ", the longest number, "\n" */
};

typedef struct {
  uint64_t next;
  uint64_t count;
  size_t size;                        /* of an element at least; 0: as long as its text */
  uint8_t line[hello_text_bytes_max]; /* "hello ", `next`, and dots to the end */
  size_t text_size;                   /* of it, without the dots */
} hello_t;

/* From 0, `count` of them. */
static inline void hello_start(hello_t* hello, uint64_t count, size_t size) {
  memset(hello, 0, sizeof *hello);
  hello->count = count;
  hello->size = size;
  hello->text_size = 7;
  memset(hello->line, '.', sizeof hello->line);
  memcpy(hello->line, "hello 0", 7);
}

/* Most bytes one element takes. */
static inline size_t hello_element_bytes_max(const hello_t* hello) {
  return hello->size > hello_text_bytes_max ? hello->size : (size_t)hello_text_bytes_max;
}

/* To the next number. Its text is counted up in place: dividing would cost more than all the rest. */
static inline void hello_step(hello_t* hello) {
  hello->next++;
  size_t at = hello->text_size - 1;
  while (hello->line[at] == '9') hello->line[at--] = '0';
  if (hello->line[at] != ' ') {
    hello->line[at]++;
    return;
  }
  hello->line[at + 1] = '1'; /* 99 has become 00, and now 100 */
  hello->line[hello->text_size++] = '0';
}

/* Writes the next element at `at` and returns its size; at least hello_text_bytes_max bytes there may be written to. Beyond those the
 * padding of hello_make_room is left as it is: writing a large element costs no more than a small one. */
static inline size_t hello_write(hello_t* hello, uint8_t* at) {
  memcpy(at, hello->line, hello_text_bytes_max);
  const size_t text_size = hello->text_size;
  const size_t end = hello->size > text_size + 1 ? hello->size - 1 : text_size;
  at[end] = '\n';
  hello_step(hello);
  return end + 1;
}
