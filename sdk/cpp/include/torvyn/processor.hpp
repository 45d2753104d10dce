// A processor: one element in; none, one or several out.
//
//   #include <torvyn/processor.hpp>
//
//   std::string shout(std::string_view text) {
//     std::string loud(text);
//     for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
//     return loud;
//   }
//   TORVYN_PROCESSOR(shout)
//
// A function of an element, `const torvyn::Element&` or std::string_view, and, where it likes, of a `torvyn::Output&`. It
// returns what it gives: void or torvyn::Status (with an Output), a text, an optional or a vector of texts, or a
// torvyn::Result of one of these.
//
// For settings or state, a class with such a function as its member `process`, and, where it likes, `init`:
//
//   class Repeat {
//    public:
//     void init(torvyn::Settings& settings) { times_ = settings.number("times", 2); }
//     void process(const torvyn::Element& in, torvyn::Output& out) {
//       for (std::uint64_t i = 0; i < times_; ++i) out.emit(in.text());
//     }
//    private:
//     std::uint64_t times_ = 0;
//   };
//   TORVYN_PROCESSOR(Repeat)
//
// The object is made before the first element and destroyed after the last one. `torvyn build shout.cpp` makes a component
// of it that is called with runs of elements. Define TORVYN_PER_ELEMENT before the include, and it is one of the per-element
// contract. An input without an output is counted as filtered; what was given for an element in error is void.
#pragma once

#include "torvyn/component.hpp"
#include "torvyn/processor.h"

namespace torvyn {

// A whole run of elements, for TORVYN_BATCH_PROCESSOR.
class Batch {
 public:
  explicit Batch(const torvyn_batch& raw) noexcept : raw_(raw) {}
  std::uint32_t size() const noexcept { return raw_.count; }
  Element operator[](std::uint32_t index) const noexcept { return Element(torvyn_batch_element(&raw_, index)); }
  // All payloads back to back; may be changed in place, see BatchOutput::emit_batch.
  std::span<char> bytes() const noexcept {
    return {reinterpret_cast<char*>(raw_.bytes), raw_.count == 0 ? 0 : raw_.ends[raw_.count - 1]};
  }
  const torvyn_batch& raw() const noexcept { return raw_; }

 private:
  const torvyn_batch& raw_;
};

// Gives the run out as it stands in its bytes, an output for each element.
inline void emit_batch(Output& out, const Batch& batch) { torvyn_emit_batch(out.raw(), &batch.raw()); }

namespace detail {

template <auto function>
constexpr torvyn_processor make_processor() {
  return {.process = [](const torvyn_element* in, torvyn_output* out) { return process(function, *in, *out); },
          .process_batch = nullptr,
          .init = nullptr,
          .teardown = nullptr};
}

template <class Author>
constexpr torvyn_processor make_processor() {
  using Only = Instance<Author>;
  return {.process =
              [](const torvyn_element* in, torvyn_output* out) {
                return process([](auto&&... given) -> decltype(auto)
                                 requires requires { Only::object->process(given...); }
                               { return Only::object->process(given...); },
                               *in, *out);
              },
          .process_batch = nullptr,
          .init = Only::init,
          .teardown = Only::teardown};
}

template <class Function>
bool process_batch(const Function& function, const torvyn_batch& raw_batch, torvyn_output& raw_out) {
  const Batch batch(raw_batch);
  Output out(raw_out);
  const auto give = [&out](std::string_view text) { out.emit(text); };
  return call(give, function, batch, out);
}

template <auto function>
constexpr torvyn_processor make_batch_processor() {
  return {
      .process = nullptr,
      .process_batch = [](const torvyn_batch* in, torvyn_output* out) { return process_batch(function, *in, *out); },
      .init = nullptr,
      .teardown = nullptr};
}

template <class Author>
constexpr torvyn_processor make_batch_processor() {
  using Only = Instance<Author>;
  return {.process = nullptr,
          .process_batch =
              [](const torvyn_batch* in, torvyn_output* out) {
                return process_batch(
                    [](const Batch& batch, Output& given) { return Only::object->process(batch, given); }, *in, *out);
              },
          .init = Only::init,
          .teardown = Only::teardown};
}

}  // namespace detail
}  // namespace torvyn

#undef TORVYN_PROCESSOR
#undef TORVYN_BATCH_PROCESSOR

// TORVYN_PROCESSOR(shout), a function or a class, once in a component.
#define TORVYN_PROCESSOR(author) TORVYN_EXPORT_PROCESSOR(torvyn::detail::make_processor<author>())

// The same for a whole run: a function, or a class with a member `process`, of a `const torvyn::Batch&` and a
// `torvyn::Output&`, which is told by `at` which element an output, a forward or an error belongs to. Those before an error stand.
#define TORVYN_BATCH_PROCESSOR(author) TORVYN_EXPORT_PROCESSOR(torvyn::detail::make_batch_processor<author>())
