// A source: where elements come from.
//
//   #include <torvyn/source.hpp>
//
//   class Count {
//    public:
//     void init(torvyn::Settings& settings) { left_ = settings.number("count", 10); }
//     bool pull(torvyn::Output& out) {
//       if (left_ == 0) return false;
//       out.emit(std::to_string(left_--));
//       return true;
//     }
//    private:
//     std::uint64_t left_ = 0;
//   };
//   TORVYN_SOURCE(Count)
//
// `pull` is called for as long as the flow takes elements, and gives one or several a call. False ends the stream, what was
// given in that call included; true without an output means "nothing yet". It returns bool, or torvyn::Result<bool> where it
// can fail. A member `backpressure(bool paused)` is told of the flow's pace. A function of a `torvyn::Output&` will do where
// there is neither setting nor state.
//
// Calls follow each other until a run is full: a source that waits for something outside gives what it has, and then
// true without an output. Define TORVYN_PER_ELEMENT before the include for the per-element contract, where each element
// leaves at once.
#pragma once

#include "torvyn/component.hpp"
#include "torvyn/source.h"

namespace torvyn::detail {

template <class Function>
bool pull(const Function& function, torvyn_output& raw) {
  Output out(raw);
  return decide(function, out);
}

template <auto function>
constexpr torvyn_source make_source() {
  return {.pull = [](torvyn_output* out) { return pull(function, *out); },
          .init = nullptr,
          .teardown = nullptr,
          .backpressure = nullptr};
}

template <class Author>
constexpr torvyn_source make_source() {
  using Only = Instance<Author>;
  return {.pull = [](torvyn_output* raw) { return pull([](Output& out) { return Only::object->pull(out); }, *raw); },
          .init = Only::init,
          .teardown = Only::teardown,
          .backpressure =
              [](bool paused) {
                if constexpr (requires { Only::object->backpressure(paused); }) Only::object->backpressure(paused);
                (void)paused;
              }};
}

}  // namespace torvyn::detail

#undef TORVYN_SOURCE

// TORVYN_SOURCE(Count), a function or a class, once in a component.
#define TORVYN_SOURCE(author) TORVYN_EXPORT_SOURCE(torvyn::detail::make_source<author>())
