// Private to the tests of engine: scripts for tests/hostile/script.c.
//
//   Script script;
//   script.call(script_allocate, {number(64), scratch(0)}).load(scratch(4));  // the new handle is in register 8
//   script.call(script_mutable_buffer_size, {held(8)});
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "../../../tests/hostile/script_imports.h"

namespace torvyn::engine {

struct ScriptImport {
  std::string_view name;
  std::string_view parameters;  // a letter each
};

inline constexpr std::array<ScriptImport, script_imports> script_import_list = {{
#define TORVYN_SCRIPT_ENTRY(name, c_name, parameters) {name, parameters},
    TORVYN_SCRIPT_IMPORTS(TORVYN_SCRIPT_ENTRY)
#undef TORVYN_SCRIPT_ENTRY
}};

// What a step works on.
using ScriptWord = std::string;

namespace script_detail {
inline std::string bytes_of(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}
}  // namespace script_detail

// The content of a register.
inline ScriptWord held(int which) { return {char{script_word_register}, static_cast<char>(which)}; }
inline ScriptWord number(std::uint64_t value) { return char{script_word_u64} + script_detail::bytes_of(value, 8); }
// An address in the guest's scratch memory.
inline ScriptWord scratch(std::uint16_t offset) {
  return char{script_word_scratch} + script_detail::bytes_of(offset, 2);
}

class Script {
 public:
  Script& call(int import, const std::vector<ScriptWord>& words) { return step(import, words); }
  Script& load(const ScriptWord& address) { return step(script_load, {address}); }
  Script& store(std::uint16_t offset, const ScriptWord& value) { return step(script_store, {number(offset), value}); }
  Script& text(std::uint16_t offset, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); i += 4) {
      std::uint32_t value = 0;
      for (std::size_t j = i; j < i + 4 && j < text.size(); ++j)
        value |= std::uint32_t{static_cast<unsigned char>(text[j])} << (8 * (j - i));
      store(static_cast<std::uint16_t>(offset + i), number(value));
    }
    return *this;
  }
  Script& repeat(std::uint64_t times, const Script& steps) {
    return step(script_repeat, {number(times), number(steps.bytes_.size())}).add(steps);
  }
  Script& in_realloc(const Script& steps) { return step(script_in_realloc, {number(steps.bytes_.size())}).add(steps); }
  Script& recurse(std::uint64_t depth) { return step(script_recurse, {number(depth)}); }
  Script& grow(std::uint64_t pages) { return step(script_grow, {number(pages)}); }
  Script& answer(int kind, const ScriptWord& a, const ScriptWord& b, const ScriptWord& c) {
    return step(script_answer, {number(static_cast<std::uint64_t>(kind)), a, b, c});
  }
  // What follows is done by `flush`. The call that says so ends here.
  Script& later() { return step(script_later, {}); }
  Script& trap() { return step(script_trap, {}); }

  // Gives back what the call was lent, as it must before it returns.
  Script& drop_lent(bool is_batch) {
    return call(is_batch ? script_batch_drop : script_buffer_drop, {held(script_register_first)})
        .call(is_batch ? script_batch_writer_drop : script_flow_context_drop, {held(script_register_second)});
  }

  Script& add(const Script& other) {
    bytes_ += other.bytes_;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Script& step(int number, const std::vector<ScriptWord>& words) {
    bytes_ += static_cast<char>(number);
    for (const ScriptWord& word : words) bytes_ += word;
    return *this;
  }

  std::string bytes_;
};

}  // namespace torvyn::engine
