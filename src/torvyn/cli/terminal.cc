#include "torvyn/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace torvyn::cli {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::size_t columns_of(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  return Terminal{}.columns;
}

}  // namespace

Terminal examine_terminal(int fd, ColorChoice choice) {
  Terminal terminal;
  terminal.interactive = isatty(fd) == 1 && environment("TERM") != "dumb";
  terminal.color = choice == ColorChoice::always ||
                   (choice == ColorChoice::automatic && terminal.interactive && environment("NO_COLOR").empty());
  if (terminal.interactive) terminal.columns = columns_of(fd);
  return terminal;
}

std::string Palette::painted(std::string_view parameters, std::string_view text) const {
  if (!color_ || text.empty()) return std::string(text);
  std::string painted("\x1b[");
  painted.append(parameters).append("m").append(text).append("\x1b[0m");
  return painted;
}

}  // namespace torvyn::cli
