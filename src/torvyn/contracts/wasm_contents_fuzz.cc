// Any bytes are a file whose sections add up to it, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "torvyn/contracts/wasm_contents.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
  const auto contents = torvyn::contracts::read_wasm_contents({data, length});
  if (!contents) return 0;
  std::uint64_t sum = 0;
  for (const auto& section : contents->sections) sum += section.bytes;
  if (sum != length) std::abort();
  return 0;
}
