/* word-count: an aggregator that counts words and, at the end of the stream, gives one element "COUNT WORD\n" a word: the most
 * frequent first, equally frequent ones in the order of their bytes. No settings.
 *
 * A word is what stands between ASCII white space; the end of an element ends a word too. Memory grows with the number of
 * different words. */
#include "torvyn/stream_aggregator.h"

#include "../common/element.h"
#include "../common/output.h"

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

bool exports_torvyn_aggregation_aggregator_ingest(exports_torvyn_aggregation_aggregator_stream_element_t* element,
                                                  exports_torvyn_aggregation_aggregator_option_output_element_t* result,
                                                  exports_torvyn_aggregation_aggregator_process_error_t* error) {
  torvyn_list_u8_t bytes = take_payload(element);
  size_t at = 0;
  while (at < bytes.len) {
    while (at < bytes.len && is_space(bytes.ptr[at])) at++;
    const size_t start = at;
    while (at < bytes.len && !is_space(bytes.ptr[at])) at++;
    if (at > start) count_word(bytes.ptr + start, at - start);
  }
  torvyn_list_u8_free(&bytes);
  torvyn_string_free(&element->meta.content_type);
  result->is_some = false;
  return true;
}

bool exports_torvyn_aggregation_aggregator_flush(exports_torvyn_aggregation_aggregator_list_output_element_t* result,
                                                 exports_torvyn_aggregation_aggregator_process_error_t* error) {
  /* The table is of no more use: its words move to the front and are sorted there. */
  size_t count = 0;
  for (size_t i = 0; i < slot_count; ++i) {
    if (slots[i].count != 0) slots[count++] = slots[i];
  }
  qsort(slots, count, sizeof *slots, compare_words);

  torvyn_streaming_types_output_element_t* const outputs = calloc(count == 0 ? 1 : count, sizeof *outputs);
  if (outputs == NULL) __builtin_trap();
  bytes_t line = {0};
  size_t made = 0;
  bool good = true;
  for (; good && made < count; made += good) {
    line.len = 0;
    bytes_add_number(&line, slots[made].count);
    bytes_add_byte(&line, ' ');
    bytes_add(&line, text.ptr + slots[made].start, slots[made].size);
    bytes_add_byte(&line, '\n');
    good = make_buffer(line.ptr, line.len, &outputs[made].payload, error);
    if (good) torvyn_string_dup(&outputs[made].meta.content_type, "text/plain");
  }
  bytes_free(&line);

  *result = (exports_torvyn_aggregation_aggregator_list_output_element_t){outputs, made};
  if (!good) {
    for (size_t i = 0; i < made; ++i) {
      torvyn_streaming_types_buffer_drop_own(outputs[i].payload);
      torvyn_string_free(&outputs[i].meta.content_type);
    }
    free(outputs);
  } else if (made == 0) {
    free(outputs);
    result->ptr = NULL;
  }
  return good;
}

void exports_torvyn_streaming_lifecycle_teardown(void) {}
