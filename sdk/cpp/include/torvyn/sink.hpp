// A sink: where elements end.
//
//   #include <torvyn/sink.hpp>
//
//   class Count {
//    public:
//     void push(const torvyn::Element& in) { bytes_ += in.size_bytes(); }
//     void complete() { torvyn::log(torvyn::Level::info, std::to_string(bytes_) + " bytes"); }
//    private:
//     std::uint64_t bytes_ = 0;
//   };
//   TORVYN_SINK(Count)
//
// `push` is a function of a `const torvyn::Element&` or std::string_view that returns void or torvyn::Status. `complete`, where
// there is one, is called once after the last element, at orderly ends only, and returns the same. `init` as in
// torvyn/processor.hpp. A function in the place of `push` will do where there is nothing else. torvyn::pause() in `push` asks the
// flow to wait a while. Define TORVYN_PER_ELEMENT before the include for the per-element contract.
#pragma once

#include "torvyn/component.hpp"
#include "torvyn/sink.h"

namespace torvyn {

// Says, from within `push`, that the element was taken and that the next ones should wait a while.
inline void pause() { torvyn_pause(); }

namespace detail {

// Calls an author's function that gives nothing; false for an error.
template <class Function, class... Arguments>
bool perform(const Function& function, Arguments&&... arguments) {
  if constexpr (std::is_void_v<std::invoke_result_t<const Function&, Arguments...>>) {
    function(arguments...);
    return true;
  } else {
    const Status status = function(arguments...);
    return status || note(status.error());
  }
}

template <auto function>
constexpr torvyn_sink make_sink() {
  return {.push = [](const torvyn_element* in) { return perform(function, Element(*in)); },
          .complete = nullptr,
          .init = nullptr,
          .teardown = nullptr};
}

template <class Author>
constexpr torvyn_sink make_sink() {
  using Only = Instance<Author>;
  return {.push =
              [](const torvyn_element* in) {
                return perform([](const Element& element) { return Only::object->push(element); }, Element(*in));
              },
          .complete =
              [] {
                if constexpr (requires { Only::object->complete(); }) {
                  return perform([] { return Only::object->complete(); });
                } else {
                  return true;
                }
              },
          .init = Only::init,
          .teardown = Only::teardown};
}

}  // namespace detail
}  // namespace torvyn

#undef TORVYN_SINK

// TORVYN_SINK(Count), a function or a class, once in a component.
#define TORVYN_SINK(author) TORVYN_EXPORT_SINK(torvyn::detail::make_sink<author>())
