// A lock-free stack of buffer headers. Private to this folder.
#pragma once

#include <atomic>
#include <cstdint>

#include "torvyn/resources/buffer_pool.h"

namespace torvyn::resources {

// Treiber's stack, by slot numbers: headers are never unmapped while the pool lives, so reading `next_free` of one that
// somebody else has just taken is harmless, only out of date. The tag beside the top moves on with every change, so an
// out-of-date top is noticed even where the same slot is on top again (ABA), unless a thread sleeps through exactly a
// multiple of 2^32 changes.
// Thread: any.
class FreeStack {
 public:
  // Release: whoever pops the header sees what its last user did to it. The heads form one release sequence (all
  // changes are read-modify-writes), so this holds for headers deeper down too.
  void push(BufferHeader* headers, std::uint32_t slot) noexcept {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    do {
      headers[slot].next_free.store(top_of(head), std::memory_order_relaxed);
    } while (!head_.compare_exchange_weak(head, next_head(head, slot + 1), std::memory_order_release,
                                          std::memory_order_relaxed));
  }

  // The header pushed last, or null.
  BufferHeader* pop(BufferHeader* headers) noexcept {
    std::uint64_t head = head_.load(std::memory_order_acquire);
    while (top_of(head) != 0) {
      BufferHeader& header = headers[top_of(head) - 1];
      const std::uint32_t below = header.next_free.load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, next_head(head, below), std::memory_order_acquire,
                                      std::memory_order_acquire))
        return &header;
    }
    return nullptr;
  }

  // Tag and top in one word, and the top alone: slot + 1, 0 = empty.
  std::uint64_t head() const noexcept { return head_.load(std::memory_order_relaxed); }
  static std::uint32_t top_of(std::uint64_t head) noexcept { return static_cast<std::uint32_t>(head); }

 private:
  static std::uint64_t next_head(std::uint64_t head, std::uint32_t top) noexcept {
    return ((head >> 32) + 1) << 32 | top;
  }

  std::atomic<std::uint64_t> head_{0};
};

}  // namespace torvyn::resources
