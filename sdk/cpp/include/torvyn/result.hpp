// What an author's function says when something is wrong.
//
//   torvyn::Status shout(const torvyn::Element& in, torvyn::Output& out) {
//     if (in.text().empty()) return torvyn::invalid_input("an empty line");
//     ...
//     return {};
//   }
#pragma once

#include <expected>
#include <string>
#include <type_traits>
#include <utility>

#include "torvyn/error.h"

namespace torvyn {

struct Error {
  torvyn_error_kind kind;
  std::string text;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// This element is not what the component can work on; asking again would not help.
inline std::unexpected<Error> invalid_input(std::string text) {
  return std::unexpected(Error{TORVYN_INVALID_INPUT, std::move(text)});
}
// Not now: something the component needs is away.
inline std::unexpected<Error> unavailable(std::string text) {
  return std::unexpected(Error{TORVYN_UNAVAILABLE, std::move(text)});
}
// The component failed on this element.
inline std::unexpected<Error> internal(std::string text) {
  return std::unexpected(Error{TORVYN_INTERNAL, std::move(text)});
}
// The element's deadline passed.
inline std::unexpected<Error> deadline_exceeded() { return std::unexpected(Error{TORVYN_DEADLINE_EXCEEDED, {}}); }
// The component cannot go on: the flow ends.
inline std::unexpected<Error> fatal(std::string text) { return std::unexpected(Error{TORVYN_FATAL, std::move(text)}); }

namespace detail {

// To the C side of the SDK: always false.
inline bool note(const Error& error) { return torvyn_fail_text(error.kind, error.text.data(), error.text.size()); }

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<std::expected<T, Error>> = true;

}  // namespace detail
}  // namespace torvyn
