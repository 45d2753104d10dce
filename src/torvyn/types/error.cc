#include "torvyn/types/error.h"

#include <array>
#include <cstdio>

namespace torvyn {

std::string code_string(ErrorCode code) {
  std::array<char, 8> text{};
  const int length = std::snprintf(text.data(), text.size(), "E%04u", static_cast<unsigned>(code));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<ErrorCode> error_code_from(std::string_view text) noexcept {
  if (text.size() != 5 || text[0] != 'E') return std::nullopt;
  unsigned number = 0;
  for (const char digit : text.substr(1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(digit - '0');
  }
  switch (number) {
#define TORVYN_CODE_CASE(code_number, name, title) \
  case code_number:                                \
    return ErrorCode::name;
    TORVYN_ERROR_CODES(TORVYN_CODE_CASE)
#undef TORVYN_CODE_CASE
    default:
      return std::nullopt;
  }
}

std::string warning_code_string(ErrorCode code) {
  std::string text = code_string(code);
  text.front() = 'W';
  return text;
}

std::string_view code_title(ErrorCode code) noexcept {
  switch (code) {
#define TORVYN_CODE_TITLE(number, name, title) \
  case ErrorCode::name:                        \
    return title;
    TORVYN_ERROR_CODES(TORVYN_CODE_TITLE)
#undef TORVYN_CODE_TITLE
  }
  return "unknown";
}

Error::Error(ErrorCode code, std::string message, std::string hint)
    : code_(code), detail_(std::make_unique<ErrorDetail>()) {
  detail_->message = std::move(message);
  detail_->hint = std::move(hint);
}

Error Error::at_file(std::string file, std::uint32_t line, std::uint32_t column) && {
  if (detail_->file.empty()) {
    detail_->file = std::move(file);
    detail_->line = line;
    detail_->column = column;
  }
  return std::move(*this);
}

Error Error::at_node(std::string flow, std::string node, std::string component) && {
  if (detail_->flow.empty()) detail_->flow = std::move(flow);
  if (detail_->node.empty()) detail_->node = std::move(node);
  if (detail_->component.empty()) detail_->component = std::move(component);
  return std::move(*this);
}

Error Error::with_hint(std::string hint) && {
  if (detail_->hint.empty()) detail_->hint = std::move(hint);
  return std::move(*this);
}

std::string Error::to_string() const {
  std::string text = code_string(code_) + ": " + detail_->message;
  if (!detail_->file.empty()) {
    text += " (" + detail_->file;
    if (detail_->line != 0) text += ":" + std::to_string(detail_->line);
    if (detail_->line != 0 && detail_->column != 0) text += ":" + std::to_string(detail_->column);
    text += ")";
  }
  if (!detail_->node.empty()) {
    text += " (node " + detail_->node;
    if (detail_->element) text += ", element " + std::to_string(*detail_->element);
    text += ")";
  }
  return text;
}

}  // namespace torvyn
