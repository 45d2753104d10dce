/* word-count: an aggregator that counts words and, at the end of the stream, gives one element "COUNT WORD\n" a word:
 * the most frequent first, equally frequent ones in the order of their bytes. No settings.
 *
 * A word is what stands between ASCII white space; the end of an element ends a word too. Memory grows with the number of
 * different words. Takes and gives runs: one element a call could hand over no more results at the end than it may hold
 * handles. */
#include "torvyn/batch_stream_aggregator.h"

#include "../common/batch.h"
#include "../common/bytes.h"

/* Results of one call at the end of the stream. */
enum { flush_lines_max = 1024 };

/* An open hash table with linear probing, at most 3/4 full; the words' bytes lie back to back in `text`. */
typedef struct {
  size_t start; /* in text */
  uint32_t size;
  uint32_t hash;
  uint64_t count; /* 0: a free slot */
} word_t;

static bytes_t text;
static word_t* slots;
static size_t slot_count; /* a power of two */
static size_t word_count;
static bool sorted;  /* the table has become a list, and is being given out */
static size_t given; /* words of that list that have been */

static uint32_t hash_of(const uint8_t* bytes, size_t size) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

static word_t* find_slot(word_t* table, size_t count, uint32_t hash, const uint8_t* bytes, size_t size) {
  for (size_t at = hash & (count - 1);; at = (at + 1) & (count - 1)) {
    word_t* const slot = &table[at];
    if (slot->count == 0) return slot;
    if (slot->hash == hash && slot->size == size && memcmp(text.ptr + slot->start, bytes, size) == 0) return slot;
  }
}

static void grow(void) {
  const size_t larger_count = slot_count == 0 ? 1024 : slot_count * 2;
  word_t* const larger = calloc(larger_count, sizeof *larger);
  if (larger == NULL) __builtin_trap();
  for (size_t i = 0; i < slot_count; ++i) {
    const word_t* const word = &slots[i];
    if (word->count != 0) *find_slot(larger, larger_count, word->hash, text.ptr + word->start, word->size) = *word;
  }
  free(slots);
  slots = larger;
  slot_count = larger_count;
}

static void count_word(const uint8_t* bytes, size_t size) {
  if (4 * (word_count + 1) > 3 * slot_count) grow();
  const uint32_t hash = hash_of(bytes, size);
  word_t* const slot = find_slot(slots, slot_count, hash, bytes, size);
  if (slot->count++ != 0) return;
  slot->start = text.len;
  slot->size = (uint32_t)size;
  slot->hash = hash;
  bytes_add(&text, bytes, size);
  word_count++;
}

static bool is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

static int compare_words(const void* left, const void* right) {
  const word_t* const a = left;
  const word_t* const b = right;
  if (a->count != b->count) return a->count > b->count ? -1 : 1;
  const int order = memcmp(text.ptr + a->start, text.ptr + b->start, a->size < b->size ? a->size : b->size);
  return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

bool exports_torvyn_streaming_lifecycle_init(torvyn_string_t* config,
                                             exports_torvyn_streaming_lifecycle_process_error_t* error) {
  torvyn_string_free(config);
  return true;
}

bool exports_torvyn_batching_batch_aggregator_ingest(batch_t input, writer_t output, batch_error_t* error) {
  packed_t run;
  torvyn_batching_types_method_batch_read(input, &run);
  for (size_t i = 0; i < run.ends.len; ++i) {
    const uint8_t* at = packed_bytes(&run, i);
    const uint8_t* const end = at + packed_size(&run, i);
    while (at < end) {
      while (at < end && is_space(*at)) at++;
      const uint8_t* const start = at;
      while (at < end && !is_space(*at)) at++;
      if (at > start) count_word(start, (size_t)(at - start));
    }
  }
  torvyn_batching_types_packed_free(&run);
  torvyn_batching_types_batch_drop_borrow(input);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  return true;
}

/* The table is of no more use: its words move to the front and are sorted there. */
static void sort_words(void) {
  size_t count = 0;
  for (size_t i = 0; i < slot_count; ++i) {
    if (slots[i].count != 0) slots[count++] = slots[i];
  }
  qsort(slots, count, sizeof *slots, compare_words);
  sorted = true;
}

bool exports_torvyn_batching_batch_aggregator_flush(writer_t output, bool* again, process_error_t* error) {
  if (!sorted) sort_words();
  bytes_t lines = {0};
  uint32_t ends[flush_lines_max];
  size_t count = 0;
  for (; count < flush_lines_max && given < word_count; ++count, ++given) {
    bytes_add_number(&lines, slots[given].count);
    bytes_add_byte(&lines, ' ');
    bytes_add(&lines, text.ptr + slots[given].start, slots[given].size);
    bytes_add_byte(&lines, '\n');
    ends[count] = (uint32_t)lines.len;
  }

  torvyn_string_t type;
  torvyn_string_set(&type, "text/plain"); /* lent for the call */
  torvyn_batching_types_method_batch_writer_set_content_type(output, &type);
  torvyn_list_u8_t bytes = {lines.ptr, lines.len};
  torvyn_list_u32_t ends_list = {ends, count};
  torvyn_list_u32_t no_origins = {NULL, 0};
  torvyn_batching_types_emit_error_t why;
  const bool good = torvyn_batching_types_method_batch_writer_emit(output, &bytes, &ends_list, &no_origins, &why);
  if (!good) {
    torvyn_batching_types_emit_error_free(&why);
    fail_internal(error, "the host did not take the counts");
  }
  bytes_free(&lines);
  torvyn_batching_types_batch_writer_drop_borrow(output);
  *again = given < word_count;
  return good;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
