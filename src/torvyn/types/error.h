// Failures as data: what happened, where, why, and what to do.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/types/error_codes.h"

namespace torvyn {

// Everything an error knows beside its code. Empty strings and zeros mean "not known"; a reader shows what is there.
struct ErrorDetail {
  std::string message;  // one sentence in lower case, names quoted in backticks; why included
  std::string hint;     // what to do, as a sentence or a command; may hold several lines

  // A place in a text: manifest, WIT, pipeline string. Lines and columns count from 1; columns count bytes.
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string source_line;         // the text of that line, to draw a caret under
  std::uint32_t caret_length = 0;  // bytes to underline; 0 draws one caret

  // A place in a running flow.
  std::string flow;
  std::string node;
  std::string component;
  std::optional<std::uint64_t> element;  // the element's sequence
  std::uint64_t element_bytes = 0;       // its payload size; meaningful with `element`
  std::string element_place;             // "line 3 of in.txt", where the source knows

  // What the guest left behind, newest last.
  std::vector<std::string> guest_backtrace;  // "shout at src/lib.rs:8", innermost first
  std::vector<std::string> guest_lines;      // last lines of its stderr and log
  std::string trap_kind;                     // "unreachable", "stack-overflow", …; empty if no trap

  std::string consequence;  // what the flow did about it
};

// One failure. The size of a pointer and a code, so that `Result` stays cheap on the good path; deep-copied where copied.
// Thread: a value like any other.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message, std::string hint = {});

  Error(const Error& other) : code_(other.code_), detail_(std::make_unique<ErrorDetail>(*other.detail_)) {}
  Error(Error&&) noexcept = default;
  Error& operator=(const Error& other) {
    if (this != &other) *this = Error(other);
    return *this;
  }
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return detail_->message; }
  const std::string& hint() const noexcept { return detail_->hint; }
  const ErrorDetail& detail() const noexcept { return *detail_; }
  ErrorDetail& detail() noexcept { return *detail_; }

  // The same error with a place added; what is already known is kept.
  Error at_file(std::string file, std::uint32_t line = 0, std::uint32_t column = 0) &&;
  Error at_node(std::string flow, std::string node, std::string component) &&;
  Error with_hint(std::string hint) &&;

  // "E0203: message (Torvyn.toml:3:4)": one line, for logs and test failures. The command line draws it in full.
  std::string to_string() const;

 private:
  ErrorCode code_;
  std::unique_ptr<ErrorDetail> detail_;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return std::unexpected<Error>(Error(code, std::move(message), std::move(hint)));
}

// Returns the error of `expression` (a Result or Status) from the calling function, or goes on.
#define TORVYN_TRY(expression)                                         \
  do {                                                                 \
    if (auto torvyn_status = (expression); !torvyn_status.has_value()) \
      return ::std::unexpected(std::move(torvyn_status).error());      \
  } while (false)

#define TORVYN_CONCAT_(a, b) a##b
#define TORVYN_CONCAT(a, b) TORVYN_CONCAT_(a, b)

// Declares or assigns `target` from the value of a Result, or returns its error: TORVYN_LET(auto bytes, read_file(path));
#define TORVYN_LET(target, expression) TORVYN_LET_(target, expression, TORVYN_CONCAT(torvyn_result_, __LINE__))
#define TORVYN_LET_(target, expression, result)                                   \
  auto result = (expression);                                                     \
  if (!(result).has_value()) return ::std::unexpected(std::move(result).error()); \
  target = *std::move(result)

}  // namespace torvyn
