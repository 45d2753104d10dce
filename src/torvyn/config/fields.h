// Keys of a table into fields of a struct. Inside this folder only, and only behind `apply_schema`: types, ranges and choices are as the
// schema says, and a key that is not there leaves its field alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/config/capability.h"
#include "torvyn/config/document.h"
#include "torvyn/types/assert.h"

namespace torvyn::config {

// A word of a manifest and what it means.
template <class T>
using Choice = std::pair<std::string_view, T>;

template <class T, std::size_t Count>
T meaning_of(std::string_view word, const Choice<T> (&choices)[Count]) {
  const auto found = std::ranges::find(choices, word, &Choice<T>::first);
  TORVYN_ASSERT(found != std::end(choices), "the schema has no choice that is not here");
  return found->second;
}

inline void read_text(const Value& table, std::string_view key, std::string& target) {
  if (const Value* value = table.find(key)) target = value->text;
}

inline void read_texts(const Value& table, std::string_view key, std::vector<std::string>& target) {
  const Value* const list = table.find(key);
  if (list == nullptr) return;
  target.clear();
  for (const Value& item : list->items) target.push_back(item.text);
}

inline void read_capabilities(const Value& table, std::string_view key, std::vector<Capability>& target) {
  const Value* const list = table.find(key);
  if (list == nullptr) return;
  target.clear();
  for (const Value& item : list->items) target.push_back(*parse_capability(item.text));
}

// Into any integer that holds the schema's range.
template <class T>
void read_quantity(const Value& table, std::string_view key, T& target) {
  if (const Value* value = table.find(key)) target = static_cast<T>(value->quantity);
}
template <class T>
void read_quantity(const Value& table, std::string_view key, std::optional<T>& target) {
  if (const Value* value = table.find(key)) target = static_cast<T>(value->quantity);
}

// A ratio or share.
template <class T>
void read_number(const Value& table, std::string_view key, T& target) {
  if (const Value* value = table.find(key)) target = value->number;
}

template <class T, class Meaning, std::size_t Count>
void read_choice(const Value& table, std::string_view key, const Choice<Meaning> (&choices)[Count], T& target) {
  if (const Value* value = table.find(key)) target = meaning_of(value->text, choices);
}

inline constexpr Choice<FullPolicy> full_policies[] = {
    {"block", FullPolicy::block},
    {"drop-oldest", FullPolicy::drop_oldest},
    {"drop-newest", FullPolicy::drop_newest},
    {"error", FullPolicy::error},
};

inline constexpr Choice<ObservabilityLevel> observability_levels[] = {
    {"off", ObservabilityLevel::off},
    {"production", ObservabilityLevel::production},
    {"diagnostic", ObservabilityLevel::diagnostic},
};

// An edge's own or the runtime's, which calls the depth differently.
template <class T>
void read_stream(const Value& table, std::string_view depth_key, T& stream) {
  read_quantity(table, depth_key, stream.queue_depth);
  read_quantity(table, "queue_bytes", stream.queue_bytes);
  read_choice(table, "backpressure_policy", full_policies, stream.full_policy);
  read_number(table, "low_watermark_ratio", stream.low_watermark_ratio);
}

}  // namespace torvyn::config
