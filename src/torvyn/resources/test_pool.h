// What the tests of this folder share.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "torvyn/resources/buffer_pool.h"

namespace torvyn::resources {

inline std::unique_ptr<BufferPool> make_pool(const PoolOptions& options = {}) {
  auto pool = BufferPool::create(options);
  if (!pool.has_value()) {
    ADD_FAILURE() << pool.error().to_string();
    std::abort();
  }
  return *std::move(pool);
}

inline BufferRef allocate(BufferPool& pool, std::uint64_t bytes) {
  BufferRef buffer;
  EXPECT_EQ(pool.allocate(bytes, buffer), AllocateStatus::ok);
  return buffer;
}

// A buffer on its way between stages.
inline BufferRef publish(BufferPool& pool, std::string_view text) {
  BufferRef buffer = allocate(pool, text.size());
  std::memcpy(buffer.writable().data(), text.data(), text.size());
  buffer.set_size(static_cast<std::uint32_t>(text.size()));
  EXPECT_TRUE(buffer.apply(BufferAction::publish));
  return buffer;
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view text_of(const BufferRef& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.bytes().size()};
}

inline const TierStats& tier_stats(const PoolStats& stats, Tier tier) {
  return stats.tiers[static_cast<std::size_t>(tier)];
}

}  // namespace torvyn::resources
