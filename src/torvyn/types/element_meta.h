// What travels beside a payload.
#pragma once

#include <cstdint>

namespace torvyn {

// An interned content type: an index into the host's `ContentTypes`. 0 is "".
using ContentTypeId = std::uint32_t;

// The host's side of `torvyn:streaming/types.element-meta`. Only the host sets sequence, timestamp and deadline.
struct ElementMeta {
  std::uint64_t sequence = 0;      // in its flow, from 0, given as elements leave sources
  std::uint64_t timestamp_ns = 0;  // wall clock at source entry, Unix nanoseconds
  std::uint64_t deadline_ns = 0;   // on the monotonic clock; 0 = none
  ContentTypeId content_type = 0;
};

// The cases of `torvyn:streaming/types.process-error`, in the contract's order.
enum class ProcessErrorKind : std::uint8_t { invalid_input, unavailable, internal, deadline_exceeded, fatal };

// "invalid-input", as the contract spells it.
constexpr const char* process_error_name(ProcessErrorKind kind) noexcept {
  switch (kind) {
    case ProcessErrorKind::invalid_input:
      return "invalid-input";
    case ProcessErrorKind::unavailable:
      return "unavailable";
    case ProcessErrorKind::internal:
      return "internal";
    case ProcessErrorKind::deadline_exceeded:
      return "deadline-exceeded";
    case ProcessErrorKind::fatal:
      return "fatal";
  }
  return "?";
}

}  // namespace torvyn
