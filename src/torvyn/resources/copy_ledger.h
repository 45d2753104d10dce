// Every copy of payload bytes across the boundary, counted where it happens.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace torvyn::resources {

enum class CopyKind : std::uint8_t {
  guest_write,  // a component wrote into a host buffer
  guest_read,   // a component read a host buffer
  host_clone,   // clone-into-mutable: host to host
  host_gather,  // a run that spans buffers was gathered for one read
};
inline constexpr int copy_kind_count = 4;
// The names above, "guest_write".
std::string_view copy_kind_name(CopyKind kind) noexcept;

struct CopyCount {
  std::uint64_t copies = 0;
  std::uint64_t bytes = 0;
  CopyCount& operator+=(const CopyCount& other) noexcept {
    copies += other.copies;
    bytes += other.bytes;
    return *this;
  }
};

// By kind: index is a CopyKind.
using CopyCounts = std::array<CopyCount, copy_kind_count>;

inline void add(CopyCounts& sum, const CopyCounts& more) noexcept {
  for (std::size_t kind = 0; kind < sum.size(); ++kind) sum[kind] += more[kind];
}

// The copies of one stage in one flow.
// Thread: one thread at a time records (whoever drives the stage); any thread may read, and sees each number whole.
class CopyLedger {
 public:
  void record(CopyKind kind, std::uint64_t bytes) noexcept {
    Cell& cell = cells_[static_cast<std::size_t>(kind)];
    cell.copies.store(cell.copies.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    cell.bytes.store(cell.bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
  CopyCount count(CopyKind kind) const noexcept {
    const Cell& cell = cells_[static_cast<std::size_t>(kind)];
    return {cell.copies.load(std::memory_order_relaxed), cell.bytes.load(std::memory_order_relaxed)};
  }
  CopyCounts counts() const noexcept {
    CopyCounts counts;
    for (std::size_t kind = 0; kind < counts.size(); ++kind) counts[kind] = count(static_cast<CopyKind>(kind));
    return counts;
  }
  CopyCount total() const noexcept {
    CopyCount sum;
    for (const CopyCount& one : counts()) sum += one;
    return sum;
  }

 private:
  struct Cell {
    std::atomic<std::uint64_t> copies{0};
    std::atomic<std::uint64_t> bytes{0};
  };
  std::array<Cell, copy_kind_count> cells_;
};

}  // namespace torvyn::resources
