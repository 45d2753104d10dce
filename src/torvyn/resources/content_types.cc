#include "torvyn/resources/content_types.h"

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <new>
#include <string>

#include "torvyn/types/assert.h"
#include "torvyn/types/utf8.h"

namespace torvyn::resources {
namespace {

// Half full at most: a probe ends soon, and always at an empty cell.
constexpr std::size_t cell_count = std::size_t{2} * content_types_max;
static_assert((cell_count & (cell_count - 1)) == 0);

struct Entry {
  std::size_t hash;
  ContentTypeId id;
  std::string text;
};

}  // namespace

// Entries are made once and stay: a reader that sees a pointer sees a finished entry, and needs nothing else. Cells
// fill and never empty, so a probe that meets an empty cell has proved that the text was not there when it looked.
struct ContentTypes::Impl {
  std::array<std::atomic<const Entry*>, cell_count> cells{};
  std::array<std::atomic<const Entry*>, content_types_max> by_id{};
  std::mutex inserting;
  ContentTypeId count = 0;  // under `inserting`

  ~Impl() {
    for (const auto& entry : by_id) delete entry.load(std::memory_order_relaxed);
  }

  // The entry of `text`, or null; `cell` is then the empty cell where it belongs.
  const Entry* probe(std::string_view text, std::size_t hash, std::size_t& cell) const noexcept {
    for (cell = hash & (cell_count - 1);; cell = (cell + 1) & (cell_count - 1)) {
      const Entry* const entry = cells[cell].load(std::memory_order_acquire);
      if (entry == nullptr || (entry->hash == hash && entry->text == text)) return entry;
    }
  }
};

ContentTypes::ContentTypes() : impl_(std::make_unique<Impl>()) {
  const ContentTypeId empty = intern("");
  TORVYN_ASSERT(empty == 0, "the empty content type is the first");
}

ContentTypes::~ContentTypes() = default;

ContentTypeId ContentTypes::intern(std::string_view text) noexcept {
  std::uint32_t room = content_types_max;
  return intern(text, room);
}

ContentTypeId ContentTypes::intern(std::string_view text, std::uint32_t& room) noexcept {
  if (text.size() > content_type_bytes_max) return content_type_rejected;
  const std::size_t hash = std::hash<std::string_view>{}(text);
  std::size_t cell = 0;
  if (const Entry* const known = impl_->probe(text, hash, cell)) return known->id;

  const std::scoped_lock lock(impl_->inserting);
  // Somebody may have been faster.
  if (const Entry* const known = impl_->probe(text, hash, cell)) return known->id;
  if (room == 0 || impl_->count == content_types_max || !is_utf8(text)) return content_type_rejected;
  try {
    const Entry* const entry = new Entry{hash, impl_->count, std::string(text)};
    impl_->by_id[entry->id].store(entry, std::memory_order_release);
    impl_->cells[cell].store(entry, std::memory_order_release);
    --room;
    return impl_->count++;
  } catch (const std::bad_alloc&) {
    return content_type_rejected;
  }
}

std::string_view ContentTypes::text(ContentTypeId id) const noexcept {
  const Entry* const entry = id < content_types_max ? impl_->by_id[id].load(std::memory_order_acquire) : nullptr;
  TORVYN_ASSERT(entry != nullptr, "a content type id that the interner never gave");
  return entry->text;
}

}  // namespace torvyn::resources
