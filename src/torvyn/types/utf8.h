// UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. Text that comes from elsewhere is read by this.
#pragma once

#include <cstddef>
#include <string_view>

namespace torvyn {

struct CodePoint {
  char32_t code = 0;
  std::size_t bytes = 0;  // 0: what stands there is not UTF-8
};

// The first character of `text`. Requires: it is not empty.
CodePoint first_code_point(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

}  // namespace torvyn
