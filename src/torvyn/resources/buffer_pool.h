// Payload memory: buffers in tiers, kept for reuse, referred to by counted slices.
//
//   BufferRef buffer;
//   if (pool->allocate(text.size(), buffer) != AllocateStatus::ok) …
//   std::memcpy(buffer.writable().data(), text.data(), text.size());
//   buffer.set_size(static_cast<std::uint32_t>(text.size()));
//   if (!buffer.apply(BufferAction::publish)) …  // frozen from here: in_transit
//   BufferRef head = buffer.slice(0, 16);        // the same bytes, one reference more
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "torvyn/resources/buffer_state.h"
#include "torvyn/types/assert.h"
#include "torvyn/types/element_meta.h"
#include "torvyn/types/error.h"
#include "torvyn/types/ids.h"
#include "torvyn/types/short_bytes.h"

namespace torvyn::resources {

class BufferPool;

// Tier limits in bytes; a buffer comes from the smallest tier that fits it.
inline constexpr std::uint64_t small_buffer_bytes = std::uint64_t{4} << 10;
inline constexpr std::uint64_t medium_buffer_bytes = std::uint64_t{64} << 10;
inline constexpr std::uint64_t large_buffer_bytes = std::uint64_t{1} << 20;
// Huge buffers come in multiples of this, so that one serves a request of about the same size again.
inline constexpr std::uint64_t huge_buffer_step_bytes = std::uint64_t{1} << 20;
// Offsets into a buffer are 32 bits wide, in memory and in the batch contract.
inline constexpr std::uint64_t buffer_bytes_max = (std::uint64_t{1} << 32) - 1;
// One-off buffers that may live at once, all tiers together: far beyond what queues and handle limits let pile up.
inline constexpr std::uint32_t one_off_buffers_max = 1U << 20;

enum class Tier : std::uint8_t { small, medium, large, huge };
inline constexpr int tier_count = 4;
std::string_view tier_name(Tier tier) noexcept;

// How many buffers each tier keeps, and what happens when one runs out.
struct PoolOptions {
  std::array<std::uint32_t, tier_count> kept{4096, 1024, 256, 32};
  std::uint64_t max_buffer_bytes = std::uint64_t{16} << 20;  // at most buffer_bytes_max, which it is cut to
  bool fallback_alloc = true;  // an exhausted tier allocates one-off buffers; else `exhausted`
};

enum class AllocateStatus : std::uint8_t {
  ok,
  too_large,  // above max_buffer_bytes
  exhausted,  // the tier is used up and fallback_alloc is off, or one_off_buffers_max are out
  no_memory,  // the machine has none
};

// One buffer's bookkeeping; a cache line of its own. Internal to this folder but for BufferRef's inline members.
// All zero is a header that was never used: headers lie in reserved memory and cost none until they are.
// What isn't atomic is written only while no reference exists.
struct alignas(64) BufferHeader {
  std::byte* data = nullptr;
  BufferPool* pool = nullptr;
  std::uint64_t memory_bytes = 0;  // behind `data`; `capacity` is what users see of it
  std::atomic<std::uint32_t> references{0};
  std::atomic<std::uint32_t> loans{0};       // calls that read it now
  std::atomic<std::uint32_t> generation{0};  // 0 until first used
  std::atomic<std::uint32_t> next_free{0};   // slot + 1 of the one below in a FreeStack
  std::atomic<std::uint32_t> size{0};        // bytes written so far
  std::atomic<ContentTypeId> content_type{0};
  std::uint32_t slot = 0;
  std::uint32_t capacity = 0;
  std::atomic<BufferState> state{BufferState::free};  // never `lent`: that is in_transit with loans
  Tier tier = Tier::small;
  bool pooled = false;   // false: a one-off, given back to the machine when released
  bool adopted = false;  // a one-off whose memory is somebody else's
};
static_assert(sizeof(BufferHeader) == 64);

// A counted slice of a buffer: 16 bytes, moved between stages instead of payload bytes. Several slices may share one
// buffer; the buffer returns to its pool when the last one goes.
// Thread: distinct BufferRefs of one buffer may be used by different threads; one BufferRef by one thread at a time.
// While a buffer is being filled (host_owned, guest_writing) its bytes are its owner's alone.
// Lifetime: the pool outlives every reference.
class BufferRef {
 public:
  BufferRef() noexcept = default;
  BufferRef(const BufferRef& other) noexcept : header_(other.header_), offset_(other.offset_), size_(other.size_) {
    if (header_ != nullptr) header_->references.fetch_add(1, std::memory_order_relaxed);
  }
  BufferRef(BufferRef&& other) noexcept
      : header_(std::exchange(other.header_, nullptr)), offset_(other.offset_), size_(other.size_) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(header_, other.header_);
    std::swap(offset_, other.offset_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~BufferRef() { reset(); }

  void reset() noexcept {
    if (header_ != nullptr) drop_references(std::exchange(header_, nullptr), 1);
  }

  explicit operator bool() const noexcept { return header_ != nullptr; }

  // All below requires: not empty-handed (operator bool).

  // The bytes of this slice.
  std::span<const std::byte> bytes() const noexcept { return {header_->data + offset_, size_}; }
  std::uint32_t offset() const noexcept { return offset_; }
  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t capacity() const noexcept { return header_->capacity; }
  ContentTypeId content_type() const noexcept { return header_->content_type.load(std::memory_order_relaxed); }
  BufferState state() const noexcept {
    const BufferState state = header_->state.load(std::memory_order_acquire);
    const bool lent = state == BufferState::in_transit && header_->loans.load(std::memory_order_relaxed) != 0;
    return lent ? BufferState::lent : state;
  }
  // Slot and generation: names this buffer until it is released, and not again before 2^32 - 1 reuses.
  ResourceId id() const noexcept { return {header_->slot, header_->generation.load(std::memory_order_relaxed)}; }
  bool same_buffer(const BufferRef& other) const noexcept { return header_ == other.header_; }
  // For tests and displays: other threads may change it at any time.
  std::uint32_t references() const noexcept { return header_->references.load(std::memory_order_relaxed); }
  std::uint32_t loans() const noexcept { return header_->loans.load(std::memory_order_relaxed); }

  // A slice of this slice. Requires: offset + size <= this->size().
  BufferRef slice(std::uint32_t offset, std::uint32_t size) const noexcept;
  // Takes `count` more references in one step, each to be spent by one `adopt_slice`: cuts a run of elements with one
  // atomic operation.
  void reserve_references(std::uint32_t count) const noexcept {
    header_->references.fetch_add(count, std::memory_order_relaxed);
  }
  BufferRef adopt_slice(std::uint32_t offset, std::uint32_t size) const noexcept {
    return BufferRef(header_, offset_ + offset, size);
  }

  // A step of the state machine. False: the step is illegal here, and nothing happened. `acquire`, `release` and
  // `recycle` are always refused: the pool does them when a buffer is allocated and when its last reference goes.
  // Thread: `lend` and `give_back` from any thread at once; every other step belongs to the one owner.
  [[nodiscard]] bool apply(BufferAction action) noexcept;

  // All memory of the buffer, for whoever fills it. Requires: state host_owned.
  std::span<std::byte> writable() noexcept {
    TORVYN_ASSERT(header_->state.load(std::memory_order_relaxed) == BufferState::host_owned,
                  "the host may fill only what it owns");
    return {header_->data, header_->capacity};
  }
  // Says how much was filled; the slice then covers [0, size). Requires: state host_owned, size <= capacity.
  void set_size(std::uint32_t size) noexcept {
    TORVYN_ASSERT(
        header_->state.load(std::memory_order_relaxed) == BufferState::host_owned && size <= header_->capacity,
        "only the host sets a size, within the capacity");
    grow_to(size);
  }
  // Requires: whoever calls is the owner.
  void set_content_type(ContentTypeId type) noexcept { header_->content_type.store(type, std::memory_order_relaxed); }

  // Writes for a component: false, and nothing written, where it does not fit (`offset` beyond the size, or the end
  // beyond the capacity). The slice then covers [0, buffer size). Requires: state guest_writing.
  [[nodiscard]] bool write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept;

  // Gives back many references to one buffer in one step. Internal: see release_elements.
  static void drop_references(BufferHeader* header, std::uint32_t count) noexcept;
  BufferHeader* detach() noexcept { return std::exchange(header_, nullptr); }

 private:
  friend class BufferPool;
  BufferRef(BufferHeader* header, std::uint32_t offset, std::uint32_t size) noexcept
      : header_(header), offset_(offset), size_(size) {}

  bool sole() const noexcept;
  void grow_to(std::uint32_t size) noexcept {
    header_->size.store(size, std::memory_order_relaxed);
    offset_ = 0;
    size_ = size;
  }

  BufferHeader* header_ = nullptr;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};
static_assert(sizeof(BufferRef) == 16);

inline bool BufferRef::write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  TORVYN_ASSERT(state() == BufferState::guest_writing, "a component wrote to a buffer that it isn't writing");
  const std::uint32_t size = header_->size.load(std::memory_order_relaxed);
  if (offset > size || bytes.size() > header_->capacity - offset) return false;
  copy_bytes(header_->data + offset, bytes);
  grow_to(std::max(size, static_cast<std::uint32_t>(offset + bytes.size())));
  return true;
}

// Whose reference is the only one has the buffer to itself: there is nobody to take another from. Acquire: what others did to it before they
// dropped theirs is done.
inline bool BufferRef::sole() const noexcept { return header_->references.load(std::memory_order_acquire) == 1; }

// Steps but lend and give_back have one owner, so a plain store does: nobody else changes the state. Lending and giving
// back touch only `loans`, so two threads can't undo each other's step, and the state they rest on, in_transit, ends
// only with the last reference, of which each of them holds one. `loans` orders nothing: the bytes were frozen before,
// and the count of references orders the end. Of a buffer that nobody else holds they are counted without an exchange. Inline: callers name the action, and the switch goes away.
inline bool BufferRef::apply(BufferAction action) noexcept {
  BufferHeader& header = *header_;
  switch (action) {
    case BufferAction::acquire:
    case BufferAction::release:
    case BufferAction::recycle:
      return false;
    case BufferAction::lend:
      if (!next_state(state(), action)) return false;
      if (sole()) {
        header.loans.store(header.loans.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      } else {
        header.loans.fetch_add(1, std::memory_order_relaxed);
      }
      return true;
    case BufferAction::give_back: {
      const bool alone = sole();
      std::uint32_t loans = header.loans.load(std::memory_order_relaxed);
      if (alone) {
        if (loans == 0) return false;
        header.loans.store(loans - 1, std::memory_order_relaxed);
        return true;
      }
      do {
        if (loans == 0) return false;
      } while (!header.loans.compare_exchange_weak(loans, loans - 1, std::memory_order_relaxed));
      return true;
    }
    default: {
      const auto next = next_state(state(), action);
      if (!next) return false;
      header.state.store(*next, std::memory_order_release);
      return true;
    }
  }
}

// What one tier has done so far. Counters only grow.
struct TierStats {
  std::uint64_t buffer_bytes = 0;  // 0 for huge
  std::uint64_t capacity = 0;      // buffers kept; of huge ones, those that may be kept
  std::uint64_t available = 0;     // of those, not in use now
  std::uint64_t allocated = 0;     // one-offs too
  std::uint64_t returned = 0;      // one-offs too
  std::uint64_t reused = 0;        // allocations served by a buffer that had been used before
  std::uint64_t fallbacks = 0;     // one-offs
  std::uint64_t exhausted = 0;     // allocations refused
};

// Exact while nobody allocates or releases; otherwise each counter is right for some moment of the call, and
// `available` and `live` are off by what happened between those moments.
struct PoolStats {
  std::array<TierStats, tier_count> tiers;
  std::uint64_t live = 0;  // buffers out of the pool now
};

// The tiers. Small, medium and large reserve address space when the pool is made and commit memory at first touch; huge
// buffers are made on demand and kept up to their number.
// Thread: every member may be called from any thread at once. While a tier has buffers, allocating and releasing small,
// medium and large ones takes no lock and enters no allocator; a few threads (8 by default) have a 32nd of a tier's free ones at hand, 128 at most,
// which the others don't get. Huge ones take a short lock; making one of them or a
// one-off enters the allocator.
class BufferPool {
 public:
  // Errors: E0300 where the address space cannot be reserved.
  static Result<std::unique_ptr<BufferPool>> create(const PoolOptions& options);
  // Requires: every reference is gone.
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A buffer of at least `capacity_hint` bytes: state host_owned, size 0, no content type, one reference. Its capacity
  // depends on the hint alone: the tier's size, or the next multiple of huge_buffer_step_bytes, and max_buffer_bytes at
  // most. Its bytes are whatever the user before left there. `out` is untouched where there is none.
  [[nodiscard]] AllocateStatus allocate(std::uint64_t capacity_hint, BufferRef& out) noexcept;

  // A buffer of memory that somebody else has: in_transit, with all of `bytes` in it, one reference. `release` is called once, when the last
  // reference goes, on whichever thread that is; it throws nothing. `bytes` stay as they are until then. Where there is no buffer, `out` is untouched and
  // `release` is not called. Counts as a one-off; enters the allocator and takes a short lock.
  // Status: too_large, exhausted as `allocate`; an empty-handed `release` is fine.
  [[nodiscard]] AllocateStatus adopt(std::span<const std::byte> bytes, std::function<void()> release,
                                     BufferRef& out) noexcept;

  std::uint64_t max_buffer_bytes() const noexcept;
  PoolStats stats() const noexcept;

  // Gives the memory of free buffers back to the machine; the buffers stay, and so does the memory of those that other threads have at
  // hand. For quiet times: it takes out one buffer at a time, which a tier about to run out may miss for a moment.
  void trim() noexcept;

 private:
  friend class BufferRef;
  struct Impl;
  explicit BufferPool(std::unique_ptr<Impl> impl) noexcept;
  void recycle(BufferHeader* header) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace torvyn::resources
