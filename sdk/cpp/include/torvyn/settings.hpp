// Settings of a component: what stands behind it in a pipeline, `./repeat.wasm times=3`, or its node's `config` in a
// manifest: texts, numbers and booleans, by name.
//
//   class Repeat {
//    public:
//     void init(torvyn::Settings& settings) { times_ = settings.number("times", 2); }
//
// A getter whose setting is not what it asks for gives the fallback, and `init` fails after it returned, with what is wrong. So it
// does where a setting was given that `init` asked for nowhere: a misspelt one is never silently ignored.
#pragma once

#include <cstdint>
#include <string>

#include "torvyn/result.hpp"
#include "torvyn/settings.h"

namespace torvyn {

class Settings {
 public:
  explicit Settings(torvyn_settings& raw) noexcept : raw_(raw) {}

  // Says that the setting without a name, `./repeat.wasm 3`, is this one. Before asking for it.
  void set_main(const char* name) { torvyn_setting_is_main(&raw_, name); }

  bool has(const char* name) { return torvyn_setting_value(&raw_, name) != nullptr; }

  std::string text(const char* name, const char* fallback = "") {
    torvyn_setting_text(&raw_, name, &fallback);
    return fallback;
  }
  // A whole number from 0 on.
  std::uint64_t number(const char* name, std::uint64_t fallback = 0) {
    good_ &= torvyn_setting_number(&raw_, name, &fallback);
    return fallback;
  }
  double decimal(const char* name, double fallback = 0) {
    good_ &= torvyn_setting_decimal(&raw_, name, &fallback);
    return fallback;
  }
  bool flag(const char* name, bool fallback = false) {
    good_ &= torvyn_setting_flag(&raw_, name, &fallback);
    return fallback;
  }

  // Whether all getters found what they asked for; what they didn't is the error of the C side.
  bool good() const noexcept { return good_; }

 private:
  torvyn_settings& raw_;
  bool good_ = true;
};

}  // namespace torvyn
