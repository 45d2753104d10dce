#include "torvyn/resources/element.h"

namespace torvyn::resources {

void release_elements(std::span<Element> elements) noexcept {
  BufferHeader* shared = nullptr;  // the buffer of the neighbours seen last, and how many of its references are to go
  std::uint32_t count = 0;
  for (Element& element : elements) {
    BufferHeader* const header = element.payload.detach();
    if (header == nullptr) continue;
    if (header != shared) {
      if (count != 0) BufferRef::drop_references(shared, count);
      shared = header;
      count = 0;
    }
    ++count;
  }
  if (count != 0) BufferRef::drop_references(shared, count);
}

void clear_run(Run& run) noexcept {
  release_elements(run);
  run.clear();
}

}  // namespace torvyn::resources
