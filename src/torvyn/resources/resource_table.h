// What one component instance holds: its handles, checked by kind and generation, bounded in number and bytes, swept
// when it ends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "torvyn/resources/buffer_pool.h"
#include "torvyn/types/assert.h"

namespace torvyn::resources {

enum class HandleKind : std::uint8_t { none, buffer, lent_buffer, mutable_buffer };

// A handle as the engine carries it: 20 bits of slot, 12 of generation. 0 is never handed out. A slot answers to an old
// handle of its own only after 4,095 reuses: a component that keeps stale handles that long confuses itself and nobody
// else.
using Rep = std::uint32_t;
inline constexpr std::uint32_t handles_max = 1U << 20;

// What one instance may hold at once. What it was lent is not counted.
struct HoldingLimits {
  std::uint32_t handles = 4096;                          // at most handles_max
  std::uint64_t buffer_bytes = std::uint64_t{64} << 20;  // capacity of the buffers it owns
};

enum class TableStatus : std::uint8_t {
  ok,
  stale,        // no such handle, or of another kind
  too_many,     // handles used up
  over_budget,  // buffer bytes used up
  wrong_state,  // the buffer is not in the state the step needs, e.g. frozen already
};

// The table of one instance. A step that is not `ok` has changed nothing.
// Thread: one at a time, the one that drives the instance.
// Memory: grows with the most handles ever held at once, and stays; steady state allocates nothing.
class ResourceTable {
 public:
  explicit ResourceTable(const HoldingLimits& limits);
  // Sweeps.
  ~ResourceTable();
  ResourceTable(const ResourceTable&) = delete;
  ResourceTable& operator=(const ResourceTable&) = delete;

  // Enters a buffer the component is to write (state host_owned → guest_writing). Charged by its capacity. Where it is
  // refused, `buffer` goes back to its pool if it was the last reference.
  [[nodiscard]] TableStatus add_mutable(BufferRef buffer, Rep& rep) noexcept;
  // Whether one more handle to a buffer of `capacity_bytes` would be within the limits: asked before one is allocated.
  [[nodiscard]] TableStatus admits(std::uint64_t capacity_bytes) const noexcept;

  // Enters a buffer lent for one call (in_transit → lent), and takes it back (lent → in_transit). The reference stays
  // the caller's: `buffer` must stay where it is until the loan ends. Loans are charged to nobody; `too_many` only
  // beyond handles_max.
  [[nodiscard]] TableStatus lend(BufferRef& buffer, Rep& rep) noexcept;
  // Requires: `rep` came from lend, and the loan has not ended, by this or by `sweep`.
  void end_loan(Rep rep) noexcept;

  // Freezes: the mutable handle stays, spent; the frozen buffer gets a handle of its own (guest_writing → guest_owned).
  [[nodiscard]] TableStatus freeze(Rep mutable_rep, Rep& buffer_rep) noexcept;

  // Takes an owned buffer out of the component's hands (guest_owned → in_transit).
  [[nodiscard]] TableStatus take(Rep rep, BufferRef& out) noexcept;

  // Drops a handle the component owned. Loans are not dropped by this: the engine ends borrows without a call.
  [[nodiscard]] TableStatus drop(Rep rep, HandleKind kind) noexcept;

  // A buffer the component may read, owned or lent; null where `rep` is neither. Valid until the table is changed.
  const BufferRef* readable(Rep rep) const noexcept;
  // A buffer the component is writing; null where `rep` is not a mutable handle. A spent one gives null too: see
  // `spent`. Valid until the table is changed.
  BufferRef* writable(Rep rep) noexcept;
  // Whether `rep` is a mutable handle whose buffer was frozen: good for nothing but `drop`.
  bool spent(Rep rep) const noexcept;

  // Drops everything, whatever its state, and ends all loans: the instance has ended. The table can be used again;
  // every handle from before is stale. Gives the number of handles the component had not dropped itself (loans not
  // counted).
  std::uint32_t sweep() noexcept;

  // Handles the component owns now (loans not counted), the capacity of their buffers, and the loans it has now.
  std::uint32_t held() const noexcept { return held_; }
  std::uint64_t held_bytes() const noexcept { return held_bytes_; }
  std::uint32_t lent() const noexcept { return lent_; }

 private:
  struct Entry {
    BufferRef owned;  // buffer, mutable_buffer (empty-handed once spent)
    union {
      BufferRef* borrowed;          // lent_buffer
      std::uint32_t next_free = 0;  // none: slot + 1; 0 = none
    };
    std::uint32_t generation = 1;
    HandleKind kind = HandleKind::none;
  };
  static_assert(sizeof(Entry) == 32, "an index becomes an address by a shift");
  Entry* find(Rep rep) noexcept;
  const Entry* find(Rep rep) const noexcept;
  Entry* find(Rep rep, HandleKind kind) noexcept;
  // A free entry made `kind`, with its handle; null where there is none.
  Entry* add(HandleKind kind, Rep& rep) noexcept;
  // One more entry, free.
  bool make_room() noexcept;
  void remove(Entry& entry) noexcept;
  void drop_owned(Entry& entry) noexcept;
  void give_back(Entry& entry) noexcept;

  // A rep.
  static constexpr std::uint32_t slot_bits = 20;
  static constexpr std::uint32_t slot_mask = (1U << slot_bits) - 1;
  static constexpr std::uint32_t generation_mask = (1U << (32 - slot_bits)) - 1;
  static_assert(handles_max == slot_mask + 1);

  HoldingLimits limits_;
  std::vector<Entry> entries_;
  std::uint32_t first_free_ = 0;  // slot + 1; 0 = none
  std::uint32_t held_ = 0;
  std::uint32_t lent_ = 0;
  std::uint64_t held_bytes_ = 0;
};

// Inline: an element is a dozen lookups, and lent and taken at each stage.
inline const ResourceTable::Entry* ResourceTable::find(Rep rep) const noexcept {
  const std::uint32_t slot = rep & slot_mask;
  if (slot >= entries_.size()) return nullptr;
  const Entry& entry = entries_[slot];
  return entry.kind != HandleKind::none && entry.generation == rep >> slot_bits ? &entry : nullptr;
}

inline ResourceTable::Entry* ResourceTable::find(Rep rep) noexcept {
  return const_cast<Entry*>(std::as_const(*this).find(rep));
}

inline ResourceTable::Entry* ResourceTable::find(Rep rep, HandleKind kind) noexcept {
  Entry* const entry = find(rep);
  return entry != nullptr && entry->kind == kind ? entry : nullptr;
}

inline ResourceTable::Entry* ResourceTable::add(HandleKind kind, Rep& rep) noexcept {
  if (first_free_ == 0 && !make_room()) return nullptr;
  const std::uint32_t slot = first_free_ - 1;
  Entry& entry = entries_[slot];
  first_free_ = entry.next_free;
  entry.kind = kind;
  rep = entry.generation << slot_bits | slot;
  return &entry;
}

inline void ResourceTable::remove(Entry& entry) noexcept {
  entry.kind = HandleKind::none;
  // Generation 0 is skipped: no handle is ever 0.
  entry.generation = std::max((entry.generation + 1) & generation_mask, 1U);
  entry.next_free = first_free_;
  first_free_ = static_cast<std::uint32_t>(&entry - entries_.data()) + 1;
}

inline const BufferRef* ResourceTable::readable(Rep rep) const noexcept {
  const Entry* const entry = find(rep);
  if (entry == nullptr) return nullptr;
  if (entry->kind == HandleKind::lent_buffer) return entry->borrowed;
  return entry->kind == HandleKind::buffer ? &entry->owned : nullptr;
}

inline BufferRef* ResourceTable::writable(Rep rep) noexcept {
  Entry* const entry = find(rep, HandleKind::mutable_buffer);
  return entry != nullptr && entry->owned ? &entry->owned : nullptr;
}

inline TableStatus ResourceTable::admits(std::uint64_t capacity_bytes) const noexcept {
  if (held_ >= limits_.handles) return TableStatus::too_many;
  if (held_bytes_ > limits_.buffer_bytes || capacity_bytes > limits_.buffer_bytes - held_bytes_)
    return TableStatus::over_budget;
  return TableStatus::ok;
}

inline void ResourceTable::give_back(Entry& entry) noexcept {
  const bool given_back = entry.borrowed->apply(BufferAction::give_back);
  TORVYN_ASSERT(given_back, "a buffer in a table as lent was not lent");
  --lent_;
  remove(entry);
}

inline TableStatus ResourceTable::lend(BufferRef& buffer, Rep& rep) noexcept {
  if (!buffer.apply(BufferAction::lend)) return TableStatus::wrong_state;
  Entry* const entry = add(HandleKind::lent_buffer, rep);
  if (entry == nullptr) {
    const bool given_back = buffer.apply(BufferAction::give_back);
    TORVYN_ASSERT(given_back, "a loan just made can be ended");
    return TableStatus::too_many;
  }
  entry->borrowed = &buffer;
  ++lent_;
  return TableStatus::ok;
}

inline void ResourceTable::end_loan(Rep rep) noexcept {
  Entry* const entry = find(rep, HandleKind::lent_buffer);
  TORVYN_ASSERT(entry != nullptr, "a loan was ended that is none");
  give_back(*entry);
}

inline TableStatus ResourceTable::take(Rep rep, BufferRef& out) noexcept {
  Entry* const entry = find(rep, HandleKind::buffer);
  if (entry == nullptr) return TableStatus::stale;
  if (!entry->owned.apply(BufferAction::hand_over)) return TableStatus::wrong_state;
  held_bytes_ -= entry->owned.capacity();
  --held_;
  out = std::move(entry->owned);
  remove(*entry);
  return TableStatus::ok;
}

}  // namespace torvyn::resources
