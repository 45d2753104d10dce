#include "torvyn/resources/resource_table.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::resources {
namespace {

constexpr std::uint32_t slot_bits = 20;
constexpr std::uint32_t slot_mask = (1U << slot_bits) - 1;
constexpr std::uint32_t generation_mask = (1U << (32 - slot_bits)) - 1;
static_assert(handles_max == slot_mask + 1);

}  // namespace

ResourceTable::ResourceTable(const HoldingLimits& limits) : limits_(limits) {
  limits_.handles = std::min(limits_.handles, handles_max);
}

ResourceTable::~ResourceTable() { sweep(); }

TableStatus ResourceTable::admits(std::uint64_t capacity_bytes) const noexcept {
  if (held_ >= limits_.handles) return TableStatus::too_many;
  if (held_bytes_ > limits_.buffer_bytes || capacity_bytes > limits_.buffer_bytes - held_bytes_)
    return TableStatus::over_budget;
  return TableStatus::ok;
}

TableStatus ResourceTable::add_mutable(BufferRef buffer, Rep& rep) noexcept {
  if (const TableStatus status = admits(buffer.capacity()); status != TableStatus::ok) return status;
  if (buffer.state() != BufferState::host_owned) return TableStatus::wrong_state;
  Entry* const entry = add(HandleKind::mutable_buffer, rep);
  if (entry == nullptr) return TableStatus::too_many;
  const bool lent = buffer.apply(BufferAction::lend_for_writing);
  TORVYN_ASSERT(lent, "a buffer changed hands while it was entered in a table");
  held_bytes_ += buffer.capacity();
  ++held_;
  entry->owned = std::move(buffer);
  return TableStatus::ok;
}

TableStatus ResourceTable::lend(BufferRef& buffer, Rep& rep) noexcept {
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

void ResourceTable::end_loan(Rep rep) noexcept {
  Entry* const entry = find(rep, HandleKind::lent_buffer);
  TORVYN_ASSERT(entry != nullptr, "a loan was ended that is none");
  give_back(*entry);
}

TableStatus ResourceTable::freeze(Rep mutable_rep, Rep& buffer_rep) noexcept {
  const Entry* const writing = find(mutable_rep, HandleKind::mutable_buffer);
  if (writing == nullptr) return TableStatus::stale;
  const auto slot = static_cast<std::size_t>(writing - entries_.data());
  if (!writing->owned) return TableStatus::wrong_state;
  if (held_ >= limits_.handles) return TableStatus::too_many;
  Entry* const frozen = add(HandleKind::buffer, buffer_rep);
  if (frozen == nullptr) return TableStatus::too_many;
  frozen->owned = std::move(entries_[slot].owned);  // found again: the table may have grown
  const bool froze = frozen->owned.apply(BufferAction::freeze);
  TORVYN_ASSERT(froze, "a buffer behind a mutable handle was not being written");
  ++held_;
  return TableStatus::ok;
}

TableStatus ResourceTable::take(Rep rep, BufferRef& out) noexcept {
  Entry* const entry = find(rep, HandleKind::buffer);
  if (entry == nullptr) return TableStatus::stale;
  if (!entry->owned.apply(BufferAction::hand_over)) return TableStatus::wrong_state;
  held_bytes_ -= entry->owned.capacity();
  --held_;
  out = std::move(entry->owned);
  remove(*entry);
  return TableStatus::ok;
}

TableStatus ResourceTable::drop(Rep rep, HandleKind kind) noexcept {
  if (kind != HandleKind::buffer && kind != HandleKind::mutable_buffer) return TableStatus::stale;
  Entry* const entry = find(rep, kind);
  if (entry == nullptr) return TableStatus::stale;
  drop_owned(*entry);
  return TableStatus::ok;
}

const BufferRef* ResourceTable::readable(Rep rep) const noexcept {
  const Entry* const entry = find(rep);
  if (entry == nullptr) return nullptr;
  if (entry->kind == HandleKind::lent_buffer) return entry->borrowed;
  return entry->kind == HandleKind::buffer ? &entry->owned : nullptr;
}

BufferRef* ResourceTable::writable(Rep rep) noexcept {
  Entry* const entry = find(rep, HandleKind::mutable_buffer);
  return entry != nullptr && entry->owned ? &entry->owned : nullptr;
}

bool ResourceTable::spent(Rep rep) const noexcept {
  const Entry* const entry = find(rep);
  return entry != nullptr && entry->kind == HandleKind::mutable_buffer && !entry->owned;
}

std::uint32_t ResourceTable::sweep() noexcept {
  const std::uint32_t left = held_;
  if (left == 0 && lent_ == 0) return 0;
  for (Entry& entry : entries_) {
    if (entry.kind == HandleKind::none) continue;
    if (entry.kind == HandleKind::lent_buffer) {
      give_back(entry);
    } else {
      drop_owned(entry);
    }
  }
  TORVYN_ASSERT(held_ == 0 && held_bytes_ == 0 && lent_ == 0, "a swept table still holds something");
  return left;
}

const ResourceTable::Entry* ResourceTable::find(Rep rep) const noexcept {
  const std::uint32_t slot = rep & slot_mask;
  if (slot >= entries_.size()) return nullptr;
  const Entry& entry = entries_[slot];
  return entry.kind != HandleKind::none && entry.generation == rep >> slot_bits ? &entry : nullptr;
}

ResourceTable::Entry* ResourceTable::find(Rep rep) noexcept {
  return const_cast<Entry*>(std::as_const(*this).find(rep));
}

ResourceTable::Entry* ResourceTable::find(Rep rep, HandleKind kind) noexcept {
  Entry* const entry = find(rep);
  return entry != nullptr && entry->kind == kind ? entry : nullptr;
}

ResourceTable::Entry* ResourceTable::add(HandleKind kind, Rep& rep) noexcept {
  std::uint32_t slot = 0;
  if (first_free_ != 0) {
    slot = first_free_ - 1;
    first_free_ = entries_[slot].next_free;
  } else {
    if (entries_.size() == handles_max) return nullptr;
    slot = static_cast<std::uint32_t>(entries_.size());
    try {
      entries_.emplace_back();
    } catch (const std::exception&) {
      return nullptr;
    }
  }
  Entry& entry = entries_[slot];
  entry.kind = kind;
  rep = entry.generation << slot_bits | slot;
  return &entry;
}

void ResourceTable::remove(Entry& entry) noexcept {
  entry.kind = HandleKind::none;
  // Generation 0 is skipped: no handle is ever 0.
  entry.generation = std::max((entry.generation + 1) & generation_mask, 1U);
  entry.next_free = first_free_;
  first_free_ = static_cast<std::uint32_t>(&entry - entries_.data()) + 1;
}

void ResourceTable::drop_owned(Entry& entry) noexcept {
  if (entry.owned) {
    held_bytes_ -= entry.owned.capacity();
    entry.owned.reset();
  }
  --held_;
  remove(entry);
}

void ResourceTable::give_back(Entry& entry) noexcept {
  const bool given_back = entry.borrowed->apply(BufferAction::give_back);
  TORVYN_ASSERT(given_back, "a buffer in a table as lent was not lent");
  --lent_;
  remove(entry);
}

}  // namespace torvyn::resources
