#include "torvyn/c/handles.h"

#include <cstdlib>
#include <cstring>

namespace torvyn::c {

torvyn_error* made(const Error& error) noexcept {
  try {
    auto handle = std::make_unique<torvyn_error>();
    handle->code = code_string(error.code());
    handle->message = error.message();
    handle->hint = error.hint();
    handle->text = error.to_string();
    return handle.release();
  } catch (const std::exception&) {
    // Told as success it would be believed.
    std::abort();
  }
}

torvyn_error* usage(const char* message) noexcept {
  return guarded([message] { return made(Error(ErrorCode::usage, message, "see torvyn/c/torvyn.h")); });
}

char* copy_of(const std::string& text) {
  char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

void FunctionEvents::event(Severity severity, std::string_view code, std::string_view node,
                           std::string_view text) noexcept {
  if (function_ != nullptr)
    function_(user_, static_cast<int>(severity), std::string(code).c_str(), std::string(node).c_str(),
              std::string(text).c_str());
}

void FunctionEvents::guest_line(Severity severity, std::string_view node, std::string_view text) noexcept {
  event(severity, "guest", node, text);
}

}  // namespace torvyn::c

const char* torvyn_version(void) { return TORVYN_VERSION; }

const char* torvyn_error_code(const torvyn_error* error) { return error == nullptr ? "" : error->code.c_str(); }
const char* torvyn_error_message(const torvyn_error* error) { return error == nullptr ? "" : error->message.c_str(); }
const char* torvyn_error_hint(const torvyn_error* error) { return error == nullptr ? "" : error->hint.c_str(); }
const char* torvyn_error_text(const torvyn_error* error) { return error == nullptr ? "" : error->text.c_str(); }
void torvyn_error_free(torvyn_error* error) { std::unique_ptr<torvyn_error>{error}.reset(); }
void torvyn_text_free(char* text) { std::free(text); }
