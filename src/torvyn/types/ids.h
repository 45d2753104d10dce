// Strong ids: a FlowId is never taken for a StreamId, and a reused slot never answers to an old ResourceId.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace torvyn {

// A number with a type of its own. 0 is "none". Thread: a value.
template <class Tag>
class StrongId {
 public:
  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(std::uint64_t value) noexcept : value_(value) {}
  constexpr std::uint64_t value() const noexcept { return value_; }
  constexpr bool valid() const noexcept { return value_ != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

 private:
  std::uint64_t value_ = 0;
};

using FlowId = StrongId<struct FlowTag>;
using StreamId = StrongId<struct StreamTag>;
using ComponentId = StrongId<struct ComponentTag>;

// A slot and the generation in which it was handed out. The generation moves on when the slot is freed, so an id kept
// beyond that names nothing. Generation 0 is never handed out.
struct ResourceId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  constexpr bool valid() const noexcept { return generation != 0; }
  friend constexpr auto operator<=>(ResourceId, ResourceId) noexcept = default;
};

// W3C trace context: 16 bytes for a trace, 8 for a span, shown as lower-case hex. All zero is "none".
template <std::size_t Bytes>
class HexId {
 public:
  static constexpr std::size_t hex_length = 2 * Bytes;
  constexpr HexId() noexcept = default;
  constexpr explicit HexId(const std::array<std::uint8_t, Bytes>& bytes) noexcept : bytes_(bytes) {}

  constexpr bool valid() const noexcept {
    for (const auto byte : bytes_)
      if (byte != 0) return true;
    return false;
  }

  // Writes exactly `hex_length` characters, no terminator.
  void write_hex(char* out) const noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const auto byte : bytes_) {
      *out++ = digits[static_cast<std::size_t>(byte >> 4)];
      *out++ = digits[static_cast<std::size_t>(byte & 15)];
    }
  }
  std::string to_string() const {
    std::string text(hex_length, '0');
    write_hex(text.data());
    return text;
  }
  // Exactly `hex_length` lower-case hex digits, or nothing.
  static std::optional<HexId> parse(std::string_view text) noexcept {
    if (text.size() != hex_length) return std::nullopt;
    std::array<std::uint8_t, Bytes> bytes{};
    for (std::size_t i = 0; i < hex_length; ++i) {
      const char c = text[i];
      int digit = 0;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;
      } else {
        return std::nullopt;
      }
      bytes[i / 2] = static_cast<std::uint8_t>(bytes[i / 2] << 4 | digit);
    }
    return HexId(bytes);
  }
  const std::array<std::uint8_t, Bytes>& bytes() const noexcept { return bytes_; }
  friend constexpr auto operator<=>(const HexId&, const HexId&) noexcept = default;

 private:
  std::array<std::uint8_t, Bytes> bytes_{};
};

using TraceId = HexId<16>;
using SpanId = HexId<8>;

}  // namespace torvyn

template <class Tag>
struct std::hash<torvyn::StrongId<Tag>> {
  std::size_t operator()(torvyn::StrongId<Tag> id) const noexcept { return std::hash<std::uint64_t>{}(id.value()); }
};
