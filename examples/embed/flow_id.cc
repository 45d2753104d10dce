// `types` alone: ids that cannot be taken for each other.
#include <cstdio>
#include <type_traits>

#include "torvyn/types/ids.h"

int main() {
  static_assert(!std::is_convertible_v<torvyn::FlowId, torvyn::StreamId>);
  const torvyn::FlowId flow(7);
  std::printf("flow %llu\n", static_cast<unsigned long long>(flow.value()));
}
