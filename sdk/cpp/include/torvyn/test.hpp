// For tests on the host machine: an author's functions and classes are ordinary C++, and this makes what they are given.
//
//   #include <cassert>
//   #include <torvyn/test.hpp>
//   #include "../src/shout.cpp"
//
//   int main() {
//     assert(shout(torvyn::Element("hello")) == "HELLO");
//
//     Repeat repeat;
//     assert(torvyn::test::init(repeat, R"({"times": 3})"));
//     torvyn::Output out;
//     repeat.process(torvyn::Element("ha"), out);
//     assert(out.size() == 3 && out[0] == "ha");
//   }
#pragma once

#include <string_view>

#include "torvyn/element.hpp"
#include "torvyn/log.hpp"
#include "torvyn/output.hpp"
#include "torvyn/settings.hpp"

namespace torvyn::test {

// Starts `author` as the host does, with settings as JSON; what it says, or what is wrong with the settings.
template <class Author>
Status init(Author& author, std::string_view json) {
  torvyn_settings raw{};
  Settings settings(raw);
  torvyn_clear_error();
  bool good = torvyn_settings_parse(&raw, json.data(), json.size());
  if (good) {
    const auto nothing = [](std::string_view) {};
    good = detail::call(nothing, [&] { return author.init(settings); }) && settings.good() &&
           torvyn_settings_all_asked_for(&raw);
  }
  torvyn_settings_free(&raw);
  if (good) return {};
  return std::unexpected(Error{torvyn_call_state.kind, torvyn_call_state.text});
}

}  // namespace torvyn::test
