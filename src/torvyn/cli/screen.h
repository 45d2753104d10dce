// stderr, shared by messages that stay and a line that is drawn again and again.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "torvyn/cli/terminal.h"

namespace torvyn::cli {

// Writes all of `text` to `fd`, or as much as whoever reads it takes. False where something is missing.
bool write_text(int fd, std::string_view text) noexcept;

// Thread: every member may be called from any thread at once.
class Screen {
 public:
  Screen(int fd, const Terminal& terminal) : fd_(fd), terminal_(terminal), palette_(terminal.color) {}
  ~Screen() { clear_live(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Text that stays; whole lines. The live line is out of its way.
  void print(std::string_view text);

  // Draws the live line, cut to the width of the terminal. Requires: the terminal is interactive, `line` is printable.
  void show_live(std::string_view line);
  void clear_live();

  const Terminal& terminal() const noexcept { return terminal_; }
  const Palette& palette() const noexcept { return palette_; }

 private:
  const int fd_;
  const Terminal terminal_;
  const Palette palette_;
  std::mutex mutex_;
  std::string live_;  // what stands in the terminal's last line
};

}  // namespace torvyn::cli
