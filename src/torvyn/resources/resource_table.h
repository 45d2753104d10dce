// What one component instance holds: its handles, checked by kind and generation, bounded in number and bytes, swept
// when it ends.
#pragma once

#include <cstdint>
#include <vector>

#include "torvyn/resources/buffer_pool.h"

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
  void remove(Entry& entry) noexcept;
  void drop_owned(Entry& entry) noexcept;
  void give_back(Entry& entry) noexcept;

  HoldingLimits limits_;
  std::vector<Entry> entries_;
  std::uint32_t first_free_ = 0;  // slot + 1; 0 = none
  std::uint32_t held_ = 0;
  std::uint32_t lent_ = 0;
  std::uint64_t held_bytes_ = 0;
};

}  // namespace torvyn::resources
