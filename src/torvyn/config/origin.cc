#include "torvyn/config/origin.h"

#include <fmt/format.h>

namespace torvyn::config {

std::string_view layer_name(Layer layer) noexcept {
  switch (layer) {
    case Layer::defaults:
      return "default";
    case Layer::machine:
      return "machine";
    case Layer::user:
      return "user";
    case Layer::project:
      return "project";
    case Layer::environment:
      return "environment";
    case Layer::command_line:
      return "command-line";
  }
  return "";
}

std::string origin_text(const Origin& origin) {
  switch (origin.layer) {
    case Layer::defaults:
      return "default";
    case Layer::environment:
      // The text is NAME=VALUE.
      return origin.where.text == nullptr ? "environment" : origin.where.text->substr(0, origin.where.text->find('='));
    case Layer::command_line:
      return "--set";
    default:
      return fmt::format("{}:{}:{}", origin.where.file, origin.where.line, origin.where.column);
  }
}

}  // namespace torvyn::config
