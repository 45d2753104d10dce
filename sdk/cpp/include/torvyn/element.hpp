// One element, on its way into a component.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "torvyn/element.h"
#include "torvyn/log.hpp"

namespace torvyn {

// What travels beside a payload.
struct Meta {
  std::uint64_t sequence = 0;      // its number in the flow, from 0
  std::uint64_t timestamp_ns = 0;  // wall clock at source entry, nanoseconds since the Unix epoch
  std::uint64_t deadline_ns = 0;   // nanoseconds that remain; 0: no deadline; 1: it is over
  std::string content_type;        // "" if none was set
};

// A view: valid for the call it is given to, and so is what it gives.
class Element {
 public:
  // For tests; the text is not copied.
  explicit Element(std::string_view text) noexcept
      : raw_{reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), nullptr, nullptr, 0} {}
  explicit Element(const torvyn_element& raw) noexcept : raw_(raw) {}

  // The payload.
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(raw_.bytes), raw_.size}; }
  std::span<const std::byte> bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(raw_.bytes), raw_.size};
  }
  std::size_t size_bytes() const noexcept { return raw_.size; }
  // A function of the payload alone takes a std::string_view in place of an Element.
  operator std::string_view() const noexcept { return text(); }

  Meta meta() const {
    const torvyn_meta meta = torvyn_meta_of(&raw_);
    return {meta.sequence, meta.timestamp_ns, meta.deadline_ns, meta.content_type};
  }
  // W3C trace id, 32 lower-case hex digits; the id of this call's span, 16; the flow's name. "" in a test.
  std::string trace_id() const { return torvyn_trace_id(&raw_); }
  std::string span_id() const { return torvyn_span_id(&raw_); }
  std::string flow_id() const { return torvyn_flow_id(&raw_); }

 private:
  torvyn_element raw_;
};

}  // namespace torvyn
