// Private to contracts: tells one set of build inputs from another. Not for anything an attacker may choose.
#pragma once

#include <cstdint>
#include <string_view>

namespace torvyn::contracts {

// FNV-1a, 64 bits. Each `add` is closed off, so ("ab", "c") and ("a", "bc") differ.
class Hash {
 public:
  Hash& add(std::string_view text) noexcept {
    for (const char c : text) mix(static_cast<std::uint8_t>(c));
    for (std::uint64_t size = text.size(), i = 0; i < 8; ++i) mix(static_cast<std::uint8_t>(size >> (8 * i)));
    return *this;
  }
  std::uint64_t value() const noexcept { return value_; }

 private:
  void mix(std::uint8_t byte) noexcept { value_ = (value_ ^ byte) * 0x100000001b3U; }
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

}  // namespace torvyn::contracts
