// What is behind the handles of the C interface. Inside this folder only.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "torvyn/c/torvyn.h"
#include "torvyn/types/error.h"
#include "torvyn/types/event_sink.h"

struct torvyn_error {
  std::string code;
  std::string message;
  std::string hint;
  std::string text;
};

namespace torvyn::c {

// Ends the program where there is no memory even for that: an error that nobody hears of would pass for success.
torvyn_error* made(const Error& error) noexcept;
torvyn_error* usage(const char* message) noexcept;

// Runs a body that returns a torvyn_error*; what it throws becomes one.
template <class Body>
torvyn_error* guarded(Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& thrown) {
    return made(Error(ErrorCode::internal_error, thrown.what()));
  }
}

inline torvyn_error* done(const Status& status) noexcept { return status ? nullptr : made(status.error()); }

inline std::string_view text_or_empty(const char* text) noexcept { return text == nullptr ? std::string_view{} : text; }

// A copy for the caller, freed by torvyn_text_free.
char* copy_of(const std::string& text);

// Events as calls of a function; of none, silence.
class FunctionEvents final : public EventSink {
 public:
  FunctionEvents(torvyn_event_function function, void* user) noexcept : function_(function), user_(user) {}
  void event(Severity severity, std::string_view code, std::string_view node, std::string_view text) noexcept override;
  void guest_line(Severity severity, std::string_view node, std::string_view text) noexcept override;

 private:
  torvyn_event_function function_;
  void* user_;
};

}  // namespace torvyn::c
