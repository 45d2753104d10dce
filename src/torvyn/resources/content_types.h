// Content types as small numbers: compared and passed on without touching text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "torvyn/types/element_meta.h"

namespace torvyn::resources {

// Most different content types in one host, and bytes in one: both far beyond real use, there so that a component that
// makes them up can't grow the host.
inline constexpr std::uint32_t content_types_max = 4096;
inline constexpr std::size_t content_type_bytes_max = 255;
// Of those, most that one component may bring along: one that makes them up leaves room for the others.
inline constexpr std::uint32_t content_types_brought_max = 256;
inline constexpr ContentTypeId content_type_rejected = 0xffffffffU;

// An interner. Id 0 is "". Texts live as long as the interner.
// Thread: any, all at once. `intern` of a known text and `text` take no lock and allocate nothing.
class ContentTypes {
 public:
  ContentTypes();
  ~ContentTypes();
  ContentTypes(const ContentTypes&) = delete;
  ContentTypes& operator=(const ContentTypes&) = delete;

  // The id of `text`, the same one for as long as the interner lives; content_type_rejected where it is too long or not
  // UTF-8, or new while the table is full or memory has run out.
  ContentTypeId intern(std::string_view text) noexcept;
  // As `intern`; a text that is new here takes one of `room`, and is rejected where that is 0.
  ContentTypeId intern(std::string_view text, std::uint32_t& room) noexcept;
  // Requires: `id` came from intern. UTF-8.
  std::string_view text(ContentTypeId id) const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace torvyn::resources
