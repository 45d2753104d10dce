// What a manifest may hold, for editors and other tools.
#pragma once

#include <string>

namespace torvyn::config {

// A JSON Schema (2020-12) of Torvyn.toml, made of manifest_schema(). Its `$defs` have the sections that other files may hold too, and
// `settings-file`, the schema of those. It accepts all that the reader accepts, and refuses what can be told without arithmetic: unknown
// keys, types, words that are none of the choices, missing keys, the form of sizes and times; not their range, nor what several keys say
// together. What is not a word of JSON Schema stands under `x-torvyn`: `type`, `minimum` and `maximum` with units, `inherits`, `inert`,
// `environment`.
std::string manifest_json_schema();

}  // namespace torvyn::config
