// For our own bugs only: data, guests, files and networks are answered with an `Error`, never with this.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace torvyn {

[[noreturn, gnu::cold, gnu::noinline]] inline void assertion_failed(const char* file, int line, const char* condition,
                                                                    const char* text) noexcept {
  std::fprintf(stderr, "%s:%d: torvyn has a bug: %s (%s)\n", file, line, text, condition);
  std::abort();
}

}  // namespace torvyn

// Ends the process where `condition` does not hold; on in every build. `text` says what went wrong, as a clause:
//   TORVYN_ASSERT(loans == 0, "the last reference went while the buffer was lent");
#define TORVYN_ASSERT(condition, text)                                  \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::torvyn::assertion_failed(__FILE__, __LINE__, #condition, text); \
  } while (false)
