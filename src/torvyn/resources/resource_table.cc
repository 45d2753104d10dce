#include "torvyn/resources/resource_table.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "torvyn/types/assert.h"

namespace torvyn::resources {
ResourceTable::ResourceTable(const HoldingLimits& limits) : limits_(limits) {
  limits_.handles = std::min(limits_.handles, handles_max);
}

ResourceTable::~ResourceTable() { sweep(); }

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

TableStatus ResourceTable::drop(Rep rep, HandleKind kind) noexcept {
  if (kind != HandleKind::buffer && kind != HandleKind::mutable_buffer) return TableStatus::stale;
  Entry* const entry = find(rep, kind);
  if (entry == nullptr) return TableStatus::stale;
  drop_owned(*entry);
  return TableStatus::ok;
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

bool ResourceTable::make_room() noexcept {
  if (entries_.size() == handles_max) return false;
  try {
    entries_.emplace_back();
  } catch (const std::exception&) {
    return false;
  }
  first_free_ = static_cast<std::uint32_t>(entries_.size());
  return true;
}

void ResourceTable::drop_owned(Entry& entry) noexcept {
  if (entry.owned) {
    held_bytes_ -= entry.owned.capacity();
    entry.owned.reset();
  }
  --held_;
  remove(entry);
}

}  // namespace torvyn::resources
