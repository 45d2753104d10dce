// What travels between stages on the host: a meta, a counted slice, and where it came from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "torvyn/resources/buffer_pool.h"
#include "torvyn/types/element_meta.h"

namespace torvyn::resources {

// Names the source element that an element descends from, in the flow driver's books. `no_lineage`: created by an
// aggregator.
using LineageId = std::uint32_t;
inline constexpr LineageId no_lineage = 0xffffffffU;

struct Element {
  ElementMeta meta;
  BufferRef payload;
  LineageId lineage = no_lineage;
  std::uint16_t port = 0;  // the output port it leaves its stage by; routers say it, for others it is 0
};

// Elements on their way, in order. A vector that keeps its memory: steady state allocates nothing.
using Run = std::vector<Element>;

// Drops the payloads of `elements`, neighbours that share a buffer in one step, and leaves them empty-handed.
void release_elements(std::span<Element> elements) noexcept;

// release_elements, then clear.
void clear_run(Run& run) noexcept;

}  // namespace torvyn::resources
