/* What both forms of count-sink do: count, and say so at the end. */
#pragma once

#include "../common/bytes.h"

typedef struct {
  uint64_t elements;
  uint64_t bytes;
} count_t;

static inline void count_report(const count_t* count) {
  bytes_t text = {0};
  bytes_add_number(&text, count->elements);
  bytes_add_text(&text, " elements, ");
  bytes_add_number(&text, count->bytes);
  bytes_add_text(&text, " bytes");
  torvyn_string_t lent = {text.ptr, text.len};
  torvyn_diagnostics_log_log(TORVYN_DIAGNOSTICS_LOG_LEVEL_INFO, &lent);
  bytes_free(&text);
}
