// What stderr or stdout is, and colours for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace torvyn::cli {

enum class ColorChoice : std::uint8_t { automatic, always, never };

struct Terminal {
  bool interactive = false;  // a person is looking, and the cursor can be moved
  bool color = false;
  std::size_t columns = 80;
};

// Colour where it was asked for, else on a terminal unless NO_COLOR is set or TERM is "dumb".
Terminal examine_terminal(int fd, ColorChoice choice);

// Colours by what they mean. Without colour all of them give back the text.
class Palette {
 public:
  explicit Palette(bool color = false) noexcept : color_(color) {}

  std::string error(std::string_view text) const { return painted("1;31", text); }
  std::string warning(std::string_view text) const { return painted("1;33", text); }
  std::string good(std::string_view text) const { return painted("32", text); }
  std::string strong(std::string_view text) const { return painted("1", text); }
  std::string faint(std::string_view text) const { return painted("2", text); }
  std::string place(std::string_view text) const { return painted("34", text); }
  std::string node(std::string_view text) const { return painted("36", text); }

 private:
  std::string painted(std::string_view parameters, std::string_view text) const;
  bool color_;
};

}  // namespace torvyn::cli
