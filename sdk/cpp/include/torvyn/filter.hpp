// A filter: keeps elements or drops them, and copies nothing but what it reads.
//
//   #include <torvyn/filter.hpp>
//
//   bool is_error(std::string_view line) { return line.starts_with("ERROR"); }
//   TORVYN_FILTER(is_error)
//
// A function of a `const torvyn::Element&` or std::string_view that returns bool, or torvyn::Result<bool> where it can
// fail; true keeps the element. For settings or state, a class with such a function as its member `keep`, and, where it
// likes, `init`: see torvyn/processor.hpp. Define TORVYN_PER_ELEMENT before the include for the per-element contract.
#pragma once

#include "torvyn/component.hpp"
#include "torvyn/filter.h"

namespace torvyn::detail {

template <auto function>
constexpr torvyn_filter make_filter() {
  return {.keep = [](const torvyn_element* in) { return decide(function, Element(*in)); },
          .init = nullptr,
          .teardown = nullptr};
}

template <class Author>
constexpr torvyn_filter make_filter() {
  using Only = Instance<Author>;
  return {.keep =
              [](const torvyn_element* in) {
                return decide([](const Element& element) { return Only::object->keep(element); }, Element(*in));
              },
          .init = Only::init,
          .teardown = Only::teardown};
}

}  // namespace torvyn::detail

#undef TORVYN_FILTER

// TORVYN_FILTER(is_error), a function or a class, once in a component.
#define TORVYN_FILTER(author) TORVYN_EXPORT_FILTER(torvyn::detail::make_filter<author>())
