// An aggregator: many elements in, few out.
//
//   #include <torvyn/aggregator.hpp>
//
//   class Sum {
//    public:
//     void ingest(const torvyn::Element& in) { bytes_ += in.size_bytes(); }
//     std::string flush() { return std::to_string(bytes_) + " bytes\n"; }
//    private:
//     std::uint64_t bytes_ = 0;
//   };
//   TORVYN_AGGREGATOR(Sum)
//
// A class with the members `ingest`, which is what `process` of torvyn/processor.hpp is, and, where it likes, `flush`, called at the
// end of the stream with or without a `torvyn::Output&`, and `init`. Define TORVYN_PER_ELEMENT before the include for the
// per-element contract.
#pragma once

#include "torvyn/aggregator.h"
#include "torvyn/component.hpp"

namespace torvyn::detail {

template <class Author>
constexpr torvyn_aggregator make_aggregator() {
  using Only = Instance<Author>;
  return {.ingest =
              [](const torvyn_element* in, torvyn_output* out) {
                return process([](auto&&... given) -> decltype(auto)
                                 requires requires { Only::object->ingest(given...); }
                               { return Only::object->ingest(given...); },
                               *in, *out);
              },
          .flush =
              [](torvyn_output* raw) {
                Output out(*raw);
                const auto give = [&out](std::string_view text) { out.emit(text); };
                if constexpr (requires { Only::object->flush(out); }) {
                  return call(give, [&] { return Only::object->flush(out); });
                } else if constexpr (requires { Only::object->flush(); }) {
                  return call(give, [] { return Only::object->flush(); });
                } else {
                  return true;
                }
              },
          .init = Only::init,
          .teardown = Only::teardown};
}

}  // namespace torvyn::detail

#undef TORVYN_AGGREGATOR

// TORVYN_AGGREGATOR(Sum), a class, once in a component.
#define TORVYN_AGGREGATOR(author) TORVYN_EXPORT_AGGREGATOR(torvyn::detail::make_aggregator<author>())
