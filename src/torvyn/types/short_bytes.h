// Copies and comparisons of bytes that are mostly few: those of 8 to 16, as many elements and content types are, go in two words, where a call
// would be most of the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace torvyn {

namespace short_bytes {

inline constexpr std::size_t word = 8;  // bytes
constexpr bool is_two_words(std::size_t bytes) noexcept { return bytes >= word && bytes <= 2 * word; }
inline std::uint64_t word_at(std::string_view text, std::size_t at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, text.substr(at, word).data(), word);
  return value;
}

}  // namespace short_bytes

// Requires: room for them at `to`, which is no part of them.
inline void copy_bytes(std::byte* to, std::span<const std::byte> from) noexcept {
  using short_bytes::word;
  if (short_bytes::is_two_words(from.size())) {
    std::memcpy(to, from.data(), word);
    std::memcpy(to + from.size() - word, from.last(word).data(), word);
  } else if (!from.empty()) {
    std::memcpy(to, from.data(), from.size());
  }
}

inline bool same_text(std::string_view a, std::string_view b) noexcept {
  using short_bytes::word_at;
  if (a.size() != b.size()) return false;
  if (!short_bytes::is_two_words(a.size())) return a == b;
  const std::size_t last = a.size() - short_bytes::word;
  return word_at(a, 0) == word_at(b, 0) && word_at(a, last) == word_at(b, last);
}

}  // namespace torvyn
