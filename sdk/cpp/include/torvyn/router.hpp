// A router: sends each element to named output ports, and copies nothing but what it reads.
//
//   #include <torvyn/router.hpp>
//
//   std::string_view by_status(std::string_view line) { return line.contains(" 500 ") ? "errors" : "output"; }
//   TORVYN_ROUTER(by_status)
//
// A function of a `const torvyn::Element&` or std::string_view that returns the name of a port, an optional or a vector of
// names, or a torvyn::Result of one of these. Ports are those that the flow's edges leave the node by; a name that is none of
// them ends the instance (E0204). For settings or state, a class with such a function as its member `route`, and, where it
// likes, `init`: see torvyn/processor.hpp. Define TORVYN_PER_ELEMENT before the include for the per-element contract.
#pragma once

#include "torvyn/component.hpp"
#include "torvyn/router.h"

namespace torvyn::detail {

template <class Function>
bool route(const Function& function, const torvyn_element& raw, torvyn_ports& ports) {
  const auto give = [&ports](std::string_view port) { torvyn_route(&ports, std::string(port).c_str()); };
  return call(give, function, Element(raw));
}

template <auto function>
constexpr torvyn_router make_router() {
  return {.route = [](const torvyn_element* in, torvyn_ports* ports) { return route(function, *in, *ports); },
          .init = nullptr,
          .teardown = nullptr};
}

template <class Author>
constexpr torvyn_router make_router() {
  using Only = Instance<Author>;
  return {.route =
              [](const torvyn_element* in, torvyn_ports* ports) {
                return route([](const Element& element) { return Only::object->route(element); }, *in, *ports);
              },
          .init = Only::init,
          .teardown = Only::teardown};
}

}  // namespace torvyn::detail

#undef TORVYN_ROUTER

// TORVYN_ROUTER(by_status), a function or a class, once in a component.
#define TORVYN_ROUTER(author) TORVYN_EXPORT_ROUTER(torvyn::detail::make_router<author>())
