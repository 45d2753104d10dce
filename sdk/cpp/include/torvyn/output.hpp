// What an author's function gives out: no output, one, or several.
//
//   out.emit("hello");                              one output
//   out.write("hello").write(" again"); out.end();  the same in steps
//   out.forward();                                  the input as it came, without a copy
//
// What was written and not ended when the function returns is ended then. Outputs keep their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "torvyn/output.h"
#include "torvyn/result.hpp"

namespace torvyn {

class Output {
 public:
  // For tests: keeps all outputs, for `size` and `operator[]`.
  Output() noexcept = default;
  // The host's.
  explicit Output(torvyn_output& raw) noexcept : raw_(&raw) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { torvyn_output_free(&own_); }

  // One output. What was written and not ended becomes part of it.
  void emit(std::string_view text) { torvyn_emit(raw_, text.data(), text.size()); }
  void emit(std::span<const std::byte> bytes) { torvyn_emit(raw_, bytes.data(), bytes.size()); }

  // Adds to the output being written.
  Output& write(std::string_view text) {
    torvyn_write(raw_, text.data(), text.size());
    return *this;
  }
  Output& write(std::span<const std::byte> bytes) {
    torvyn_write(raw_, bytes.data(), bytes.size());
    return *this;
  }
  // Adds a text formatted as printf does.
  __attribute__((format(printf, 2, 3))) Output& print(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    torvyn_print_list(raw_, format, arguments);
    va_end(arguments);
    return *this;
  }
  // Makes the output being written longer by `size_bytes`: fill all of them before the next call.
  std::span<char> extend(std::size_t size_bytes) {
    return {reinterpret_cast<char*>(torvyn_extend(raw_, size_bytes)), size_bytes};
  }
  // Takes the last bytes of the output being written away again.
  void shrink(std::size_t size_bytes) { torvyn_shrink(raw_, size_bytes); }
  // Ends the output being written; an empty one is an output too.
  void end() { torvyn_end(raw_); }

  // The input as it came, payload and meta: no copy. For processors.
  void forward() { torvyn_forward(raw_); }

  // For functions of a whole run: what comes now, outputs, forwards or an error, belongs to element `index` of it. Never
  // falling.
  void at(std::uint32_t index) { torvyn_at(raw_, index); }

  // Of all outputs that are ended from here on, in this call and in later ones. Where it is never said, a processor's
  // outputs have the type of their input, others none.
  void set_content_type(const std::string& content_type) { torvyn_set_content_type(raw_, content_type.c_str()); }

  // What was given so far; for tests. Outputs that were forwarded are empty texts here.
  std::size_t size() const noexcept { return raw_->count; }
  std::string_view operator[](std::size_t index) const noexcept {
    const std::size_t start = index == 0 ? 0 : raw_->ends[index - 1];
    return {reinterpret_cast<const char*>(raw_->bytes) + start, raw_->ends[index] - start};
  }
  bool is_forwarded(std::size_t index) const noexcept { return torvyn_output_is_forwarded(raw_, index); }
  std::string_view content_type(std::size_t index) const noexcept { return torvyn_output_content_type(raw_, index); }
  // For the functions of the C SDK.
  torvyn_output* raw() noexcept { return raw_; }

 private:
  torvyn_output own_{};
  torvyn_output* raw_ = &own_;
};

namespace detail {

// Calls `give`, a function of one text or the like, with what an author returned: nothing, one, several, or an error. False
// for an error.
template <class Value, class Give>
bool deliver(Value&& value, const Give& give) {
  using Plain = std::remove_cvref_t<Value>;
  if constexpr (is_result<Plain>) {
    if (!value) return note(value.error());
    if constexpr (!std::is_void_v<typename Plain::value_type>) return deliver(*value, give);
    return true;
  } else if constexpr (std::is_convertible_v<Value, std::string_view>) {
    give(std::string_view(value));
    return true;
  } else if constexpr (requires { value.has_value(); }) {
    return !value || deliver(*value, give);
  } else {
    static_assert(std::ranges::range<Value>,
                  "return void, torvyn::Status, a text, an optional or a vector of texts, or a torvyn::Result of one");
    for (const auto& one : value) deliver(one, give);
    return true;
  }
}

// Calls `function` and delivers what it returns.
template <class Give, class Function, class... Arguments>
bool call(const Give& give, const Function& function, Arguments&&... arguments) {
  if constexpr (std::is_void_v<std::invoke_result_t<const Function&, Arguments...>>) {
    function(arguments...);
    return true;
  } else {
    return deliver(function(arguments...), give);
  }
}

}  // namespace detail
}  // namespace torvyn
