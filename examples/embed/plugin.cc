// A sandboxed plugin, called like a function.
//
//   plugin upper.wasm
#include <cstdio>

#include "torvyn/prelude.h"

int main(int argc, char** argv) {
  const auto plugin = torvyn::Plugin::load(argc > 1 ? argv[1] : "upper.wasm", {.call_timeout_ns = 50'000'000});
  if (!plugin) return std::fprintf(stderr, "%s\n", plugin.error().to_string().c_str()), 1;
  const torvyn::PluginAnswer answer = (*plugin)->process("hello");
  for (const auto& output : answer.outputs)
    std::printf("%.*s\n", static_cast<int>(output.text().size()), output.text().data());
  return answer.status == torvyn::PluginStatus::ok ? 0 : 1;
}
