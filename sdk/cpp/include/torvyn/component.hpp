// The SDK's inside: what all roles share.
#pragma once

#include <type_traits>

#include "torvyn/element.hpp"
#include "torvyn/output.hpp"
#include "torvyn/settings.hpp"

namespace torvyn::detail {

// The one object of an author's class, from `init` to `teardown`.
template <class Author>
struct Instance {
  inline static Author* object = nullptr;

  static bool init(torvyn_settings* raw) {
    object = new Author();
    if constexpr (requires(Settings& settings) { object->init(settings); }) {
      Settings settings(*raw);
      const auto nothing = [](std::string_view) {};
      return call(nothing, [&] { return object->init(settings); }) && settings.good();
    } else {
      (void)raw;
      return true;
    }
  }
  static void teardown() {
    delete object;
    object = nullptr;
  }
};

// Calls an author's function with an element and outputs, or with the element alone, and hands over what it returns.
template <class Function>
bool process(const Function& function, const torvyn_element& raw_in, torvyn_output& raw_out) {
  const Element in(raw_in);
  Output out(raw_out);
  const auto give = [&out](std::string_view text) { out.emit(text); };
  if constexpr (std::is_invocable_v<const Function&, const Element&, Output&>) {
    return call(give, function, in, out);
  } else {
    static_assert(std::is_invocable_v<const Function&, const Element&>,
                  "a function of `const torvyn::Element&` or std::string_view, and perhaps of `torvyn::Output&`");
    return call(give, function, in);
  }
}

// Calls an author's predicate: what it returns, a bool or a torvyn::Result<bool>; false too where that is an error.
template <class Function, class... Arguments>
bool decide(const Function& function, Arguments&&... arguments) {
  const auto answer = function(arguments...);
  if constexpr (is_result<std::remove_cvref_t<decltype(answer)>>) {
    return answer ? *answer : note(answer.error());
  } else {
    return answer;
  }
}

}  // namespace torvyn::detail
